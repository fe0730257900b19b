import { beforeEach, describe, expect, test } from 'vitest';
import { ROOT_INO } from '../../../src/vfs/index.ts';
import { isOrphan } from '../../../src/volume/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf, codeOf } from './tree-of.ts';

const NOREPLACE = 1;
const EXCHANGE = 2;
const WHITEOUT = 4;

let memory: MemoryVolumes;
let tree: TreeOf;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  tree = new TreeOf(memory.volumes.get('main').filesystem);
});

describe('link', () => {
  test('adds a name, moves ctime and not mtime', () => {
    const { ino } = tree.file(ROOT_INO, 'f');
    memory.clock.advance(1);
    tree.link(ino, ROOT_INO, 'g');
    const inode = tree.inode(ino);
    expect(inode.nlink).toBe(2);
    expect([inode.mtime.sec, inode.ctime.sec]).toEqual([1_000_000_000, 1_000_000_001]);
    expect(tree.find(ROOT_INO, 'g')?.ino).toBe(ino);
  });

  test('refuses directories, taken and reserved names', () => {
    const dir = tree.dir(ROOT_INO, 'd').ino;
    const file = tree.file(ROOT_INO, 'f').ino;
    expect(codeOf(() => tree.link(dir, ROOT_INO, 'g'))).toBe('EPERM');
    expect(codeOf(() => tree.link(file, ROOT_INO, 'd'))).toBe('EEXIST');
    expect(codeOf(() => tree.link(file, ROOT_INO, '.snapshots'))).toBe('EEXIST');
  });
});

describe('unlink', () => {
  test('leaves other names, and makes an orphan of the last', () => {
    const { ino } = tree.file(ROOT_INO, 'f');
    tree.link(ino, ROOT_INO, 'g');
    memory.clock.advance(1);
    expect(tree.unlink(ROOT_INO, 'f')).toBe(0);
    expect(tree.inode(ino)).toMatchObject({ nlink: 1, ctime: { sec: 1_000_000_001 } });
    expect(tree.root().mtime.sec).toBe(1_000_000_001);
    expect(tree.unlink(ROOT_INO, 'g')).toBe(ino);
    expect(tree.inode(ino).nlink).toBe(0);
    expect(isOrphan(tree.fs, ino)).toBe(true);
    expect(tree.find(ROOT_INO, 'g')).toBeUndefined();
  });

  test('refuses directories and what is not there; .snapshots stays', () => {
    tree.dir(ROOT_INO, 'd');
    expect(codeOf(() => tree.unlink(ROOT_INO, 'd'))).toBe('EISDIR');
    expect(codeOf(() => tree.unlink(ROOT_INO, 'missing'))).toBe('ENOENT');
    expect(codeOf(() => tree.rmdir(ROOT_INO, '.snapshots'))).toBe('EPERM');
  });
});

describe('rmdir', () => {
  test('takes an empty directory away, and a link from its parent', () => {
    const { ino } = tree.dir(ROOT_INO, 'd');
    expect(tree.rmdir(ROOT_INO, 'd')).toBe(ino);
    expect(tree.inode(ino).nlink).toBe(0);
    expect(tree.root().nlink).toBe(2);
    expect(isOrphan(tree.fs, ino)).toBe(true);
  });

  test('refuses files and what is not empty', () => {
    tree.file(ROOT_INO, 'f');
    tree.file(tree.dir(ROOT_INO, 'd').ino, 'x');
    expect(codeOf(() => tree.rmdir(ROOT_INO, 'f'))).toBe('ENOTDIR');
    expect(codeOf(() => tree.rmdir(ROOT_INO, 'd'))).toBe('ENOTEMPTY');
    expect(tree.root().nlink).toBe(3);
  });
});

describe('rename', () => {
  test('moves a name within a directory and to another', () => {
    const { ino } = tree.file(ROOT_INO, 'f');
    const dir = tree.dir(ROOT_INO, 'd').ino;
    memory.clock.advance(1);
    expect(tree.rename(ROOT_INO, 'f', ROOT_INO, 'g')).toBe(0);
    expect(tree.rename(ROOT_INO, 'g', dir, 'h')).toBe(0);
    expect(tree.find(ROOT_INO, 'f') ?? tree.find(ROOT_INO, 'g')).toBeUndefined();
    expect(tree.find(dir, 'h')?.ino).toBe(ino);
    const inode = tree.inode(ino);
    expect([inode.mtime.sec, inode.ctime.sec]).toEqual([1_000_000_000, 1_000_000_001]);
    expect(tree.inode(dir).mtime.sec).toBe(1_000_000_001);
    expect(tree.root().mtime.sec).toBe(1_000_000_001);
  });

  test('of a directory to another changes its parent and both link counts', () => {
    const [a, b] = [tree.dir(ROOT_INO, 'a').ino, tree.dir(ROOT_INO, 'b').ino];
    const { ino } = tree.dir(a, 'd');
    tree.rename(a, 'd', b, 'd');
    expect(tree.inode(ino).parent).toBe(b);
    expect([tree.inode(a).nlink, tree.inode(b).nlink]).toEqual([2, 3]);
  });

  test('over a file makes an orphan of it; over one of its links does not', () => {
    const { ino } = tree.file(ROOT_INO, 'f');
    const old = tree.file(ROOT_INO, 'old').ino;
    const linked = tree.file(ROOT_INO, 'linked').ino;
    tree.link(linked, ROOT_INO, 'other');
    expect(tree.rename(ROOT_INO, 'f', ROOT_INO, 'old')).toBe(old);
    expect(tree.rename(ROOT_INO, 'old', ROOT_INO, 'linked')).toBe(0);
    expect(tree.find(ROOT_INO, 'linked')?.ino).toBe(ino);
    expect(tree.inode(linked).nlink).toBe(1);
  });

  test('over an empty directory replaces it', async () => {
    const [a, b] = [tree.dir(ROOT_INO, 'a').ino, tree.dir(ROOT_INO, 'b').ino];
    tree.file(a, 'x');
    expect(tree.rename(ROOT_INO, 'a', ROOT_INO, 'b')).toBe(b);
    expect(tree.find(ROOT_INO, 'b')?.ino).toBe(a);
    expect(tree.root().nlink).toBe(3);
    expect(await memory.check()).toEqual([]);
  });

  test('to another name of the same file does nothing', () => {
    const { ino } = tree.file(ROOT_INO, 'f');
    tree.link(ino, ROOT_INO, 'g');
    const before = tree.inode(ino);
    memory.clock.advance(1);
    expect(tree.rename(ROOT_INO, 'f', ROOT_INO, 'g')).toBe(0);
    expect(tree.inode(ino)).toEqual(before);
    expect(tree.find(ROOT_INO, 'f')?.ino).toBe(ino);
  });

  test('refuses combinations of kinds, its own descendants and flags that contradict each other', () => {
    const a = tree.dir(ROOT_INO, 'a').ino;
    const b = tree.dir(a, 'b').ino;
    const c = tree.dir(b, 'c').ino;
    tree.file(ROOT_INO, 'f');
    const refused: [string, () => unknown][] = [
      ['EISDIR', () => tree.rename(ROOT_INO, 'f', ROOT_INO, 'a')],
      ['ENOTDIR', () => tree.rename(ROOT_INO, 'a', ROOT_INO, 'f')],
      ['ENOTEMPTY', () => tree.rename(b, 'c', ROOT_INO, 'a')],
      ['EINVAL', () => tree.rename(ROOT_INO, 'a', a, 'x')],
      ['EINVAL', () => tree.rename(ROOT_INO, 'a', c, 'x')],
      ['EINVAL', () => tree.rename(b, 'c', ROOT_INO, 'a', EXCHANGE)],
      ['ENOENT', () => tree.rename(ROOT_INO, 'missing', ROOT_INO, 'x')],
      ['ENOENT', () => tree.rename(ROOT_INO, 'f', ROOT_INO, 'missing', EXCHANGE)],
      ['EEXIST', () => tree.rename(ROOT_INO, 'f', ROOT_INO, 'a', NOREPLACE)],
      ['EEXIST', () => tree.rename(ROOT_INO, 'f', ROOT_INO, '.snapshots')],
      ['EPERM', () => tree.rename(ROOT_INO, '.snapshots', ROOT_INO, 'x')],
      ['EINVAL', () => tree.rename(ROOT_INO, 'f', ROOT_INO, 'a', NOREPLACE | EXCHANGE)],
      ['EINVAL', () => tree.rename(ROOT_INO, 'f', ROOT_INO, 'a', WHITEOUT | EXCHANGE)],
      ['EINVAL', () => tree.rename(ROOT_INO, 'f', ROOT_INO, 'a', 8)],
      ['ENAMETOOLONG', () => tree.rename(ROOT_INO, 'f', ROOT_INO, 'n'.repeat(256))],
    ];
    for (const [code, action] of refused) expect(codeOf(action), String(action)).toBe(code);
    expect(tree.root().nlink).toBe(3);
  });

  test('EXCHANGE swaps a file and a directory between two directories', async () => {
    const [a, b] = [tree.dir(ROOT_INO, 'a').ino, tree.dir(ROOT_INO, 'b').ino];
    const dir = tree.dir(a, 'x').ino;
    const file = tree.file(b, 'y').ino;
    expect(tree.rename(a, 'x', b, 'y', EXCHANGE)).toBe(0);
    expect([tree.find(a, 'x')?.ino, tree.find(b, 'y')?.ino]).toEqual([file, dir]);
    expect(tree.inode(dir).parent).toBe(b);
    expect([tree.inode(a).nlink, tree.inode(b).nlink]).toEqual([2, 3]);
    tree.rename(b, 'y', a, 'x', EXCHANGE);
    expect([tree.inode(a).nlink, tree.inode(b).nlink]).toEqual([3, 2]);
    expect(await memory.check()).toEqual([]);
  });

  test('WHITEOUT leaves a character device 0:0 behind', async () => {
    tree.file(ROOT_INO, 'f');
    tree.rename(ROOT_INO, 'f', ROOT_INO, 'g', WHITEOUT);
    expect(tree.find(ROOT_INO, 'f')).toMatchObject({ mode: 0o020000, rdev: 0, nlink: 1 });
    expect(await memory.check()).toEqual([]);
  });
});
