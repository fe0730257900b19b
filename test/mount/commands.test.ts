/** The commands that list, inform, delete and unmount; what they print for machines parses. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numberField, stringField } from '../support/json-fields.ts';
import { isMounted } from '../support/mount-table.ts';
import { isAlive, openMounted, rowsOf, usedBytes, withMounted, type Mounted } from '../support/mounted.ts';
import { waitUntil } from '../support/run-command.ts';

const MiB = 1 << 20;

describe('listings', () => {
  let mounted: Mounted;
  const start = Date.now();

  beforeAll(async () => {
    mounted = await openMounted();
    await mounted.sh('head -c 3000000 /dev/urandom > f');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'one', '-m', 'the first comment');
    await mounted.sh('head -c 5000000 /dev/urandom > f');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'two');
    await mounted.amberfs('clone', `${mounted.dir}@one`, 'copy');
  });

  afterAll(() => mounted.close());

  test('snapshot list: a table for people, JSON, and lines for scripts', async () => {
    const table = await mounted.amberfs('snapshot', 'list', mounted.dir);
    expect(table).toMatch(/^NAME/im);
    expect(table).toMatch(/\bone\b[\s\S]*\btwo\b/);
    const snapshots = await rowsOf(mounted, 'snapshots', 'snapshot', 'list', mounted.dir);
    expect(snapshots.map((snapshot) => stringField(snapshot, 'name'))).toEqual(['one', 'two']);
    for (const snapshot of snapshots) {
      const created = Date.parse(stringField(snapshot, 'created'));
      expect(stringField(snapshot, 'created')).toMatch(/Z$/);
      expect(created).toBeGreaterThan(start - 5000);
      expect(created).toBeLessThan(Date.now() + 5000);
    }
    const lines = await mounted.amberfs('snapshot', 'list', mounted.dir, '-H', '-p', '-o', 'name,referenced');
    expect(lines).toMatch(/^one\t\d+\ntwo\t\d+\n$/);
    const bytes = lines
      .trim()
      .split('\n')
      .map((line) => Number(line.split('\t')[1]));
    expect(bytes[0]).toBeGreaterThan(2_900_000);
    expect(bytes[1]).toBeGreaterThan(4_900_000);
    const sorted = await mounted.amberfs('snapshot', 'list', mounted.dir, '-H', '-o', 'name', '-S', 'name');
    expect(sorted).toBe('two\none\n');
  });

  test('snapshot list of some that are named', async () => {
    const { dir, store } = mounted;
    expect(await mounted.amberfs('snapshot', 'list', `${dir}@two`, '-H', '-o', 'name')).toBe('two\n');
    const both = await mounted.amberfs('snapshot', 'list', `${dir}@two`, `${store}@one`, '-H', '-o', 'name');
    expect(both).toBe('two\none\n');
    expect(await mounted.amberfs('snapshot', 'list', `${dir}@two`, '--tree', '-H', '-o', 'name')).toContain('two');
    const none = await mounted.tryAmberfs('snapshot', 'list', `${dir}@three`);
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('three')]);
    const free = await mounted.tryAmberfs('snapshot', 'list', `${dir}@two`, '--free', '1M');
    expect([free.status, free.stderr]).toEqual([2, expect.stringContaining('leave "@two" out')]);
  });

  test('snapshot info, by mount and by store', async () => {
    for (const target of [`${mounted.dir}@one`, `${mounted.store}:main@one`]) {
      const info = await mounted.json('snapshot', 'info', target);
      expect(stringField(info, 'name')).toBe('one');
      expect(stringField(info, 'volume')).toBe('main');
      expect(stringField(info, 'comment')).toBe('the first comment');
      expect(numberField(info, 'referenced')).toBeGreaterThan(2_900_000);
      expect(await mounted.amberfs('snapshot', 'info', target)).toContain('the first comment');
    }
  });

  test('volume list names main and the clone with its origin', async () => {
    const volumes = await rowsOf(mounted, 'volumes', 'volume', 'list', mounted.store);
    expect(volumes.map((volume) => stringField(volume, 'name')).sort()).toEqual(['copy', 'main']);
    const copy = volumes.find((volume) => volume['name'] === 'copy')!;
    expect(stringField(copy, 'origin')).toBe('main@one');
    expect(await mounted.amberfs('volume', 'list', mounted.store)).toMatch(/copy/);
  });

  test('status names the store, the daemon and its mounts', async () => {
    const status = await mounted.json('status', mounted.store);
    expect(stringField(status, 'store')).toBe(mounted.store);
    expect(await mounted.run('readlink', [`/proc/${numberField(status, 'pid')}/exe`])).toBe(`${process.execPath}\n`);
    const mounts = await rowsOf(mounted, 'mounts', 'status', mounted.store);
    expect(mounts.map((mount) => stringField(mount, 'directory'))).toEqual([mounted.dir]);
    expect(stringField(mounts[0]!, 'volume')).toBe('main');
    expect(await mounted.amberfs('status', mounted.store)).toContain(mounted.dir);
  });

  test('the root of a snapshot tells about it in attributes', async () => {
    // They answer to their names and are in no list, so that a copy with all attributes does not carry them along.
    const value = (name: string): Promise<string> =>
      mounted.run('getfattr', [
        '--only-values',
        '--absolute-names',
        `--name=user.amberfs.${name}`,
        `${mounted.dir}/.snapshots/one`,
      ]);
    expect(await value('name')).toBe('one');
    expect(await value('comment')).toBe('the first comment');
    expect(Date.parse(await value('created'))).toBeGreaterThan(start - 5000);
    expect(Number(await value('referenced'))).toBeGreaterThan(2_900_000);
    expect(await mounted.run('getfattr', ['-d', '--absolute-names', `${mounted.dir}/.snapshots/one`])).toBe('');
  });

  test('help and version', async () => {
    expect(await mounted.amberfs('--help')).toMatch(/snapshot[\s\S]*volume|volume[\s\S]*snapshot/);
    expect(await mounted.amberfs('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test('deleting a snapshot frees its space in the background, and nothing of the others', () =>
  withMounted(async (mounted) => {
    await mounted.sh('head -c 40000000 /dev/urandom > big; head -c 1000000 /dev/urandom > kept; sha256sum kept > sum');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'first');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'second');
    await mounted.sh('rm big');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'third');
    await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@first`, '--yes');
    const before = await usedBytes(mounted);
    await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@second`, '--yes');
    expect((await mounted.attempt('ls', [`${mounted.dir}/.snapshots/second`])).status).not.toBe(0);
    await waitUntil('space is free again', 20_000, async () => (await usedBytes(mounted)) < before - 35 * MiB);
    await mounted.sh('sha256sum --quiet -c sum; cd .snapshots/third; test ! -e big; sha256sum --quiet -c sum');
    const names = await rowsOf(mounted, 'snapshots', 'snapshot', 'list', mounted.dir);
    expect(names.map((snapshot) => stringField(snapshot, 'name'))).toEqual(['third']);
  }));

test('snapshots are deleted in any order; the last one and the files give everything back', () =>
  withMounted(async (mounted) => {
    const empty = await usedBytes(mounted);
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await mounted.sh(
        'head -c 4000000 /dev/urandom > "f$1"; head -c 4000000 /dev/urandom > same; cat f? same | sha256sum > sum',
        name,
      );
      await mounted.amberfs('snapshot', 'create', mounted.dir, name);
    }
    for (const name of ['c', 'a', 'e', 'b']) {
      await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@${name}`, '--yes');
      await mounted.sh(
        'cd .snapshots; for s in *; do (cd "$s"; test "$(cat f? same | sha256sum)" = "$(cat sum)"); done',
      );
    }
    await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@d`, '--yes');
    await mounted.sh('rm f? same sum; sync -f .');
    // The files held some 28 MB.
    const stored = (): number => fs.statSync(path.join(mounted.store, 'data')).blocks * 512;
    await waitUntil('the data file takes nothing', 20_000, () => stored() === 0);
    await waitUntil('all space is free again', 20_000, async () => (await usedBytes(mounted)) <= empty);
  }));

test('delete asks for --yes where there is no terminal, and -n only tells', () =>
  withMounted(async (mounted) => {
    await mounted.sh('echo x > f; mkdir .snapshots/s');
    const refused = await mounted.tryAmberfs('snapshot', 'delete', `${mounted.dir}@s`);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('--yes');
    await mounted.amberfs('snapshot', 'delete', '-n', `${mounted.dir}@s`);
    expect(await mounted.sh('ls .snapshots')).toBe('latest\ns\n');
  }));

test('umount ends the mount and then the daemon; status says that none runs', () =>
  withMounted(async (mounted) => {
    const pid = await mounted.daemonPid();
    await mounted.amberfs('umount', mounted.dir);
    expect(isMounted(mounted.dir)).toBe(false);
    await waitUntil('the daemon ends', 15_000, () => !isAlive(pid));
    const status = await mounted.json('status', mounted.store);
    expect(status['pid']).toBe(null);
    expect(status['mounts']).toEqual([]);
    // Without a daemon the tool opens the store itself.
    await mounted.amberfs('snapshot', 'create', `${mounted.store}:main`, 'offline');
    expect(await mounted.amberfs('snapshot', 'list', mounted.store, '-H', '-o', 'name')).toBe('offline\n');
  }));
