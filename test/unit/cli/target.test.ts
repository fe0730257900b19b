import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tmp from 'tmp-promise';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/failure.ts';
import { parseTarget, resolveTarget, splitVolume } from '../../../src/cli/target.ts';
import { MAIN_VOLUME } from '../../../src/daemon/control/index.ts';
import { DEFAULT_VOLUME } from '../../../src/volume/index.ts';

describe('TARGET[@NAME]', () => {
  test.each([
    ['mnt', 'mnt', undefined],
    ['mnt@before', 'mnt', 'before'],
    ['/srv/store:main@before', '/srv/store:main', 'before'],
    // The first "@" after the last "/": names of snapshots may have more of them, and directories above may have any.
    ['mnt@a@b', 'mnt', 'a@b'],
    ['/me@host/mnt', '/me@host/mnt', undefined],
    ['/me@host/mnt@now', '/me@host/mnt', 'now'],
    ['/me@host/@now', '/me@host/', 'now'],
    ['s@12:30:00', 's', '12:30:00'],
  ])('%s', (text, base, snapshot) => {
    expect(parseTarget(text)).toEqual({ base, snapshot });
  });

  test.each(['', '@', '@name', 'mnt@'])('"%s" is refused', (text) => {
    expect(() => parseTarget(text)).toThrow(UsageError);
  });
});

describe('STORE[:VOLUME]', () => {
  test.each([
    ['store', 'store', undefined],
    ['store:v', 'store', 'v'],
    ['/a:b/store', '/a:b/store', undefined],
    ['/a/b:c:v', '/a/b:c', 'v'],
  ])('%s', (text, store, volume) => {
    expect(splitVolume(text)).toEqual({ store, volume });
  });

  test.each([':', ':v', 'store:'])('"%s" is refused', (text) => {
    expect(() => splitVolume(text)).toThrow(UsageError);
  });
});

describe('a target on this machine', () => {
  test('the volume that is meant where none is named is the one that every store has', () => {
    expect(MAIN_VOLUME).toBe(DEFAULT_VOLUME);
  });

  test('a store, also one with a colon in its name', async () => {
    const { path, cleanup } = await tmp.dir({ unsafeCleanup: true });
    const store = join(path, 'a:b');
    mkdirSync(join(store, 'db'), { recursive: true });
    writeFileSync(join(store, 'format.json'), '{}');
    const common = { store, mount: undefined };
    expect(await resolveTarget(store)).toEqual({ ...common, volume: 'main', volumeGiven: false, snapshot: undefined });
    expect(await resolveTarget(`${store}@x`)).toEqual({ ...common, volume: 'main', volumeGiven: false, snapshot: 'x' });
    expect(await resolveTarget(`${store}:v@x`)).toEqual({ ...common, volume: 'v', volumeGiven: true, snapshot: 'x' });
    await cleanup();
  });

  test('what is neither a store nor in a mount is said to be so; what is missing is left to opening it', async () => {
    await expect(resolveTarget('/')).rejects.toThrow('neither a store nor a path in a mount');
    expect(await resolveTarget('/no/such/store')).toMatchObject({ store: '/no/such/store', volumeGiven: false });
  });
});
