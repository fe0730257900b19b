// Access control lists in the kernel's form, and the mode beside them: fs/posix_acl.c is the reference.

import { beforeEach, describe, expect, test } from 'vitest';
import {
  ROOT_INO,
  createInode,
  removeXattrValue,
  setAttributes,
  setXattrValue,
  xattrBytes,
  xattrValue,
} from '../../../src/vfs/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf, codeOf } from './tree-of.ts';

const ACCESS = Buffer.from('system.posix_acl_access');
const DEFAULT = Buffer.from('system.posix_acl_default');
const TAGS = { u: 0x01, user: 0x02, g: 0x04, group: 0x08, mask: 0x10, o: 0x20 } as const;
const NO_CHANGE = {
  ...{ valid: 0, mode: 0, uid: 0, gid: 0, size: 0, atimeSec: 0, atimeNsec: 0 },
  ...{ mtimeSec: 0, mtimeNsec: 0, ctimeSec: 0, ctimeNsec: 0 },
};

/** A list from text as in `u:7 user:1234:6 g:5 mask:7 o:0`. */
function acl(text: string): Buffer {
  const entries = text.split(' ').map((entry) => {
    const [tag, ...numbers] = entry.split(':');
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16LE(TAGS[tag as keyof typeof TAGS], 0);
    bytes.writeUInt16LE(Number(numbers.at(-1)), 2);
    bytes.writeUInt32LE(numbers.length === 2 ? Number(numbers[0]) : 0xffff_ffff, 4);
    return bytes;
  });
  return Buffer.concat([Buffer.from([2, 0, 0, 0]), ...entries]);
}

let memory: MemoryVolumes;
let tree: TreeOf;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  tree = new TreeOf(memory.volumes.get('main').filesystem);
});

function set(ino: number, name: Buffer, list: Buffer, killSetgid = false): void {
  setXattrValue(tree.fs, ino, name, list, 0, killSetgid);
}

function get(ino: number, name: Buffer): Buffer | undefined {
  return xattrBytes(tree.fs, ino, name) < 0 ? undefined : Buffer.from(xattrValue(tree.fs, ino, name));
}

function chmod(ino: number, mode: number): void {
  setAttributes(tree.fs, ino, { ...NO_CHANGE, valid: 1, mode }, createInode());
}

describe('setting an access list', () => {
  test('sets the mode, with the mask in the place of the group', () => {
    const { ino } = tree.file(ROOT_INO, 'f', 0o644);
    memory.clock.advance(1);
    const list = acl('u:6 user:1234:7 g:4 mask:5 o:0');
    set(ino, ACCESS, list);
    expect(tree.inode(ino)).toMatchObject({
      mode: 0o100650,
      ctime: { sec: 1_000_000_001 },
      mtime: { sec: 1_000_000_000 },
    });
    expect(get(ino, ACCESS)).toEqual(list);
  });

  test('that is minimal sets the mode alone, and takes away the one before', () => {
    const { ino } = tree.file(ROOT_INO, 'f', 0o644);
    set(ino, ACCESS, acl('u:6 user:1234:7 g:4 mask:5 o:0'));
    set(ino, ACCESS, acl('u:7 g:5 o:1'));
    expect(tree.inode(ino).mode).toBe(0o100751);
    expect(get(ino, ACCESS)).toBeUndefined();
  });

  test('takes setgid away where the caller is outside of the group', () => {
    const { ino } = tree.file(ROOT_INO, 'f', 0o2755);
    set(ino, ACCESS, acl('u:7 g:5 o:5'));
    expect(tree.inode(ino).mode & 0o2000).toBe(0o2000);
    set(ino, ACCESS, acl('u:7 g:5 o:5'), true);
    expect(tree.inode(ino).mode & 0o2000).toBe(0);
  });

  test('refuses what is no list', () => {
    const { ino } = tree.file(ROOT_INO, 'f');
    for (const bad of [
      Buffer.alloc(0),
      Buffer.from([2, 0, 0, 0]),
      Buffer.concat([Buffer.from([1]), acl('u:7 g:5 o:5').subarray(1)]),
      acl('u:7 g:5 o:5').subarray(0, 27),
      acl('u:7 g:5'),
      acl('g:5 u:7 o:5'),
      acl('u:7 u:7 g:5 o:5'),
      acl('u:7 user:1:7 g:5 o:5'),
      acl('u:15 g:5 o:5'),
    ]) {
      expect(
        codeOf(() => set(ino, ACCESS, bad)),
        bad.toString('hex'),
      ).toBe('EINVAL');
    }
    expect(codeOf(() => set(ino, DEFAULT, acl('u:7 g:5 o:5')))).toBe('EACCES');
    expect(tree.inode(ino).mode).toBe(0o100644);
  });
});

test('chmod moves owner, mask and others of the list, and not the group', () => {
  const { ino } = tree.file(ROOT_INO, 'f');
  set(ino, ACCESS, acl('u:6 user:1234:7 g:4 mask:7 o:0'));
  chmod(ino, 0o741);
  expect(get(ino, ACCESS)).toEqual(acl('u:7 user:1234:7 g:4 mask:4 o:1'));
});

test('removing a list leaves the mode', () => {
  const { ino } = tree.file(ROOT_INO, 'f');
  set(ino, ACCESS, acl('u:6 user:1234:7 g:4 mask:7 o:0'));
  removeXattrValue(tree.fs, ino, ACCESS);
  expect(tree.inode(ino).mode).toBe(0o100670);
  expect(codeOf(() => removeXattrValue(tree.fs, ino, ACCESS))).toBe('ENODATA');
});

describe('a default list', () => {
  const list = acl('u:7 user:1234:7 g:5 mask:7 o:5');

  test('is inherited limited by the mode, and the umask has no say', () => {
    tree.umask = 0o077;
    const dir = tree.dir(ROOT_INO, 'd').ino;
    set(dir, DEFAULT, list);
    const { ino } = tree.file(dir, 'f', 0o664);
    expect(tree.inode(ino).mode).toBe(0o100664);
    expect(get(ino, ACCESS)).toEqual(acl('u:6 user:1234:7 g:5 mask:6 o:4'));
    expect(get(ino, DEFAULT)).toBeUndefined();
  });

  test('is handed on to directories as it is', () => {
    const dir = tree.dir(ROOT_INO, 'd').ino;
    set(dir, DEFAULT, list);
    const { ino } = tree.dir(dir, 'e', 0o750);
    expect(tree.inode(ino).mode).toBe(0o040750);
    expect(get(ino, DEFAULT)).toEqual(list);
    expect(get(ino, ACCESS)).toEqual(acl('u:7 user:1234:7 g:5 mask:5 o:0'));
  });

  test('that is minimal becomes the mode of files', () => {
    const dir = tree.dir(ROOT_INO, 'd').ino;
    set(dir, DEFAULT, acl('u:7 g:4 o:0'));
    const { ino } = tree.file(dir, 'f', 0o666);
    expect(tree.inode(ino).mode).toBe(0o100640);
    expect(get(ino, ACCESS)).toBeUndefined();
  });

  test('means nothing for symlinks', () => {
    const dir = tree.dir(ROOT_INO, 'd').ino;
    set(dir, DEFAULT, list);
    const { ino } = tree.symlink(dir, 's', 'x');
    expect(tree.inode(ino).mode).toBe(0o120777);
    expect(get(ino, ACCESS)).toBeUndefined();
  });
});
