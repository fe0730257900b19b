// Destroying files without a name where something comes between: damage, of which nothing half may be stored; a full host, which is waited for.

import { expect, it } from 'vitest';
import { CorruptionError, FsError } from '../../../src/errors/index.ts';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import { writeFile } from '../../../src/vfs/index.ts';
import { type Filesystem, ROOT_INO } from '../../../src/volume/index.ts';
import { flipNode, nodesBelow, digestOf } from '../../support/damaged-node.ts';
import { MemoryJournalFile } from '../../support/memory-journal-file.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const EXTENT_BLOCKS = 8;

/** A host that may have no room for the journal. */
class FullJournalFile extends MemoryJournalFile {
  isFull = false;

  override reserve(): void {
    if (this.isFull) throw new FsError('ENOSPC', 'test-journal-full', 'the host is full');
  }
}

/** A file of so many extents that has no name any more, committed; gives its inode number. */
async function unlinked({ volumes }: MemoryVolumes, name: string, extents: number): Promise<number> {
  const fs = volumes.get('main').filesystem;
  const tree = new TreeOf(fs);
  const { ino } = tree.file(ROOT_INO, name);
  const extent = Buffer.alloc(EXTENT_BLOCKS * BLOCK_BYTES, 1);
  for (let i = 0; i < extents; i++) writeFile(fs, ino, 2 * i * extent.length, extent, 0, extent.length, false);
  tree.unlink(ROOT_INO, name);
  volumes.record();
  await volumes.commit();
  return ino;
}

const filesystemOf = ({ volumes }: MemoryVolumes): Filesystem => volumes.get('main').filesystem;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A closed store with a large orphan, and a node in the midst of its tree. */
async function withOrphan(): Promise<{ memory: MemoryVolumes; node: number; ino: number }> {
  const memory = await openMemoryVolumes();
  const ino = await unlinked(memory, 'large', 800);
  await memory.volumes.close();
  const nodes = nodesBelow(memory.kv, memory.volumes.get('main').head.version.root);
  return { memory, node: nodes[3]!, ino };
}

it('stores nothing of what damage ended halfway, and takes no more changes', async () => {
  const { memory, node } = await withOrphan();
  await flipNode(memory.kv, node);
  const lines: string[] = [];
  const say = (line: string): number => lines.push(line);
  const again = await openMemoryVolumes({ ...memory, log: { info: say, warn: say, error: say } });
  await again.volumes.reclaimed();
  expect(again.volumes.failure).toBeInstanceOf(CorruptionError);
  expect(again.volumes.failure?.message).toContain(`node ${node}:`);
  expect(lines).toContainEqual(expect.stringMatching(/^inode \d+, which has no name, can't be removed: node \d+:/));
  await expect(again.volumes.commit()).rejects.toThrow(CorruptionError);
  expect(() => filesystemOf(again).change()).toThrow(/takes no changes/);

  const { kv, blocks, journal } = again;
  await flipNode(kv, node);
  const whole = await openMemoryVolumes({ kv, blocks, journal: journal.copy() });
  expect(await whole.check()).toEqual([]);
  expect(whole.volumes.allocatedBlocks).toBe(0);
});

it('tells who asked for it, too, and stores nothing', async () => {
  const { memory, node, ino } = await withOrphan();
  const again = await openMemoryVolumes(memory);
  // The reaper has not begun yet.
  const stored = await digestOf(memory.kv);
  const leaves = nodesBelow(memory.kv, again.volumes.get('main').head.version.root);
  for (const leaf of leaves) if (leaf !== leaves[0]) await flipNode(memory.kv, leaf);
  expect(() => again.volumes.destroyOrphan(filesystemOf(again), ino)).toThrow(CorruptionError);
  expect(again.volumes.failure).toBeInstanceOf(CorruptionError);
  expect(leaves).toContain(node);
  await expect(again.volumes.commit()).rejects.toThrow(CorruptionError);
  for (const leaf of leaves) if (leaf !== leaves[0]) await flipNode(memory.kv, leaf);
  expect(await digestOf(memory.kv)).toEqual(stored);
});

it('goes on when a host that was full has room again, with all that came meanwhile', async () => {
  const journal = new FullJournalFile();
  const memory = await openMemoryVolumes({ journal });
  const { volumes } = memory;
  const large = await unlinked(memory, 'large', 400);
  const small = await unlinked(memory, 'small', 1);
  const fs = filesystemOf(memory);
  volumes.destroyOrphan(fs, large);
  volumes.record();
  const begunBlocks = volumes.allocatedBlocks;
  expect(begunBlocks).toBeGreaterThan(EXTENT_BLOCKS);
  journal.isFull = true;
  for (let i = 0; i < 5; i++) await nextTurn();
  // Nobody is there to hear of it where the kernel forgets a file.
  volumes.destroyOrphan(fs, small);
  expect(volumes.allocatedBlocks).toBe(begunBlocks);
  journal.isFull = false;
  await volumes.reclaimed();
  expect([volumes.allocatedBlocks, volumes.failure]).toEqual([0, undefined]);
  expect(await memory.check()).toEqual([]);
});

it('is stopped while it waits for room, and the next opening takes it up', async () => {
  const journal = new FullJournalFile();
  const memory = await openMemoryVolumes({ journal });
  const { volumes } = memory;
  const ino = await unlinked(memory, 'large', 400);
  journal.isFull = true;
  volumes.destroyOrphan(filesystemOf(memory), ino);
  for (let i = 0; i < 5; i++) await nextTurn();
  await volumes.close();
  journal.isFull = false;
  const { kv, blocks } = memory;
  const again = await openMemoryVolumes({ kv, blocks, journal });
  expect(again.volumes.allocatedBlocks).toBe(400 * EXTENT_BLOCKS);
  await again.volumes.reclaimed();
  expect(again.volumes.allocatedBlocks).toBe(0);
  expect(await again.check()).toEqual([]);
});
