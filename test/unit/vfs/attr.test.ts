import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AttributeChange,
  type Inode,
  ROOT_INO,
  createInode,
  openFile,
  setAttributes,
  setXattrValue,
  writeFile,
  xattrBytes,
} from '../../../src/vfs/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf, codeOf } from './tree-of.ts';

const MODE = 1;
const UID = 2;
const GID = 4;
const SIZE = 8;
const ATIME = 16;
const MTIME = 32;
const ATIME_NOW = 128;
const MTIME_NOW = 256;
const KILL = 2048;

const CAPABILITY = Buffer.from('security.capability');
const NOTHING: AttributeChange = {
  ...{ valid: 0, mode: 0, uid: 0, gid: 0, size: 0, atimeSec: 0, atimeNsec: 0 },
  ...{ mtimeSec: 0, mtimeNsec: 0, ctimeSec: 0, ctimeNsec: 0 },
};

let memory: MemoryVolumes;
let tree: TreeOf;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  tree = new TreeOf(memory.volumes.get('main').filesystem);
});

function setattr(ino: number, valid: number, change: Partial<AttributeChange> = {}): Inode {
  const inode = createInode();
  setAttributes(tree.fs, ino, { ...NOTHING, ...change, valid }, inode);
  expect(tree.inode(ino)).toEqual(inode);
  return inode;
}

test('only what is named changes, and ctime with it', () => {
  const { ino } = tree.file(ROOT_INO, 'f', 0o644);
  memory.clock.advance(1);
  const garbage = { mode: 0o177777, uid: 7, gid: 8, size: 9, atimeSec: 10, mtimeSec: 11 };
  expect(setattr(ino, MODE, { ...garbage, mode: 0o4711 })).toMatchObject({
    ...{ mode: 0o104711, uid: 0, gid: 0, sizeBytes: 0 },
    ...{ atime: { sec: 1_000_000_000 }, mtime: { sec: 1_000_000_000 }, ctime: { sec: 1_000_000_001 } },
  });
  expect(setattr(ino, UID, { ...garbage, uid: 0xffff_fffe })).toMatchObject({ uid: 0xffff_fffe, gid: 0 });
  expect(setattr(ino, GID, { ...garbage, gid: 12 })).toMatchObject({ uid: 0xffff_fffe, gid: 12, mode: 0o104711 });
});

test('times keep their nanoseconds, before 1970 and after 2106; now is the clock', () => {
  const { ino } = tree.file(ROOT_INO, 'f');
  memory.clock.nanoseconds += 1_500_000_000n;
  const past = { atimeSec: -2, atimeNsec: 999_999_999, mtimeSec: 9_000_000_000, mtimeNsec: 1 };
  expect(setattr(ino, ATIME | MTIME, past)).toMatchObject({
    atime: { sec: -2, nsec: 999_999_999 },
    mtime: { sec: 9_000_000_000, nsec: 1 },
    ctime: { sec: 1_000_000_001, nsec: 500_000_000 },
  });
  expect(setattr(ino, ATIME | ATIME_NOW, past).atime).toEqual({ sec: 1_000_000_001, nsec: 500_000_000 });
  expect(setattr(ino, MTIME | MTIME_NOW, past)).toMatchObject({ mtime: { sec: 1_000_000_001, nsec: 500_000_000 } });
});

describe('a new size', () => {
  test('moves mtime and ctime, and what is cut off does not come back', () => {
    const { ino } = tree.file(ROOT_INO, 'f');
    writeFile(tree.fs, ino, 0, Buffer.alloc(10_000, 1), 0, 10_000, false);
    memory.clock.advance(1);
    expect(setattr(ino, SIZE, { size: 5000 })).toMatchObject({
      ...{ sizeBytes: 5000, blocks: 2 },
      ...{ mtime: { sec: 1_000_000_001 }, ctime: { sec: 1_000_000_001 } },
    });
    expect(setattr(ino, SIZE, { size: 1_000_000 })).toMatchObject({ sizeBytes: 1_000_000, blocks: 2 });
  });

  test('is for regular files', () => {
    expect(codeOf(() => setattr(tree.dir(ROOT_INO, 'd').ino, SIZE))).toBe('EISDIR');
    expect(codeOf(() => setattr(tree.node(ROOT_INO, 'p', 0o010600).ino, SIZE))).toBe('EINVAL');
    expect(codeOf(() => setattr(tree.file(ROOT_INO, 'f').ino, SIZE, { size: 2 ** 53 - 1 }))).toBe('EFBIG');
  });
});

describe('setuid, setgid and capabilities', () => {
  function powerful(name: string, mode = 0o6755): number {
    const { ino } = tree.file(ROOT_INO, name, mode);
    setXattrValue(tree.fs, ino, CAPABILITY, Buffer.from('x'), 0, false);
    return ino;
  }

  const changes: Record<string, (ino: number, kill: boolean) => void> = {
    chown: (ino, kill) => setattr(ino, UID | (kill ? KILL : 0), { uid: 1 }),
    truncate: (ino, kill) => setattr(ino, SIZE | (kill ? KILL : 0)),
    write: (ino, kill) => writeFile(tree.fs, ino, 0, Buffer.from('x'), 0, 1, kill),
    'open with O_TRUNC': (ino, kill) => {
      openFile(tree.fs, ino, 0o1001, kill);
    },
  };

  test.each(Object.keys(changes))('%s takes them away when the kernel says so, and only then', (name) => {
    const kept = powerful('kept');
    changes[name]!(kept, false);
    expect(tree.inode(kept).mode & 0o7777).toBe(0o6755);
    expect(xattrBytes(tree.fs, kept, CAPABILITY)).toBe(1);
    const killed = powerful('killed');
    changes[name]!(killed, true);
    expect(tree.inode(killed).mode & 0o7777).toBe(0o755);
    expect(xattrBytes(tree.fs, killed, CAPABILITY)).toBe(-1);
  });

  test('setgid without the right to execute stays: it means something else', () => {
    const ino = powerful('locked', 0o6644);
    setattr(ino, UID | KILL, { uid: 1 });
    expect(tree.inode(ino).mode & 0o7777).toBe(0o2644);
  });

  test('a directory keeps its bits', () => {
    const { ino } = tree.dir(ROOT_INO, 'd', 0o6777);
    setattr(ino, UID | KILL, { uid: 1 });
    expect(tree.inode(ino).mode & 0o7777).toBe(0o6755);
  });
});

test('nothing changes in a snapshot', () => {
  tree.file(ROOT_INO, 'f');
  const { volumes } = memory;
  const frozen = new TreeOf(volumes.createSnapshot(volumes.get('main'), { name: 's' }).filesystem);
  const { ino } = frozen.find(ROOT_INO, 'f')!;
  for (const valid of [MODE, UID, SIZE, MTIME | MTIME_NOW]) {
    expect(codeOf(() => setAttributes(frozen.fs, ino, { ...NOTHING, valid }, createInode()))).toBe('EROFS');
  }
  for (const flags of [1, 2, 0o1000]) expect(codeOf(() => openFile(frozen.fs, ino, flags, false))).toBe('EROFS');
  openFile(frozen.fs, ino, 0, false);
});
