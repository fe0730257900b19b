/** What `volume list` says that snapshots take, against what deleting them all gives back. */
import { expect, test } from 'vitest';
import { numberField, stringField } from '../support/json-fields.ts';
import { rowsOf, withMounted, type Mounted } from '../support/mounted.ts';

const MiB = 1 << 20;

async function usedBySnapshots(mounted: Mounted, volume: string): Promise<number> {
  const rows = await rowsOf(mounted, 'volumes', 'volume', 'list', mounted.store);
  return numberField(
    rows.find((row) => stringField(row, 'name') === volume)!,
    'usedbysnapshots',
  );
}

async function usedBytes(mounted: Mounted): Promise<number> {
  return numberField(await mounted.json('status', mounted.store), 'used');
}

/** Deletes all snapshots of a volume; gives the bytes of data that came back, and those that were foretold for it with the tree's nodes. */
async function deleteAll(mounted: Mounted, volume: string): Promise<{ back: number; foretold: number }> {
  const foretold = await usedBySnapshots(mounted, volume);
  const set = `${mounted.store}:${volume}@%`;
  const dry = await mounted.json('snapshot', 'delete', '-n', set);
  expect(numberField(dry, 'freed')).toBe(foretold);
  const before = await usedBytes(mounted);
  await mounted.amberfs('snapshot', 'delete', set, '--yes', '--wait');
  expect(await usedBySnapshots(mounted, volume)).toBe(0);
  return { back: before - (await usedBytes(mounted)), foretold };
}

test('usedbysnapshots is what deleting all snapshots of a volume gives back', () =>
  withMounted(async (mounted) => {
    await mounted.sh('head -c 4194304 /dev/urandom > f; head -c 1048576 /dev/urandom > stays');
    expect(await usedBySnapshots(mounted, 'main')).toBe(0);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'one');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'two');
    // Nothing has changed since: they share all with the live files.
    expect(await usedBySnapshots(mounted, 'main')).toBe(0);
    await mounted.sh('dd if=/dev/urandom of=f bs=1M count=2 conv=notrunc status=none');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'three');
    await mounted.sh('dd if=/dev/urandom of=f bs=1M count=1 conv=notrunc status=none; sync -f .');
    // The clone needs what its origin has, so that does not come back with the snapshots of main.
    await mounted.amberfs('clone', `${mounted.dir}@three`, 'copy');
    expect(await usedBySnapshots(mounted, 'copy')).toBe(0);
    const { back, foretold } = await deleteAll(mounted, 'main');
    expect(back).toBe(2 * MiB);
    expect(foretold).toBeGreaterThan(back);
    expect(foretold).toBeLessThan(back + MiB);
  }));

test('usedbysnapshots counts what clones of a snapshot have both let go', () =>
  withMounted(async (mounted) => {
    await mounted.sh('head -c 3145728 /dev/urandom > f');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'base');
    await mounted.amberfs('clone', `${mounted.dir}@base`, 'copy');
    const copy = await mounted.mount('copy');
    await mounted.sh('dd if=/dev/urandom of=f bs=1M count=2 conv=notrunc status=none; sync -f .');
    expect(await usedBySnapshots(mounted, 'main')).toBeLessThan(MiB);
    await mounted.sh('dd if=/dev/urandom of="$1/f" bs=1M seek=1 count=2 conv=notrunc status=none; sync -f "$1"', copy);
    const { back, foretold } = await deleteAll(mounted, 'main');
    expect(back).toBe(MiB);
    expect(foretold).toBeGreaterThanOrEqual(back);
    expect(foretold).toBeLessThan(back + MiB);
  }));

/** What df says of the filesystem at `dir`, in bytes. */
async function df(mounted: Mounted, dir: string): Promise<{ size: number; used: number; available: number }> {
  const text = await mounted.run('df', ['-B1', '--output=size,used,avail', dir]);
  const [size, used, available] = text.split('\n')[1]!.trim().split(/ +/).map(Number);
  return { size: size!, used: used!, available: available! };
}

test('df of live files shows what the store uses and the host has left; that of a snapshot shows the snapshot, full', () =>
  withMounted(async (mounted) => {
    const before = await df(mounted, mounted.dir);
    await mounted.sh('dd if=/dev/urandom of=f bs=1M count=4 conv=fsync status=none');
    const live = await df(mounted, mounted.dir);
    expect(live.used - before.used).toBe(4 * MiB);
    expect(live.used).toBe(await usedBytes(mounted));
    expect(live.size).toBe(live.used + live.available);
    expect(live.available).toBeGreaterThan(0);
    // The reserve on the host is left out, so a little that others free or take does not matter.
    expect(live.available).toBeLessThan((await df(mounted, mounted.temp)).available);

    await mounted.amberfs('snapshot', 'create', mounted.dir, 'one');
    await mounted.sh('dd if=/dev/urandom of=g bs=1M count=2 conv=fsync status=none; rm f');
    const [row] = await rowsOf(mounted, 'snapshots', 'snapshot', 'list', mounted.dir);
    const referenced = numberField(row!, 'referenced');
    expect(referenced).toBeGreaterThanOrEqual(4 * MiB);
    const view = await mounted.mount('main@one');
    for (const dir of [view, `${mounted.dir}/.snapshots/one`]) {
      expect(await df(mounted, dir), dir).toEqual({ size: referenced, used: referenced, available: 0 });
    }
    // The snapshot keeps what was deleted.
    expect((await df(mounted, mounted.dir)).used - before.used).toBe(6 * MiB);
  }));

test('written is what was written between two snapshots and is still there, with some nodes of the tree', () =>
  withMounted(async (mounted) => {
    const dd = 'dd if=/dev/urandom of="$1" bs=1M count=1 conv=notrunc,fsync status=none';
    await mounted.sh('dd if=/dev/urandom of=old bs=1M count=3 conv=fsync status=none; mkdir .snapshots/s0');
    await mounted.sh(`${dd}; mkdir .snapshots/s1`, 'new');
    await mounted.sh('mkdir .snapshots/s2');
    // Over what was there; what was written over again before the snapshot has seen it is not counted.
    await mounted.sh(`${dd}; ${dd}; mkdir .snapshots/s3`, 'old');
    const rows = await rowsOf(mounted, 'snapshots', 'snapshot', 'list', mounted.dir);
    const written = new Map(rows.map((row) => [stringField(row, 'name'), numberField(row, 'written')]));
    const nodes = 64 * 1024;
    for (const [name, data] of Object.entries({ s0: 3 * MiB, s1: MiB, s3: MiB })) {
      expect(written.get(name), name).toBeGreaterThan(data);
      expect(written.get(name), name).toBeLessThanOrEqual(data + nodes);
    }
    expect(written.get('s2')).toBe(0);
  }));
