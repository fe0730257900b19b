/** The host's clock jumps back, and far ahead: what was taken later stays later, and nothing is deleted or lost that should not be. */
import { expect, test } from 'vitest';
import { holdSnapshot, type Volume } from '../../../src/volume/index.ts';
import { TestClock, openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';

const DAY_SEC = 86_400;

const names = (volume: Volume): string[] => volume.snapshots().map(({ label }) => label.name);

async function reopen(memory: MemoryVolumes): Promise<Volume> {
  await memory.volumes.commit();
  const { kv, blocks, journal } = memory;
  const again = await openMemoryVolumes({
    kv: kv.copy(),
    blocks: blocks.copy(),
    journal: journal.copy(),
  });
  expect(await again.check()).toEqual([]);
  return again.volumes.get('main');
}

test('snapshots stay in the order in which they were taken, also after the store is opened again', async () => {
  const memory = await openMemoryVolumes();
  const { volumes, clock } = memory;
  const main = volumes.get('main');
  volumes.createSnapshot(main, { name: 'c' });
  clock.advance(-DAY_SEC);
  volumes.createSnapshot(main, { name: 'b' });
  clock.advance(-400 * DAY_SEC);
  volumes.createSnapshot(main, { name: 'a' });
  expect(names(main)).toEqual(['c', 'b', 'a']);
  expect(names(await reopen(memory))).toEqual(['c', 'b', 'a']);
  volumes.restore(main, main.snapshot('b'), { name: 'd' });
  expect(names(await reopen(memory))).toEqual(['c', 'b', 'a', 'd']);
});

test('a default name that a second gives once more gets a number; a chosen one is refused with what to do', async () => {
  const { volumes, clock } = await openMemoryVolumes();
  const main = volumes.get('main');
  const first = volumes.createSnapshot(main, {});
  clock.advance(1);
  const second = volumes.createSnapshot(main, {});
  expect(second.label.name > first.label.name).toBe(true);
  clock.advance(-1);
  const { name } = first.label;
  const again = [volumes.createSnapshot(main, {}), volumes.createSnapshot(main, { name, numbered: true })];
  expect(again.map(({ label }) => [label.name, label.accessPoint])).toEqual([
    [`${name}-2`, `${name}-2`],
    [`${name}-3`, `${name}-3`],
  ]);
  // Also where the name is another one's directory, and where a number between is free.
  volumes.renameSnapshot(main, again[0]!, 'other');
  volumes.renameSnapshot(main, again[1]!, 'third', `${name}-2`);
  expect(volumes.createSnapshot(main, {}).label.name).toBe(`${name}-3`);
  expect(() => volumes.createSnapshot(main, { name })).toThrow(
    expect.objectContaining({ code: 'EEXIST', message: expect.stringContaining('take another name') as unknown }),
  );
  clock.advance(2);
  volumes.createSnapshot(main, {});
  expect(main.snapshotCount).toBe(6);
});

test('a hold lasts to its moment: a clock that is behind never ends it early', async () => {
  const { volumes, clock } = await openMemoryVolumes();
  const main = volumes.get('main');
  const snapshot = volumes.createSnapshot(main, { name: 's' });
  holdSnapshot(volumes, main, snapshot, { tag: 'backup', expiresMs: clock.nowMs() + 1000 * DAY_SEC });
  clock.advance(-DAY_SEC);
  expect(() => volumes.deleteSnapshot(main, snapshot)).toThrow(expect.objectContaining({ code: 'EBUSY' }));
  clock.advance(2 * DAY_SEC - 1);
  expect(() => volumes.deleteSnapshot(main, snapshot)).toThrow(expect.objectContaining({ code: 'EBUSY' }));
  clock.advance(2);
  volumes.deleteSnapshot(main, snapshot);
});

test('a clock before 1970 and one in far future are stored and read back', async () => {
  for (const seconds of [-2_000_000_000, 20_000_000_000]) {
    const clock = new TestClock();
    clock.advance(seconds);
    const memory = await openMemoryVolumes({ clock });
    memory.volumes.createSnapshot(memory.volumes.get('main'), { name: 's' });
    expect(names(await reopen(memory))).toEqual(['s']);
  }
});
