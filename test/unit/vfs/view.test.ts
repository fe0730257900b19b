import { beforeEach, describe, expect, test } from 'vitest';
import {
  type View,
  createInode,
  fillSnapdirInode,
  liveSpace,
  lookupSnapshot,
  makeSnapshot,
  removeSnapshot,
  renameSnapshot,
  snapshotByTag,
  snapshotSpace,
  snapshotView,
  snapshotsBehind,
  snapshotPlace,
  volumeView,
  writeFile,
} from '../../../src/vfs/index.ts';
import type { Volume } from '../../../src/volume/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf, codeOf } from './tree-of.ts';

const options = { availableBytes: () => 1_000_000 };
const allow = (): void => undefined;

let memory: MemoryVolumes;
let volume: Volume;
let view: View;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  volume = memory.volumes.get('main');
  view = volumeView(memory.volumes, volume, options);
});

const names = (offset = 2): string[] => snapshotsBehind(volume, offset).map(({ label }) => label.accessPoint);
const bytes = (name: string): Buffer => Buffer.from(name);

describe('a view of a volume', () => {
  test('follows the properties of the volume, unless the mount says otherwise', () => {
    expect([view.snapdir, view.snapdirControl, view.readOnly, view.atime]).toEqual(['hidden', true, false, 'relatime']);
    volume.record.properties = { snapdir: 'visible', 'snapdir-control': 'off' };
    expect([view.snapdir, view.snapdirControl]).toEqual(['visible', false]);
    expect(volumeView(memory.volumes, volume, { ...options, snapdir: 'disabled' }).snapdir).toBe('disabled');
    volume.record.properties = { snapdir: 'sometimes' };
    expect(codeOf(() => view.snapdir)).toBe('EINVAL');
  });

  test('keeps its tag through snapshots; a view of one shows another and is read-only', () => {
    const { tag } = view;
    const snapshot = makeSnapshot(view, bytes('s'), 'ann');
    expect(volume.head.version.tag).toBe(tag);
    const frozen = snapshotView(memory.volumes, volume, snapshot, options);
    expect(frozen.tag).not.toBe(tag);
    expect([frozen.readOnly, frozen.snapdir, frozen.atime]).toEqual([true, 'disabled', 'noatime']);
  });
});

describe('.snapshots', () => {
  test('lists snapshots by age, from any place on', () => {
    for (const name of ['c', 'a', 'b']) makeSnapshot(view, bytes(name), 'ann');
    expect(names()).toEqual(['c', 'a', 'b']);
    const place = snapshotPlace(lookupSnapshot(volume, bytes('a'))!);
    expect(names(place)).toEqual(['b']);
    renameSnapshot(view, bytes('a'), bytes('z'), 0);
    expect(names()).toEqual(['c', 'z', 'b']);
    removeSnapshot(view, bytes('z'), allow);
    expect(names(place)).toEqual(['b']);
    expect(lookupSnapshot(volume, bytes('z'))).toBeUndefined();
  });

  test('shows in its attributes how many there are and when that changed', () => {
    const inode = createInode();
    memory.clock.nanoseconds += 1_234_000_000n;
    makeSnapshot(view, bytes('a'), 'ann');
    fillSnapdirInode(volume, inode);
    expect(inode).toMatchObject({ ino: 2, mode: 0o040755, uid: 0, gid: 0, nlink: 3 });
    expect([inode.mtime, inode.ctime]).toEqual(Array(2).fill({ sec: 1_000_000_001, nsec: 234_000_000 }));
    memory.clock.advance(1);
    removeSnapshot(view, bytes('a'), allow);
    fillSnapdirInode(volume, inode);
    expect([inode.nlink, inode.mtime.sec]).toEqual([2, 1_000_000_002]);
  });

  test('refuses names that are taken or can not be, and what is not there', () => {
    makeSnapshot(view, bytes('a'), 'ann');
    makeSnapshot(view, bytes('b'), 'ann');
    const refused: [string, () => unknown][] = [
      ['EEXIST', () => makeSnapshot(view, bytes('a'), 'ann')],
      ['EINVAL', () => makeSnapshot(view, bytes('-a'), 'ann')],
      ['EINVAL', () => makeSnapshot(view, Buffer.from([0xc3, 0xa4]), 'ann')],
      ['ENAMETOOLONG', () => makeSnapshot(view, bytes('a'.repeat(256)), 'ann')],
      ['ENOENT', () => removeSnapshot(view, bytes('c'), allow)],
      ['ENOENT', () => renameSnapshot(view, bytes('c'), bytes('d'), 0)],
      ['EEXIST', () => renameSnapshot(view, bytes('a'), bytes('b'), 0)],
      ['EINVAL', () => renameSnapshot(view, bytes('a'), bytes('b'), 2)],
    ];
    for (const [code, action] of refused) expect(codeOf(action), String(action)).toBe(code);
    expect(names()).toEqual(['a', 'b']);
    renameSnapshot(view, bytes('a'), bytes('a'), 0);
  });

  test('keeps a snapshot whose access point is not its name under it', () => {
    memory.volumes.createSnapshot(volume, { name: 'long-name', accessPoint: 'short' });
    expect(lookupSnapshot(volume, bytes('short'))).toBeDefined();
    expect(lookupSnapshot(volume, bytes('long-name'))).toBeUndefined();
    renameSnapshot(view, bytes('short'), bytes('other'), 0);
    expect(lookupSnapshot(volume, bytes('other'))?.label.name).toBe('long-name');
    volume.record.properties = { 'access-points': 'gmt' };
    expect(makeSnapshot(view, bytes('as-asked'), 'ann').label).toMatchObject({ accessPoint: 'as-asked', by: 'ann' });
  });

  test('is not for control where the volume says so, or the snapshot is in use', () => {
    makeSnapshot(view, bytes('a'), 'ann');
    const busy = (): void => {
      throw Object.assign(new Error('mounted'), { code: 'EBUSY' });
    };
    expect(codeOf(() => removeSnapshot(view, bytes('a'), busy))).toBe('EBUSY');
    volume.record.properties = { 'snapdir-control': 'off' };
    expect(codeOf(() => makeSnapshot(view, bytes('b'), 'ann'))).toBe('EPERM');
    expect(codeOf(() => removeSnapshot(view, bytes('a'), allow))).toBe('EPERM');
    expect(codeOf(() => renameSnapshot(view, bytes('a'), bytes('b'), 0))).toBe('EPERM');
    expect(names()).toEqual(['a']);
  });
});

test('space: used and available make the total; a snapshot is full', () => {
  const tree = new TreeOf(volume.filesystem);
  const { ino } = tree.file(1, 'f');
  const space = { totalBlocks: 0, availableBlocks: 0 };
  liveSpace(view, space);
  const before = space.totalBlocks;
  expect(space.availableBlocks).toBe(244);
  writeFile(tree.fs, ino, 0, Buffer.alloc(40_960), 0, 40_960, false);
  liveSpace(view, space);
  expect(space.totalBlocks).toBe(before + 10);
  const snapshot = makeSnapshot(view, bytes('s'), 'ann');
  expect(snapshotByTag(volume, snapshot.version.tag)).toBe(snapshot);
  snapshotSpace(snapshot, space);
  expect(space.availableBlocks).toBe(0);
  expect(space.totalBlocks).toBeGreaterThanOrEqual(10);
});
