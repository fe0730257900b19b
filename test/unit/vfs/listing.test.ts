import { beforeEach, describe, expect, test } from 'vitest';
import { Listing, ROOT_INO } from '../../../src/vfs/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from './tree-of.ts';

let memory: MemoryVolumes;
let tree: TreeOf;
const listing = new Listing();

beforeEach(async () => {
  memory = await openMemoryVolumes();
  tree = new TreeOf(memory.volumes.get('main').filesystem);
});

interface Entry {
  name: string;
  place: number;
  ino: number;
  type: number;
}

/** At most `limit` entries of `dir` behind `offset`. */
function entries(dir: number, offset = 0, limit = Infinity, withSnapdir = false): Entry[] {
  const found: Entry[] = [];
  listing.start(tree.fs, tree.inode(dir), offset, withSnapdir);
  while (found.length < limit && listing.next()) {
    const { bytes, nameStart, nameEnd, nextOffset, ino, type } = listing;
    found.push({ name: Buffer.from(bytes.subarray(nameStart, nameEnd)).toString(), place: nextOffset, ino, type });
  }
  return found;
}

test('an empty directory has itself and its parent', () => {
  const dir = tree.dir(ROOT_INO, 'd').ino;
  expect(entries(dir)).toEqual([
    { name: '.', place: 1, ino: dir, type: 4 },
    { name: '..', place: 2, ino: ROOT_INO, type: 4 },
  ]);
});

test('each entry has the number and the type of what it stands for', () => {
  const made = [tree.file(ROOT_INO, 'f'), tree.symlink(ROOT_INO, 's', 'x'), tree.node(ROOT_INO, 'p', 0o010600)];
  const listed = new Map(entries(ROOT_INO).map((entry) => [entry.name, [entry.ino, entry.type]]));
  expect(listed.get('f')).toEqual([made[0]!.ino, 8]);
  expect(listed.get('s')).toEqual([made[1]!.ino, 10]);
  expect(listed.get('p')).toEqual([made[2]!.ino, 1]);
  expect(listed.size).toBe(5);
});

describe('places', () => {
  beforeEach(() => {
    for (let i = 0; i < 300; i++) tree.file(ROOT_INO, `name-${i}`);
  });

  test('ascend, and each leads to what comes behind it', () => {
    const all = entries(ROOT_INO, 0, Infinity, true);
    expect(all.map(({ place }) => place)).toEqual(all.map(({ place }) => place).sort((a, b) => a - b));
    expect(all.at(-1)).toMatchObject({ name: '.snapshots', type: 4 });
    for (const [i, { place }] of all.entries()) {
      expect(entries(ROOT_INO, place, 2, true)).toEqual(all.slice(i + 1, i + 3));
    }
  });

  test('stay the same when others come and go', () => {
    const before = entries(ROOT_INO);
    const [half, rest] = [before.slice(0, 150), before.slice(150)];
    for (const { name } of half.slice(2)) tree.unlink(ROOT_INO, name);
    for (let i = 0; i < 100; i++) tree.file(ROOT_INO, `new-${i}`);
    const after = entries(ROOT_INO, half.at(-1)!.place).filter(({ name }) => name.startsWith('name-'));
    expect(after).toEqual(rest);
  });

  test('of what was removed meanwhile lead on as well', () => {
    const all = entries(ROOT_INO);
    tree.unlink(ROOT_INO, all[50]!.name);
    expect(entries(ROOT_INO, all[50]!.place)).toEqual(all.slice(51));
  });
});

test('a removed directory lists no entries', () => {
  const dir = tree.dir(ROOT_INO, 'd').ino;
  tree.file(ROOT_INO, 'after');
  tree.rmdir(ROOT_INO, 'd');
  expect(entries(dir, 2)).toEqual([]);
});
