// A sum of a dead list that the disk lost: where the list belongs to a snapshot a check names it and a repair sets it right; where it belongs to a
// volume, what is stored can be read.

import { expect, it } from 'vitest';
import { BLOCK_BYTES, SPACE, parseDeadSumKey, spaceKey } from '../../../src/format/index.ts';
import { readFile, unlink, writeFile } from '../../../src/vfs/index.ts';
import { ROOT_INO, checkOpenVolumes, repairVolumes } from '../../../src/volume/index.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const FILES = 60;

/** A store without the first sum of a list of a snapshot, or of a volume. */
async function withoutSum(whose: 'snapshot' | 'volume'): Promise<MemoryVolumes> {
  const { volumes, kv, blocks, journal } = await openMemoryVolumes();
  const main = volumes.get('main');
  const tree = new TreeOf(main.filesystem);
  for (let i = 0; i < FILES; i++) {
    const { ino } = tree.file(ROOT_INO, `file ${i}`);
    writeFile(tree.fs, ino, 0, Buffer.alloc(BLOCK_BYTES, i), 0, BLOCK_BYTES, false);
  }
  for (const [i, name] of ['one', 'two', 'three'].entries()) {
    volumes.createSnapshot(main, { name });
    unlink(tree.fs, ROOT_INO, Buffer.from(`file ${i}`));
  }
  const list = whose === 'volume' ? main.head.version.deadList : main.snapshot('two').version.deadList;
  await volumes.close();
  const sums = await kv.range(spaceKey(SPACE.deadSum), spaceKey(SPACE.deadSum, true));
  const batch = kv.newBatch();
  batch.delete(sums.find(([key]) => parseDeadSumKey(key).list === list)![0]);
  await kv.write(batch);
  return openMemoryVolumes({ kv, blocks, journal });
}

it('of a snapshot is named, with what else there is, and set right', async () => {
  const memory = await withoutSum('snapshot');
  const { problems, versions } = await checkOpenVolumes(memory.volumes, {});
  expect(problems.map(({ text }) => text)).toEqual([
    expect.stringMatching(/dead list of version \d+: its sums are not those that were stored last/),
    expect.stringMatching(/dead list of version \d+: its sums are .*, its records/),
  ]);
  expect(versions).toBe(4);
  const { repairs, check } = await repairVolumes(memory.volumes, false);
  expect(repairs).toEqual([expect.stringMatching(/^dead list \d+: set its sums to those of its records$/)]);
  expect(check.problems).toEqual([]);
  const main = memory.volumes.get('main');
  for (const snapshot of main.snapshots()) memory.volumes.deleteSnapshot(main, snapshot);
  expect(await memory.check()).toEqual([]);
});

it('of a volume makes the store one that is only read', async () => {
  const { volumes } = await withoutSum('volume');
  expect(volumes.failure?.message).toMatch(
    /sums of dead list \d+: they are not those that were stored last; what is not affected can be read/,
  );
  const main = volumes.get('main');
  for (const fs of [main.filesystem, main.snapshot('one').filesystem]) {
    const into = Buffer.alloc(BLOCK_BYTES);
    const { ino } = new TreeOf(fs).find(ROOT_INO, 'file 9')!;
    expect(readFile(fs, ino, 0, BLOCK_BYTES, into, 0, 0, false)).toBe(BLOCK_BYTES);
    expect(into.every((byte) => byte === 9)).toBe(true);
  }
  expect(() => main.filesystem.change()).toThrow(/takes no changes/);
  await volumes.close();
});
