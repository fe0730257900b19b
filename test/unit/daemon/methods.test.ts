/** The methods of the control protocol against what a confused or hostile asker may send. */
import { join } from 'node:path';
import fc from 'fast-check';
import tmp from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCore, type Core } from '../../../src/daemon/core.ts';
import { callMethod } from '../../../src/daemon/methods/index.ts';
import { readMountRequest } from '../../../src/daemon/methods/mount.ts';
import { FsError, ProtocolError } from '../../../src/errors/index.ts';
import { initStore } from '../../../src/store/index.ts';
import { noLog } from '../../../src/util/index.ts';

let core: Core;
let cleanup: () => Promise<void>;

beforeAll(async () => {
  const dir = await tmp.dir({ unsafeCleanup: true });
  cleanup = dir.cleanup;
  await initStore(join(dir.path, 'store'));
  core = await openCore(join(dir.path, 'store'), noLog);
});

afterAll(async () => {
  await core.close();
  await cleanup();
});

const call = (method: string, params: unknown): Promise<unknown> =>
  callMethod({ core, log: noLog, daemon: undefined }, method, params);

test.each(['nothing', '', '__proto__', 'constructor', 'toString'])('there is no method "%s"', async (method) => {
  await expect(call(method, {})).rejects.toThrow(ProtocolError);
});

describe('parameters are checked', () => {
  const methods = [
    'volume.create',
    'volume.delete',
    'volume.get',
    'volume.set',
    'snapshot.list',
    'snapshot.info',
    'snapshot.create',
    'snapshot.delete',
    'snapshot.diff',
    'snapshot.rename',
    'snapshot.cheapest',
    'snapshot.hold',
    'snapshot.release',
    'snapshot.restore',
    'clone',
  ];

  test('by type: what is wrong is refused before anything is done', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.constant('with\0zero'), fc.constant('x'.repeat(20_000)));
    const params = fc.dictionary(
      fc.constantFrom('volume', 'name', 'to', 'dryRun', 'property', 'value', 'tag', 'expiresMs', 'bytes'),
      value,
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...methods), params, async (method, fields) => {
        // A volume is taken only where all else is of the right type, too.
        const failure = await call(method, { ...fields, volume: 'no such volume' }).catch((error: unknown) => error);
        expect(failure instanceof ProtocolError || failure instanceof FsError).toBe(true);
        await expect(call(method, { ...fields, volume: 7 })).rejects.toThrow(ProtocolError);
      }),
      { numRuns: 200 },
    );
    expect(core.volumes.list().map((volume) => volume.name)).toEqual(['main']);
  });

  test('of a mount, with all its options', () => {
    const options = { readOnly: true, snapdir: 'visible', fsname: 'x' } as const;
    expect(readMountRequest({ dir: '/a', volume: 'v', options })).toEqual({ dir: '/a', volume: 'v', options });
    for (const wrong of [
      { volume: 'v', options },
      { dir: '/a', volume: 'v' },
      { dir: '/a', volume: 'v', options: { readOnly: 'yes' } },
      { dir: '/a', volume: 'v', options: { snapdir: 'maybe' } },
      { dir: '/a\0b', volume: 'v', options },
      { dir: '/a', volume: 'v', snapshot: 3, options },
    ]) {
      expect(() => readMountRequest(wrong)).toThrow(ProtocolError);
    }
  });
});

test('figures: referenced grows with what is written, unique is what only the snapshot has', async () => {
  const one = (await call('snapshot.create', { volume: 'main', name: 'one' })) as { referencedBytes: number };
  expect(one.referencedBytes).toBeGreaterThan(0);
  expect(one.referencedBytes % 4096).toBe(0);
  const [listed] = (await call('snapshot.list', { volume: 'main' })) as { uniqueBytes: number; writtenBytes: number }[];
  expect(listed).toMatchObject({ uniqueBytes: 0, writtenBytes: one.referencedBytes });
});

test('who makes a snapshot is a short printable text, of whatever language, and kept', async () => {
  for (const by of ['', 'a\nb', 'a\x1b[2J', 'a\u2028b', 'x'.repeat(257), 7]) {
    await expect(call('snapshot.create', { volume: 'main', name: 'by', by })).rejects.toThrow(ProtocolError);
    await expect(
      call('snapshot.restore', { volume: 'main', name: 'one', discard: false, dryRun: false, by }),
    ).rejects.toThrow(ProtocolError);
  }
  for (const by of ['ann', 'EXAMPLE\\j\u00f6rg m', 'schedule:hourly', 'x'.repeat(256)]) {
    expect(await call('snapshot.create', { volume: 'main', name: 'by', by })).toMatchObject({ name: 'by', by });
    await call('snapshot.delete', { volume: 'main', name: 'by', dryRun: false });
  }
  const params = { volume: 'main', name: 'one', discard: false, dryRun: false, by: 'ann' };
  const { preserved } = (await call('snapshot.restore', params)) as { preserved: string };
  expect(await call('snapshot.info', { volume: 'main', name: preserved })).toMatchObject({ by: 'ann' });
  await call('snapshot.delete', { volume: 'main', name: preserved, dryRun: false });
});

test('a dry run changes nothing', async () => {
  await call('snapshot.create', { volume: 'main', name: 'two' });
  await call('snapshot.delete', { volume: 'main', name: 'two', dryRun: true });
  expect(await call('snapshot.info', { volume: 'main', name: 'two' })).toMatchObject({ name: 'two' });
  await call('volume.delete', { volume: 'main', dryRun: true });
  expect(await call('volume.list', {})).toMatchObject([{ volume: 'main', snapshots: 2 }]);
});
