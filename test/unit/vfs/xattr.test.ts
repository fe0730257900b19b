import { beforeEach, expect, test } from 'vitest';
import {
  ROOT_INO,
  listXattrs,
  removeXattrValue,
  setXattrValue,
  snapshotAttribute,
  xattrBytes,
  xattrValue,
} from '../../../src/vfs/index.ts';
import type { Snapshot } from '../../../src/volume/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf, codeOf } from './tree-of.ts';

const CREATE = 1;
const REPLACE = 2;

let memory: MemoryVolumes;
let tree: TreeOf;
let ino: number;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  tree = new TreeOf(memory.volumes.get('main').filesystem);
  ({ ino } = tree.file(ROOT_INO, 'f'));
});

function set(name: string, value: string | Buffer, flags = 0): void {
  setXattrValue(tree.fs, ino, Buffer.from(name), Buffer.from(value), flags, false);
}

function list(trusted = true): string[] {
  const into = Buffer.alloc(65_536);
  const length = listXattrs(tree.fs, ino, into, trusted);
  expect(listXattrs(tree.fs, ino, undefined, trusted)).toBe(length);
  return into.toString('latin1', 0, length).split('\0').slice(0, -1).sort();
}

test('a value is what was set, empty and 64 KiB ones too; ctime moves and mtime does not', () => {
  memory.clock.advance(1);
  for (const value of [Buffer.alloc(0), Buffer.from('text'), Buffer.alloc(65_536, 7)]) {
    set('user.k', value);
    expect(xattrBytes(tree.fs, ino, Buffer.from('user.k'))).toBe(value.length);
    expect(Buffer.from(xattrValue(tree.fs, ino, Buffer.from('user.k')))).toEqual(value);
  }
  expect(tree.inode(ino)).toMatchObject({ mtime: { sec: 1_000_000_000 }, ctime: { sec: 1_000_000_001 } });
  removeXattrValue(tree.fs, ino, Buffer.from('user.k'));
  expect(xattrBytes(tree.fs, ino, Buffer.from('user.k'))).toBe(-1);
});

test('XATTR_CREATE and XATTR_REPLACE', () => {
  expect(codeOf(() => set('user.k', 'a', REPLACE))).toBe('ENODATA');
  set('user.k', 'a', CREATE);
  expect(codeOf(() => set('user.k', 'b', CREATE))).toBe('EEXIST');
  set('user.k', 'c', REPLACE);
  expect(Buffer.from(xattrValue(tree.fs, ino, Buffer.from('user.k'))).toString()).toBe('c');
});

test('names and values that can not be', () => {
  for (const [name, value, code] of [
    ['user.', 'v', 'EINVAL'],
    ['other.k', 'v', 'EOPNOTSUPP'],
    ['system.k', 'v', 'EOPNOTSUPP'],
    ['user', 'v', 'EOPNOTSUPP'],
    ['user.amberfs.created', 'v', 'EPERM'],
    [`user.${'n'.repeat(251)}`, 'v', 'ERANGE'],
    ['user.k', 'v'.repeat(65_537), 'E2BIG'],
  ] as const) {
    expect(
      codeOf(() => set(name, value)),
      name,
    ).toBe(code);
  }
  expect(codeOf(() => removeXattrValue(tree.fs, ino, Buffer.from('user.k')))).toBe('ENODATA');
  expect(list()).toEqual([]);
});

test('the list has all names; those of trusted. for administrators alone', () => {
  for (const name of ['user.b', 'user.a', 'trusted.t', 'security.s']) set(name, 'v');
  expect(list()).toEqual(['security.s', 'trusted.t', 'user.a', 'user.b']);
  expect(list(false)).toEqual(['security.s', 'user.a', 'user.b']);
  const small = Buffer.alloc(10, 0xff);
  expect(listXattrs(tree.fs, ino, small, true)).toBe(35);
});

test('a snapshot says of itself what it is', () => {
  const { volumes } = memory;
  set('user.k', 'v');
  const main = volumes.get('main');
  const snapshot = volumes.createSnapshot(main, { name: 's', comment: 'before', accessPoint: 'there', by: 'ann' });
  const valueOf = (of: Snapshot, name: string): string | undefined =>
    snapshotAttribute(of, Buffer.from(`user.amberfs.${name}`))?.toString();
  const value = (name: string): string | undefined => valueOf(snapshot, name);
  expect(value('name')).toBe('s');
  expect(value('access-point')).toBe('there');
  expect(value('comment')).toBe('before');
  expect(value('created')).toBe('2001-09-09T01:46:40.000Z');
  expect(Number(value('referenced'))).toBeGreaterThan(0);
  expect(Number(value('referenced')) % 4096).toBe(0);
  expect(value('by')).toBe('ann');
  // One of which nobody said who made it, as those that are older than this.
  expect(valueOf(volumes.createSnapshot(main, { name: 't' }), 'by')).toBeUndefined();
  expect(value('constructor')).toBeUndefined();
  expect(snapshotAttribute(snapshot, Buffer.from('toString'))).toBeUndefined();
});
