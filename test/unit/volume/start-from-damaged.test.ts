// A restore to a snapshot that can't be read, or a clone of one, once answered with an error and was done all the same: the live files were given up
// for a tree that nobody could read. Such a one fails before it changes anything.

import { expect, it } from 'vitest';
import { CorruptionError } from '../../../src/errors/index.ts';
import { writeFile } from '../../../src/vfs/index.ts';
import { ROOT_INO, type Volume } from '../../../src/volume/index.ts';
import { flipNode, nodesBelow, digestOf } from '../../support/damaged-node.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const BYTES = 100_000;

/** A closed store whose volume has a snapshot of `files` files, an orphan among them, and a file that the snapshot has not. */
async function fill(files: number): Promise<{ memory: MemoryVolumes; root: number }> {
  const memory = await openMemoryVolumes();
  const { volumes } = memory;
  const main = volumes.get('main');
  const tree = new TreeOf(main.filesystem);
  for (let i = 0; i < files; i++) tree.file(ROOT_INO, `file ${i}`);
  const orphan = tree.unlink(ROOT_INO, 'file 0');
  volumes.createSnapshot(main, { name: 's' });
  volumes.destroyOrphan(tree.fs, orphan);
  writeFile(tree.fs, tree.file(ROOT_INO, 'new').ino, 0, Buffer.alloc(BYTES, 1), 0, BYTES, false);
  await volumes.close();
  return { memory, root: main.snapshot('s').version.root };
}

/** What `start` throws; undefined where it does what it should. Where it throws, nothing may have changed, in memory or stored. */
async function failureOf(memory: MemoryVolumes, start: (main: Volume) => void): Promise<unknown> {
  const { volumes, kv, journal } = memory;
  const main = volumes.get('main');
  volumes.record();
  await volumes.commit();
  const before = { head: main.head.version, allocated: volumes.allocatedBlocks, records: await digestOf(kv) };
  const recorded = journal.copy();
  let thrown: unknown;
  try {
    start(main);
  } catch (error) {
    thrown = error;
  }
  if (thrown === undefined) return undefined;
  volumes.record();
  expect([journal.read(0), journal.read(1)]).toEqual([recorded.read(0), recorded.read(1)]);
  await volumes.reclaimed();
  await volumes.commit();
  expect(volumes.failure).toBeUndefined();
  expect(volumes.list().map(({ name }) => name)).toEqual(['main']);
  expect(main.snapshotCount).toBe(1);
  expect(new TreeOf(main.filesystem).find(ROOT_INO, 'new')?.sizeBytes).toBe(BYTES);
  const after = { head: main.head.version, allocated: volumes.allocatedBlocks, records: await digestOf(kv) };
  expect(after).toEqual(before);
  return thrown;
}

it('fails whole where nothing of it can be read', async () => {
  const { memory, root } = await fill(1);
  await flipNode(memory.kv, root);
  const again = await openMemoryVolumes(memory);
  const { volumes } = again;
  const failures = [
    await failureOf(again, (main) => volumes.restore(main, main.snapshot('s'), undefined)),
    await failureOf(again, (main) => volumes.restore(main, main.snapshot('s'), { name: 'kept' })),
    await failureOf(again, (main) => volumes.clone(main, main.snapshot('s'), 'clone')),
  ];
  for (const failure of failures) {
    expect(failure).toBeInstanceOf(CorruptionError);
    expect((failure as Error).message).toMatch(
      /^node \d+: .*; snapshot s of volume main can't be read, so nothing was changed$/,
    );
  }
  await flipNode(memory.kv, root);
  expect(await again.check()).toEqual([]);
});

it('fails whole or is done, whatever node of it is damaged', async () => {
  const { memory, root } = await fill(300);
  const nodes = nodesBelow(memory.kv, root);
  const outcomes = new Set<string>();
  for (const node of nodes) {
    const [kv, journal, blocks] = [memory.kv.copy(), memory.journal.copy(), memory.blocks.copy()];
    await flipNode(kv, node);
    // What the live files share of it they can't read either: the store may be opened for reading only then.
    const again = await openMemoryVolumes({ kv, journal, blocks });
    if (again.volumes.failure !== undefined) {
      outcomes.add('not opened for changes');
      continue;
    }
    const { volumes } = again;
    const failure = await failureOf(again, (main) => volumes.restore(main, main.snapshot('s'), undefined));
    outcomes.add(failure === undefined ? 'done' : 'failed');
    if (failure !== undefined) continue;
    expect(volumes.failure).toBeUndefined();
    expect(volumes.get('main').head.version.root).toBe(root);
    await volumes.flush();
  }
  expect(outcomes).toContain('done');
  expect(outcomes).toContain('failed');
});

it('is done again after a crash as it was done, though the snapshot can not be read any more', async () => {
  const { memory, root } = await fill(1);
  const before = await openMemoryVolumes(memory);
  const { volumes } = before;
  const other = volumes.createVolume('other');
  volumes.restore(volumes.get('main'), volumes.get('main').snapshot('s'), { name: 'kept' });
  new TreeOf(other.filesystem).file(ROOT_INO, 'late');
  volumes.record();
  const kv = before.kv.copy();
  await flipNode(kv, root);
  const stored = await digestOf(kv);
  const after = await openMemoryVolumes({ kv, journal: before.journal.copy(), blocks: before.blocks.copy() });
  expect(after.volumes.failure?.message).toMatch(/^node \d+: .*what is not affected can be read/);
  const main = after.volumes.get('main');
  expect(main.snapshots().map(({ label }) => label.name)).toEqual(['s', 'kept']);
  expect(() => new TreeOf(main.filesystem).root()).toThrow(CorruptionError);
  expect(new TreeOf(main.snapshot('kept').filesystem).find(ROOT_INO, 'new')?.sizeBytes).toBe(BYTES);
  expect(new TreeOf(after.volumes.get('other').filesystem).find(ROOT_INO, 'late')).toBeDefined();
  await after.volumes.close();
  expect(await digestOf(kv)).toEqual(stored);
});
