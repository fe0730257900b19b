// relatime, as Linux does it: relatime_need_update in fs/inode.c.

import { beforeEach, expect, test } from 'vitest';
import { ROOT_INO, noteFileRead, readFile, readlink, writeFile } from '../../../src/vfs/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from './tree-of.ts';

const O_NOATIME = 0o1000000;
const START_SEC = 1_000_000_000;

let memory: MemoryVolumes;
let tree: TreeOf;
let ino: number;
const into = Buffer.alloc(8192);

beforeEach(async () => {
  memory = await openMemoryVolumes();
  tree = new TreeOf(memory.volumes.get('main').filesystem);
  ({ ino } = tree.file(ROOT_INO, 'f'));
  writeFile(tree.fs, ino, 0, Buffer.from('text'), 0, 4, false);
});

/** Reads the file so many seconds later; gives the atime after it, in seconds since the start. */
function atimeAfter(seconds: number, flags = 0, relatime = true): number {
  memory.clock.advance(seconds);
  readFile(tree.fs, ino, 0, 10, into, 0, flags, relatime);
  return tree.inode(ino).atime.sec - START_SEC;
}

test('the first read after a change moves the atime, further ones do not', () => {
  expect(atimeAfter(10)).toBe(10);
  expect(atimeAfter(10)).toBe(10);
  memory.clock.advance(1);
  writeFile(tree.fs, ino, 0, Buffer.from('x'), 0, 1, false);
  expect(atimeAfter(9)).toBe(30);
  expect(atimeAfter(10)).toBe(30);
});

test('a day later it moves again', () => {
  expect(atimeAfter(1)).toBe(1);
  expect(atimeAfter(24 * 3600 - 1)).toBe(1);
  expect(atimeAfter(1)).toBe(24 * 3600 + 1);
});

test('O_NOATIME and noatime keep it', () => {
  expect(atimeAfter(1, O_NOATIME)).toBe(0);
  expect(atimeAfter(1, 0, false)).toBe(0);
});

test('only the atime moves, and nothing of a snapshot', () => {
  const { volumes } = memory;
  const frozen = new TreeOf(volumes.createSnapshot(volumes.get('main'), { name: 's' }).filesystem);
  const before = tree.inode(ino);
  atimeAfter(1);
  expect(tree.inode(ino)).toEqual({ ...before, atime: { sec: START_SEC + 1, nsec: 0 } });
  readFile(frozen.fs, ino, 0, 10, into, 0, 0, true);
  expect(frozen.inode(ino)).toEqual(before);
});

test('symlinks and late reads count too; a file that is gone is no error', () => {
  const link = tree.symlink(ROOT_INO, 's', 'x').ino;
  memory.clock.advance(5);
  readlink(tree.fs, link, into, true);
  expect(tree.inode(link).atime.sec).toBe(START_SEC + 5);
  noteFileRead(tree.fs, ino, 0);
  expect(tree.inode(ino).atime.sec).toBe(START_SEC + 5);
  noteFileRead(tree.fs, 9999, 0);
});
