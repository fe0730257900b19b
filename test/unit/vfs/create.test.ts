import { beforeEach, describe, expect, test } from 'vitest';
import { ROOT_INO, createInode, createTemporary, readlink } from '../../../src/vfs/index.ts';
import { isOrphan } from '../../../src/volume/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf, codeOf } from './tree-of.ts';

let memory: MemoryVolumes;
let tree: TreeOf;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  tree = new TreeOf(memory.volumes.get('main').filesystem);
});

describe('a new file', () => {
  test('belongs to whoever asked, loses the bits of the umask, and has one name', () => {
    tree.caller = { uid: 1000, gid: 100 };
    const { ino } = tree.file(ROOT_INO, 'f', 0o666);
    expect(tree.inode(ino)).toMatchObject({
      mode: 0o100644,
      uid: 1000,
      gid: 100,
      nlink: 1,
      sizeBytes: 0,
      parent: ROOT_INO,
    });
    expect(tree.find(ROOT_INO, 'f')?.ino).toBe(ino);
  });

  test('has one moment in all its times, which is also that of its directory', () => {
    memory.clock.advance(5);
    const { atime, mtime, ctime, btime } = tree.file(ROOT_INO, 'f');
    expect([atime, mtime, ctime, btime]).toEqual(Array(4).fill({ sec: 1_000_000_005, nsec: 0 }));
    expect(tree.root().mtime).toEqual(mtime);
    expect(tree.root().ctime).toEqual(mtime);
    expect(tree.root().atime.sec).toBe(1_000_000_000);
  });

  test('of a device keeps its number; of other types there is none', () => {
    expect(tree.inode(tree.node(ROOT_INO, 'disk', 0o060600, 0x1234).ino).rdev).toBe(0x1234);
    expect(tree.inode(tree.node(ROOT_INO, 'fifo', 0o010600, 0x1234).ino).rdev).toBe(0);
    expect(codeOf(() => tree.node(ROOT_INO, 'odd', 0o050000))).toBe('EINVAL');
  });
});

describe('a new directory', () => {
  test('has two links and gives its parent one', () => {
    const { ino } = tree.dir(ROOT_INO, 'd');
    expect(tree.inode(ino)).toMatchObject({ mode: 0o040755, nlink: 2, parent: ROOT_INO });
    expect(tree.root().nlink).toBe(3);
  });

  test('with setgid hands its group down, and itself setgid to directories', () => {
    tree.caller = { uid: 0, gid: 50 };
    const shared = tree.dir(ROOT_INO, 'shared', 0o2777).ino;
    expect(tree.inode(shared).mode & 0o7777).toBe(0o2755);
    tree.caller = { uid: 1000, gid: 100 };
    expect(tree.file(shared, 'f')).toMatchObject({ uid: 1000, gid: 50, mode: 0o100644 });
    expect(tree.dir(shared, 'd')).toMatchObject({ gid: 50, mode: 0o042755 });
    expect(tree.symlink(shared, 's', 'x').gid).toBe(50);
  });
});

test('a symlink keeps its target to the byte and shows its length', () => {
  const target = 'x'.repeat(4095);
  const { ino } = tree.symlink(ROOT_INO, 's', target);
  expect(tree.inode(ino)).toMatchObject({ mode: 0o120777, sizeBytes: 4095 });
  const into = Buffer.alloc(5000);
  expect(readlink(tree.fs, ino, into, false)).toBe(4095);
  expect(into.toString('latin1', 0, 4095)).toBe(target);
  expect(codeOf(() => tree.symlink(ROOT_INO, 't', `${target}x`))).toBe('ENAMETOOLONG');
});

test('names that are taken, reserved, too long or no names are refused, and nothing changes', () => {
  tree.file(ROOT_INO, 'taken');
  const before = tree.root();
  memory.clock.advance(1);
  for (const [name, code] of [
    ['taken', 'EEXIST'],
    ['.', 'EEXIST'],
    ['..', 'EEXIST'],
    ['.snapshots', 'EEXIST'],
    ['', 'EINVAL'],
    ['a/b', 'EINVAL'],
    ['a\0b', 'EINVAL'],
    ['n'.repeat(256), 'ENAMETOOLONG'],
  ] as const) {
    expect(
      codeOf(() => tree.file(ROOT_INO, name)),
      name,
    ).toBe(code);
    expect(
      codeOf(() => tree.dir(ROOT_INO, name)),
      name,
    ).toBe(code);
    expect(
      codeOf(() => tree.symlink(ROOT_INO, name, 'x')),
      name,
    ).toBe(code);
  }
  expect(tree.root()).toEqual(before);
  tree.file(ROOT_INO, 'n'.repeat(255));
  tree.dir(tree.dir(ROOT_INO, 'd').ino, '.snapshots');
});

test('names are bytes: every one but "/" and NUL', () => {
  const all = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1).filter((byte) => byte !== 0x2f));
  const inos = [all, all.toReversed(), Buffer.from([0xff]), Buffer.from([0xc3])].map(
    (name) => tree.file(ROOT_INO, name).ino,
  );
  expect(new Set(inos).size).toBe(4);
  expect(tree.find(ROOT_INO, all)?.ino).toBe(inos[0]);
  expect(tree.find(ROOT_INO, Buffer.from([0xc3]))?.ino).toBe(inos[3]);
});

test('nothing is made in a removed directory, in a file, or where nothing is', () => {
  const dir = tree.dir(ROOT_INO, 'd').ino;
  const file = tree.file(ROOT_INO, 'f').ino;
  tree.rmdir(ROOT_INO, 'd');
  expect(codeOf(() => tree.file(dir, 'x'))).toBe('ENOENT');
  expect(codeOf(() => tree.file(file, 'x'))).toBe('ENOTDIR');
  expect(codeOf(() => tree.file(12_345, 'x'))).toBe('ESTALE');
});

test('O_TMPFILE makes an orphan that link gives a name', async () => {
  const inode = createInode();
  createTemporary(tree.fs, ROOT_INO, 0o600, 0o022, tree.caller, inode);
  const { ino } = inode;
  expect(tree.inode(ino)).toMatchObject({ mode: 0o100600, nlink: 0 });
  expect(isOrphan(tree.fs, ino)).toBe(true);
  memory.clock.advance(1);
  expect(tree.link(ino, ROOT_INO, 'named').nlink).toBe(1);
  expect(isOrphan(tree.fs, ino)).toBe(false);
  expect(tree.root().mtime.sec).toBe(1_000_000_001);
  expect(await memory.check()).toEqual([]);
});

test('a snapshot refuses what does not exist with EROFS and what does with EEXIST', () => {
  tree.file(ROOT_INO, 'f');
  tree.file(tree.dir(ROOT_INO, 'full').ino, 'x');
  const { volumes } = memory;
  const snapshot = volumes.createSnapshot(volumes.get('main'), { name: 's' });
  const frozen = new TreeOf(snapshot.filesystem);
  expect(codeOf(() => frozen.file(ROOT_INO, 'f'))).toBe('EEXIST');
  expect(codeOf(() => frozen.file(ROOT_INO, 'g'))).toBe('EROFS');
  expect(codeOf(() => frozen.dir(ROOT_INO, 'g'))).toBe('EROFS');
  expect(codeOf(() => frozen.symlink(ROOT_INO, 'g', 'x'))).toBe('EROFS');
  expect(codeOf(() => frozen.unlink(ROOT_INO, 'f'))).toBe('EROFS');
  expect(codeOf(() => frozen.rmdir(ROOT_INO, 'full'))).toBe('EROFS');
  expect(codeOf(() => frozen.rename(ROOT_INO, 'f', ROOT_INO, 'full'))).toBe('EROFS');
  expect(codeOf(() => frozen.link(frozen.find(ROOT_INO, 'f')!.ino, ROOT_INO, 'g'))).toBe('EROFS');
});
