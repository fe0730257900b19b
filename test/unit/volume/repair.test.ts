// Each kind of damage that can be repaired is made and repaired; then the check finds nothing, and the files are what they were.

import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import type { KeyValue, KeyValuePair } from '../../../src/store/index.ts';
import { readFile, writeFile } from '../../../src/vfs/index.ts';
import {
  type Filesystem,
  ROOT_INO,
  checkOpenVolumes,
  createInode,
  loadInode,
  removeDirent,
  repairVolumes,
  saveInode,
} from '../../../src/volume/index.ts';
import { removeInode } from '../../../src/volume/inodes.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const LARGE = 20 * BLOCK_BYTES;

/** Everything that is stored. */
function recordsOf(kv: KeyValue): Promise<KeyValuePair[]> {
  return kv.range(Uint8Array.of(0), Uint8Array.of(0xff));
}

interface Sample extends MemoryVolumes {
  fs: Filesystem;
  tree: TreeOf;
}

function fill(fs: Filesystem, ino: number, text: string): void {
  writeFile(fs, ino, 0, Buffer.alloc(LARGE, text), 0, LARGE, false);
}

function textOf(fs: Filesystem, ino: number): string {
  const into = Buffer.alloc(LARGE);
  return into.toString('latin1', 0, readFile(fs, ino, 0, LARGE, into, 0, 0, false));
}

async function sample(): Promise<Sample> {
  const memory = await openMemoryVolumes();
  const { volumes } = memory;
  const main = volumes.get('main');
  const fs = main.filesystem;
  const tree = new TreeOf(fs);
  for (const name of ['a', 'b']) fill(fs, tree.file(ROOT_INO, name).ino, name);
  const dir = tree.dir(ROOT_INO, 'dir').ino;
  fill(fs, tree.file(dir, 'inside').ino, 'i');
  volumes.createSnapshot(main, { name: 'one' });
  fill(fs, tree.find(ROOT_INO, 'a')!.ino, 'c');
  volumes.record();
  await volumes.commit();
  return { ...memory, fs, tree };
}

function change(fs: Filesystem, ino: number, fields: object): void {
  const inode = createInode();
  loadInode(fs, ino, inode);
  fs.change();
  saveInode(fs, Object.assign(inode, fields));
}

/** What goes wrong, and what a repair says of it. */
const DAMAGE: [name: string, make: (sample: Sample) => void | Promise<void>, said: RegExp][] = [
  ['a leaked block', ({ volumes }) => void volumes.store.allocator.allocate(1), /marked as free/],
  [
    'a block that is in use and marked as free',
    ({ volumes }) => {
      let first: number | undefined;
      volumes.store.allocator.forEachAllocatedRun((start) => {
        first ??= start;
      });
      volumes.store.allocator.free(first!, 1);
    },
    /marked as in use/,
  ],
  [
    'counters of a version',
    ({ volumes }) => {
      const { version } = volumes.get('main').head;
      version.referencedBlocks += 7;
      version.bornNodes += 3;
      volumes.forest.versions.touch(version);
    },
    /set what (it refers to|was born in it)/,
  ],
  [
    'sums of a dead list',
    async ({ volumes }) => {
      const { deadLists } = volumes.forest;
      const { deadList } = volumes.get('main').head.version;
      const [birth, { nodes, blocks, records }] = [...(await deadLists.loadSums(deadList))][0]!;
      deadLists.setSums(deadList, new Map([[birth, { nodes: nodes + 1, blocks: blocks + 2, records }]]));
      deadLists.release(deadList);
    },
    /set its sums/,
  ],
  ['a node that nothing refers to', ({ volumes }) => void volumes.forest.nodes.create(0, 1), /removed/],
  ['a link count', ({ fs, tree }) => change(fs, tree.find(ROOT_INO, 'b')!.ino, { nlink: 5 }), /link count to 1/],
  ['the link count of a directory', ({ fs }) => change(fs, ROOT_INO, { nlink: 9 }), /link count to 3/],
  ['a block count', ({ fs, tree }) => change(fs, tree.find(ROOT_INO, 'b')!.ino, { blocks: 99 }), /block count to 20/],
  [
    'a name that leads nowhere',
    ({ fs, tree }) => {
      const { ino } = tree.file(ROOT_INO, 'gone');
      removeInode(fs, ino);
    },
    /removed the names/,
  ],
  [
    'a file without a name',
    ({ fs, tree }) => {
      const { ino } = tree.file(ROOT_INO, 'nameless');
      fill(fs, ino, 'n');
      removeDirent(fs, ROOT_INO, Buffer.from('nameless'));
    },
    /lost\+found/,
  ],
  [
    'a directory without a name',
    ({ fs, tree }) => {
      const { ino } = tree.dir(ROOT_INO, 'adrift');
      fill(fs, tree.file(ino, 'below').ino, 'n');
      removeDirent(fs, ROOT_INO, Buffer.from('adrift'));
    },
    /lost\+found/,
  ],
];

describe('a repair', () => {
  it.each(DAMAGE)('of %s', async (_name, make, said) => {
    const all = await sample();
    const { volumes, fs, tree } = all;
    await make(all);
    volumes.record();
    await volumes.commit();
    expect((await checkOpenVolumes(volumes, {})).problems).not.toEqual([]);

    const planned = await repairVolumes(volumes, true);
    expect(planned.repairs.join('\n')).toMatch(said);
    expect(planned.check.problems).not.toEqual([]);
    const { repairs, check } = await repairVolumes(volumes, false);
    expect(repairs.join('\n')).toMatch(said);
    expect(check.problems).toEqual([]);
    expect(await all.check()).toEqual([]);

    // And so it is stored.
    const again = await openMemoryVolumes({ kv: all.kv.copy(), blocks: all.blocks.copy() });
    expect(await again.check()).toEqual([]);
    for (const [name, text] of Object.entries({ a: 'c', b: 'b' }))
      expect(textOf(fs, tree.find(ROOT_INO, name)!.ino)).toBe(text.repeat(LARGE));
    const old = new TreeOf(volumes.get('main').snapshot('one').filesystem);
    expect(textOf(old.fs, old.find(ROOT_INO, 'a')!.ino)).toBe('a'.repeat(LARGE));
    const found = tree.find(ROOT_INO, 'lost+found');
    expect(found !== undefined).toBe(said.source.includes('lost'));
  });

  it('changes nothing where nothing is wrong', async () => {
    const { volumes, kv } = await sample();
    const before = kv.copy();
    let began = false;
    const begins = (): void => {
      began = true;
    };
    expect(await repairVolumes(volumes, false, begins)).toMatchObject({ repairs: [], check: { problems: [] } });
    expect(began).toBe(false);
    expect(await recordsOf(kv)).toEqual(await recordsOf(before));
  });

  it('begins when all of before is stored', async () => {
    const { volumes, fs, tree, kv } = await sample();
    change(fs, tree.find(ROOT_INO, 'b')!.ino, { nlink: 5 });
    const before = await recordsOf(kv);
    let begun: Promise<KeyValuePair[]> | undefined;
    await repairVolumes(volumes, false, () => {
      begun = recordsOf(kv.copy());
    });
    expect(await begun).not.toEqual(before);
    expect(await begun).not.toEqual(await recordsOf(kv));
  });
});
