import { beforeEach, describe, expect, test } from 'vitest';
import { FsError, StoreError } from '../../../src/errors/index.ts';
import { ROOT_INO, allocate, copyRange, openFile, readFile, seek, writeFile } from '../../../src/vfs/index.ts';
import { saveInode } from '../../../src/volume/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf, codeOf } from './tree-of.ts';

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const ZERO_RANGE = 16;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ROOM = Number.MAX_SAFE_INTEGER;

/** On a host that has room for 16 blocks. */
class SmallBlockFile extends MemoryBlockFile {
  override writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    if (byteOffset + length > 16 * 4096) throw new FsError('ENOSPC', 'test-host-full', 'the host is full');
    super.writeSync(from, fromOffset, length, byteOffset);
  }
}

/** Fails to write while a test wants it to. */
class FailingBlockFile extends MemoryBlockFile {
  fails = false;

  override writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    if (this.fails) throw new StoreError('the host fails');
    super.writeSync(from, fromOffset, length, byteOffset);
  }
}

let memory: MemoryVolumes;
let tree: TreeOf;
let ino: number;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  tree = new TreeOf(memory.volumes.get('main').filesystem);
  ({ ino } = tree.file(ROOT_INO, 'f'));
});

function write(offset: number, bytes: Uint8Array, to = ino): number {
  return writeFile(tree.fs, to, offset, bytes, 0, bytes.length, false);
}

function read(offset: number, length: number, from = ino): Buffer {
  const into = Buffer.alloc(Math.ceil(length / 4096) * 4096 + 4096);
  const count = readFile(tree.fs, from, offset, length, into, 0, 0, false);
  return into.subarray(0, count);
}

describe('writing', () => {
  test('makes the file longer, moves mtime and ctime, and is read back', () => {
    memory.clock.advance(1);
    expect(write(3, Buffer.from('text'))).toBe(4);
    expect(read(0, 100)).toEqual(Buffer.from('\0\0\0text'));
    expect(tree.inode(ino)).toMatchObject({
      ...{ sizeBytes: 7, blocks: 1 },
      ...{ mtime: { sec: 1_000_000_001 }, ctime: { sec: 1_000_000_001 }, atime: { sec: 1_000_000_000 } },
    });
  });

  test('nothing changes nothing, whatever the offset', () => {
    const before = tree.inode(ino);
    memory.clock.advance(1);
    expect(write(1_000_000, Buffer.alloc(0))).toBe(0);
    expect(tree.inode(ino)).toEqual(before);
  });

  test('beyond the largest file is EFBIG', () => {
    expect(codeOf(() => write(2 ** 53 - 4096, Buffer.alloc(4096)))).toBe('EFBIG');
  });

  test('with no room left is short, then ENOSPC; what is there stays, and can be removed', async () => {
    memory = await openMemoryVolumes({ blocks: new SmallBlockFile() });
    tree = new TreeOf(memory.volumes.get('main').filesystem);
    ({ ino } = tree.file(ROOT_INO, 'f'));
    write(0, Buffer.alloc(10 * 4096, 7));
    // The first block is rewritten in part, the rest finds no room.
    const written = write(10 * 4096 - 100, Buffer.alloc(20 * 4096, 7)) + 10 * 4096 - 100;
    expect(written).toBe(10 * 4096);
    expect(codeOf(() => write(written, Buffer.alloc(20 * 4096)))).toBe('ENOSPC');
    expect(tree.inode(ino).sizeBytes).toBe(written);
    expect(read(written - 4096, 4096)).toEqual(Buffer.alloc(4096, 7));
    openFile(tree.fs, ino, 0o1001, false);
    expect(tree.inode(ino)).toMatchObject({ sizeBytes: 0, blocks: 0 });
    expect(await memory.check()).toEqual([]);
  });

  test('that fails half-way leaves no bytes behind the end, and takes the set-user-id bit', async () => {
    const blocks = new FailingBlockFile();
    memory = await openMemoryVolumes({ blocks });
    tree = new TreeOf(memory.volumes.get('main').filesystem);
    ({ ino } = tree.file(ROOT_INO, 'f'));
    const file = tree.inode(ino);
    file.mode = 0o104755;
    saveInode(tree.fs, file);
    write(0, Buffer.from('text'));
    blocks.fails = true;
    const many = Buffer.alloc(300_000, 9);
    expect(() => writeFile(tree.fs, ino, 4, many, 0, many.length, true)).toThrow('the host fails');
    blocks.fails = false;
    expect(tree.inode(ino).mode).toBe(0o100755);
    const { sizeBytes } = tree.inode(ino);
    allocate(tree.fs, ino, 0, 0, 10_000, ROOM, false);
    expect(read(sizeBytes, 10_000).equals(Buffer.alloc(10_000 - sizeBytes))).toBe(true);
    expect(await memory.check()).toEqual([]);
  });
});

describe('opening', () => {
  test('with O_TRUNC empties the file and moves its times, also of an empty one', () => {
    write(0, Buffer.from('text'));
    for (const second of [1, 2]) {
      memory.clock.advance(1);
      openFile(tree.fs, ino, 0o1002, false);
      expect(tree.inode(ino)).toMatchObject({ sizeBytes: 0, blocks: 0, mtime: { sec: 1_000_000_000 + second } });
    }
  });

  test('without it changes nothing', () => {
    write(0, Buffer.from('text'));
    const before = tree.inode(ino);
    memory.clock.advance(1);
    openFile(tree.fs, ino, 2, true);
    expect(tree.inode(ino)).toEqual(before);
    expect(codeOf(() => openFile(tree.fs, 9999, 0, false))).toBe('ESTALE');
  });
});

describe('fallocate', () => {
  test('extends the size and the times, and reads as zeros', () => {
    write(0, Buffer.from('text'));
    memory.clock.advance(1);
    allocate(tree.fs, ino, 0, 2, 9998, ROOM, false);
    expect(tree.inode(ino)).toMatchObject({ sizeBytes: 10_000, mtime: { sec: 1_000_000_001 } });
    expect(read(0, 6)).toEqual(Buffer.from('text\0\0'));
    memory.clock.advance(1);
    allocate(tree.fs, ino, 0, 0, 10_000, ROOM, false);
    allocate(tree.fs, ino, KEEP_SIZE, 50_000, 10_000, ROOM, false);
    expect(tree.inode(ino)).toMatchObject({ sizeBytes: 10_000, mtime: { sec: 1_000_000_001 } });
  });

  test('of more than there is room for is ENOSPC', () => {
    expect(codeOf(() => allocate(tree.fs, ino, 0, 0, 10_001, 10_000, false))).toBe('ENOSPC');
    expect(tree.inode(ino).sizeBytes).toBe(0);
  });

  test('punches and zeroes to the byte', () => {
    const bytes = Buffer.alloc(20_000, 9);
    write(0, bytes);
    memory.clock.advance(1);
    allocate(tree.fs, ino, PUNCH_HOLE | KEEP_SIZE, 100, 9000, ROOM, false);
    bytes.fill(0, 100, 9100);
    expect(read(0, 20_000)).toEqual(bytes);
    expect(tree.inode(ino)).toMatchObject({ sizeBytes: 20_000, blocks: 4, mtime: { sec: 1_000_000_001 } });
    allocate(tree.fs, ino, ZERO_RANGE | KEEP_SIZE, 15_000, 10_000, ROOM, false);
    bytes.fill(0, 15_000);
    expect(read(0, 30_000)).toEqual(bytes);
    allocate(tree.fs, ino, ZERO_RANGE, 15_000, 10_000, ROOM, false);
    expect(tree.inode(ino).sizeBytes).toBe(25_000);
    allocate(tree.fs, ino, PUNCH_HOLE | KEEP_SIZE, 100_000, 10_000, ROOM, false);
    expect(tree.inode(ino).sizeBytes).toBe(25_000);
  });

  test('refuses what it can not do', () => {
    for (const mode of [PUNCH_HOLE, 8, 32, 64, PUNCH_HOLE | ZERO_RANGE | KEEP_SIZE]) {
      expect(
        codeOf(() => allocate(tree.fs, ino, mode, 0, 10, ROOM, false)),
        String(mode),
      ).toBe('EOPNOTSUPP');
    }
    expect(codeOf(() => allocate(tree.fs, ino, 0, 0, 0, ROOM, false))).toBe('EINVAL');
    expect(codeOf(() => allocate(tree.fs, ino, 0, 2 ** 53 - 100, 1000, ROOM, false))).toBe('EFBIG');
    expect(codeOf(() => allocate(tree.fs, ino, ZERO_RANGE, 2 ** 53 - 100, 1000, ROOM, false))).toBe('EFBIG');
    expect(codeOf(() => allocate(tree.fs, tree.dir(ROOT_INO, 'd').ino, 0, 0, 10, ROOM, false))).toBe('ENODEV');
  });

  test('takes setuid away where that is asked', () => {
    const program = tree.file(ROOT_INO, 'p', 0o4755).ino;
    allocate(tree.fs, program, 0, 0, 10, ROOM, false);
    expect(tree.inode(program).mode & 0o7777).toBe(0o4755);
    allocate(tree.fs, program, PUNCH_HOLE | KEEP_SIZE, 0, 10, ROOM, true);
    expect(tree.inode(program).mode & 0o7777).toBe(0o755);
  });
});

test('lseek finds data and holes', () => {
  write(8192, Buffer.alloc(4096, 1));
  openFile(tree.fs, ino, 0, false);
  expect(seek(tree.fs, ino, 0, SEEK_DATA)).toBe(8192);
  expect(seek(tree.fs, ino, 9000, SEEK_DATA)).toBe(9000);
  expect(seek(tree.fs, ino, 0, SEEK_HOLE)).toBe(0);
  expect(seek(tree.fs, ino, 9000, SEEK_HOLE)).toBe(12_288);
  expect(seek(tree.fs, ino, 12_288, SEEK_DATA)).toBe(-1);
  expect(seek(tree.fs, ino, 12_288, SEEK_HOLE)).toBe(-1);
  expect(codeOf(() => seek(tree.fs, ino, 0, 0))).toBe('EINVAL');
});

describe('copy_file_range', () => {
  function copy(from: number, offset: number, to: number, toOffset: number, length: number): number {
    return copyRange(tree.fs, from, offset, tree.fs, to, toOffset, length, false);
  }

  test('copies bytes, and holes as holes', () => {
    const target = tree.file(ROOT_INO, 'g').ino;
    write(0, Buffer.alloc(5000, 1));
    write(1_000_000, Buffer.alloc(5000, 2));
    memory.clock.advance(1);
    let done = 0;
    for (let some = -1; some !== 0; done += some) some = copy(ino, 100 + done, target, done, 10_000_000);
    expect(done).toBe(1_004_900);
    expect(read(0, 2_000_000, target).equals(read(100, 2_000_000))).toBe(true);
    expect(tree.inode(target).blocks).toBeLessThan(6);
    expect(tree.inode(target).mtime.sec).toBe(1_000_000_001);
    expect(tree.inode(ino).mtime.sec).toBe(1_000_000_000);
  });

  test('works within one file, and copies nothing from behind the end', () => {
    write(0, Buffer.from('abcdef'));
    expect(copy(ino, 0, ino, 6, 6)).toBe(6);
    expect(read(0, 100).toString()).toBe('abcdefabcdef');
    expect(copy(ino, 12, ino, 100, 6)).toBe(0);
    expect(copy(ino, 10, ino, 20, 100)).toBe(2);
    expect(tree.inode(ino).sizeBytes).toBe(22);
  });

  test('does a bounded amount at a time', () => {
    const target = tree.file(ROOT_INO, 'g').ino;
    write(0, Buffer.alloc(6 << 20, 3));
    expect(copy(ino, 0, target, 0, 6 << 20)).toBe(4 << 20);
  });

  test('reads a snapshot, but does not write to one', () => {
    write(0, Buffer.from('then'));
    const { volumes } = memory;
    const { filesystem } = volumes.createSnapshot(volumes.get('main'), { name: 's' });
    write(0, Buffer.from('now!'));
    const target = tree.file(ROOT_INO, 'g').ino;
    expect(copyRange(filesystem, ino, 0, tree.fs, target, 0, 4, false)).toBe(4);
    expect(read(0, 4, target).toString()).toBe('then');
    expect(codeOf(() => copyRange(tree.fs, ino, 0, filesystem, ino, 0, 4, false))).toBe('EROFS');
    const dir = tree.dir(ROOT_INO, 'd').ino;
    expect(codeOf(() => copy(ino, 0, dir, 0, 4))).toBe('EINVAL');
  });
});
