/**
 * What it costs to say what snapshots take, where thousands of clones and snapshots have a branching point in common: each list of what was
 * dropped there is read once for all of them, not once for each. Reads are counted, not milliseconds.
 */
import { expect, test } from 'vitest';
import { createInode } from '../../../src/format/index.ts';
import type { ReadView } from '../../../src/store/index.ts';
import { rehearseDelete } from '../../../src/tree/index.ts';
import {
  ROOT_INO,
  type Volume,
  insertDirent,
  insertInode,
  loadInode,
  saveInode,
  snapshotsBlocks,
  uniqueBlocks,
  writeData,
} from '../../../src/volume/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';

const FILE_BLOCKS = 8;
const inode = createInode();

class CountingKeyValue extends MemoryKeyValue {
  /** Ranges that were read in views, and views. */
  reads = 0;
  views = 0;

  override readView(): ReadView {
    const view = super.readView();
    this.views++;
    return {
      ...view,
      range: (...bounds) => {
        this.reads++;
        return view.range(...bounds);
      },
    };
  }
}

interface Counted extends MemoryVolumes {
  readonly kv: CountingKeyValue;
}

async function openCounted(): Promise<{ memory: Counted; ino: number }> {
  const kv = new CountingKeyValue();
  const memory = { ...(await openMemoryVolumes({ kv })), kv };
  const { filesystem: fs } = memory.volumes.get('main');
  const head = fs.change();
  Object.assign(inode, createInode(), { ino: fs.takeIno(), mode: 0o100644, nlink: 1 });
  insertInode(fs, inode);
  insertDirent(fs, ROOT_INO, Buffer.from('file'), inode.ino, 8);
  const { ino } = inode;
  writeData(fs, head, inode, 0, Buffer.alloc(FILE_BLOCKS * 4096, 1), 0, FILE_BLOCKS * 4096);
  saveInode(fs, inode);
  return { memory, ino };
}

function overwrite({ filesystem: fs }: Volume, ino: number, block: number): void {
  const head = fs.change();
  loadInode(fs, ino, inode);
  writeData(fs, head, inode, block * 4096, Buffer.alloc(4096, 2), 0, 4096);
  saveInode(fs, inode);
}

/** So many clones of a snapshot that was deleted since, all but the first changed and each with a snapshot of its own. */
async function clonesOfDeleted(count: number): Promise<Counted> {
  const { memory, ino } = await openCounted();
  const { volumes } = memory;
  const main = volumes.get('main');
  const base = volumes.createSnapshot(main, { name: 'base' });
  for (let block = 0; block < FILE_BLOCKS; block++) overwrite(main, ino, block);
  for (let index = 0; index < count; index++) {
    const clone = volumes.clone(main, base, `clone${index}`);
    if (index > 0) for (let block = 0; block < FILE_BLOCKS; block++) if (block !== index) overwrite(clone, ino, block);
    volumes.createSnapshot(clone, { name: 'own' });
    for (let block = 0; block < FILE_BLOCKS; block++) overwrite(clone, ino, block);
  }
  volumes.deleteSnapshot(main, base);
  expect(await memory.check()).toEqual([]);
  return memory;
}

async function readsOf(memory: Counted, work: () => Promise<unknown>): Promise<number> {
  const { reads } = memory.kv;
  await work();
  return memory.kv.reads - reads;
}

test('of volumes that have a branching point in common, lists are read once for all of them', async () => {
  const count = 600;
  const memory = await clonesOfDeleted(count);
  const { volumes, forest } = { volumes: memory.volumes.list(), forest: memory.volumes.forest };
  let used: number[] = [];
  const reads = await readsOf(memory, async () => (used = await snapshotsBlocks(forest, volumes)));
  // The sums in one go, and the records of each list once.
  expect(reads).toBeLessThan(2 * count);
  for (const [index, volume] of volumes.entries()) {
    if (index % 100 > 1) continue;
    const versions = volume.snapshots().map(({ version }) => version);
    expect(used[index]).toBe(versions.length === 0 ? 0 : await rehearseDelete(forest, versions));
  }
  // What they have each for itself, and what only the first of them still sees of the deleted snapshot.
  const usedBy = (name: string): number => used[volumes.findIndex((volume) => volume.name === name)]!;
  expect(usedBy('clone9')).toBeGreaterThanOrEqual(FILE_BLOCKS);
  expect(usedBy('clone0')).toBeGreaterThan(0);
  await memory.volumes.close();
});

test('of snapshots that were each restored from one that is deleted, lists are read once for all of them', async () => {
  const count = 120;
  const { memory, ino } = await openCounted();
  const { volumes } = memory;
  const main = volumes.get('main');
  const base = volumes.createSnapshot(main, { name: 'base' });
  for (let index = 0; index < count; index++) {
    overwrite(main, ino, index % FILE_BLOCKS);
    volumes.restore(main, base, { name: `kept${index}` });
  }
  volumes.deleteSnapshot(main, base);
  expect(await memory.check()).toEqual([]);
  const versions = main.snapshots().map(({ version }) => version);
  let unique: number[] = [];
  const reads = await readsOf(memory, async () => (unique = await uniqueBlocks(volumes.forest, versions)));
  expect(reads).toBeLessThan(2 * count);
  for (const [index, version] of versions.entries()) {
    expect(unique[index]).toBe(await rehearseDelete(volumes.forest, [version]));
  }
  await volumes.close();
});

test('of snapshots with a clone each, many are looked at in one pass', async () => {
  const { memory, ino } = await openCounted();
  const { volumes } = memory;
  const main = volumes.get('main');
  for (let index = 0; index < 100; index++) {
    overwrite(main, ino, index % FILE_BLOCKS);
    volumes.clone(main, volumes.createSnapshot(main, { name: `s${index}` }), `clone${index}`);
  }
  await volumes.commit();
  const versions = main.snapshots().map(({ version }) => version);
  const { views } = memory.kv;
  await uniqueBlocks(volumes.forest, versions);
  expect(memory.kv.views - views).toBe(1);
  await volumes.close();
});

test('of lists by the hundred, only so many are read as it takes to see that they have nothing in common', async () => {
  const count = 600;
  const { memory, ino } = await openCounted();
  const { volumes } = memory;
  const main = volumes.get('main');
  const base = volumes.createSnapshot(main, { name: 'base' });
  for (let index = 0; index < count; index++) {
    const clone = volumes.clone(main, base, `clone${index}`);
    overwrite(clone, ino, index % FILE_BLOCKS);
    volumes.createSnapshot(clone, { name: 'own' });
  }
  volumes.deleteSnapshot(main, base);
  await volumes.reclaimed();
  await volumes.commit();
  const { version } = volumes.get('clone7').snapshot('own');
  let unique = -1;
  const reads = await readsOf(memory, async () => (unique = await uniqueBlocks(volumes.forest, version)));
  expect(reads).toBeLessThan(count / 2);
  expect(unique).toBe(await rehearseDelete(volumes.forest, [version]));
  await volumes.close();
});
