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
