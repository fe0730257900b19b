// A node that can't be read once kept a whole store from being opened, where opening came upon it. The store is opened to be read then, and nothing in it
// is changed: with the node as it was before, it opens as if nothing had been.

import { expect, it } from 'vitest';
import { CorruptionError } from '../../../src/errors/index.ts';
import { readFile, writeFile } from '../../../src/vfs/index.ts';
import { type Filesystem, ROOT_INO, type Volumes } from '../../../src/volume/index.ts';
import { flipNode, nodesBelow, digestOf } from '../../support/damaged-node.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const BYTES = 6000;

function write(fs: Filesystem, name: string): void {
  writeFile(fs, new TreeOf(fs).file(ROOT_INO, name).ino, 0, Buffer.alloc(BYTES, name), 0, BYTES, false);
}

function contentOf(fs: Filesystem, name: string): string | undefined {
  const found = new TreeOf(fs).find(ROOT_INO, name);
  const into = Buffer.alloc(8192);
  return found && into.toString('latin1', 0, readFile(fs, found.ino, 0, BYTES, into, 0, 0, false));
}

interface Reopened extends MemoryVolumes {
  readonly lines: string[];
}

/** The store as a crash at this moment leaves it, with node `id` damaged, opened again. */
async function reopen({ kv, blocks, journal }: MemoryVolumes, id?: number): Promise<Reopened> {
  const left = { kv: kv.copy(), blocks: blocks.copy(), journal: journal.copy() };
  if (id !== undefined) await flipNode(left.kv, id);
  const lines: string[] = [];
  const say = (line: string): number => lines.push(line);
  return { ...(await openMemoryVolumes({ ...left, log: { info: say, warn: say, error: say } })), lines };
}

/** Nothing changes, also not behind the scenes: neither what is stored nor the journal. */
async function expectOnlyRead(volumes: Volumes, { kv, journal }: MemoryVolumes, stored: string): Promise<void> {
  const recorded = journal.copy();
  expect(volumes.failure?.message).toMatch(
    /^node \d+: .*; what is not affected can be read, and nothing can be changed/,
  );
  expect(volumes.store.kv.damage).toBe(volumes.failure);
  for (const { filesystem } of volumes.list()) expect(() => filesystem.change()).toThrow(/takes no changes/);
  expect(volumes.reclaiming).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await volumes.flush();
  await volumes.close();
  expect(await digestOf(kv)).toEqual(stored);
  expect([journal.read(0), journal.read(1)]).toEqual([recorded.read(0), recorded.read(1)]);
}

it('shows the other volumes where files without a name can not be looked for in one', async () => {
  const memory = await openMemoryVolumes();
  const { volumes } = memory;
  const main = volumes.get('main');
  const other = volumes.createVolume('other');
  write(main.filesystem, 'm');
  write(other.filesystem, 'o');
  volumes.createSnapshot(main, { name: 's' });
  volumes.record();
  await volumes.commit();
  const { root } = other.head.version;
  // For the background, which is not to begin with it; and for the journal.
  volumes.deleteSnapshot(main, main.snapshot('s'));
  write(main.filesystem, 'late');
  volumes.record();
  const opened = await reopen(memory, root);
  const stored = await digestOf(opened.kv);
  const shown = opened.volumes;
  expect(shown.list().map(({ name }) => name)).toEqual(['main', 'other']);
  const live = shown.get('main').filesystem;
  expect([contentOf(live, 'm'), contentOf(live, 'late')]).toEqual(['m'.repeat(BYTES), 'late'.repeat(BYTES / 4)]);
  expect(() => contentOf(shown.get('other').filesystem, 'o')).toThrow(CorruptionError);
  await expectOnlyRead(shown, opened, stored);

  const { kv, blocks, journal } = opened;
  await flipNode(kv, root);
  const whole = await reopen({ ...memory, kv, blocks, journal });
  expect(whole.volumes.failure).toBeUndefined();
  expect(contentOf(whole.volumes.get('main').filesystem, 'late')).toBe('late'.repeat(BYTES / 4));
  expect(await whole.check()).toEqual([]);
});

it('shows the last commit where the journal can not be done again', async () => {
  const memory = await openMemoryVolumes();
  const { volumes } = memory;
  const main = volumes.get('main');
  const tree = new TreeOf(main.filesystem);
  write(tree.fs, 'old');
  for (let i = 0; i < 300; i++) tree.file(ROOT_INO, `file ${i}`);
  volumes.record();
  await volumes.commit();
  const committedBlocks = volumes.allocatedBlocks;
  const last = nodesBelow(memory.kv, main.head.version.root).at(-1)!;
  // Done again before what comes upon the node: claims blocks, and keeps some.
  const { ino } = tree.find(ROOT_INO, 'old')!;
  writeFile(tree.fs, ino, 0, Buffer.alloc(BYTES, 'new'), 0, BYTES, false);
  volumes.record();
  write(tree.fs, 'late');
  volumes.record();
  const opened = await reopen(memory, last);
  const stored = await digestOf(opened.kv);
  expect(opened.lines).toContainEqual(
    expect.stringMatching(/journal can't be done again: node \d+: .*the last changes before a crash are not shown/),
  );
  expect(contentOf(opened.volumes.get('main').filesystem, 'old')).toBe('old'.repeat(BYTES / 3));
  expect(opened.volumes.allocatedBlocks).toBe(committedBlocks);
  await expectOnlyRead(opened.volumes, opened, stored);

  const { kv, blocks, journal } = opened;
  await flipNode(kv, last);
  const whole = await reopen({ ...memory, kv, blocks, journal });
  expect(contentOf(whole.volumes.get('main').filesystem, 'late')).toBe('late'.repeat(BYTES / 4));
  expect(await whole.check()).toEqual([]);
});
