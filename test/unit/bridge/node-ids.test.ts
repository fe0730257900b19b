import { beforeEach, describe, expect, test } from 'vitest';
import { Node, isSnapdirNode, putNodeId, statInoHi, taggedHi } from '../../../src/bridge/node-ids.ts';
import { type View, volumeView } from '../../../src/vfs/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';

const INO_MAX = 2 ** 40 - 1;

let memory: MemoryVolumes;
let view: View;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  view = volumeView(memory.volumes, memory.volumes.get('main'), { availableBytes: () => 0 });
});

function idOf(tag: number, ino: number): [hi: number, lo: number] {
  const halves = { hi: 0, lo: 0 };
  putNodeId(view, tag, ino, halves);
  return [halves.hi, halves.lo];
}

test('tag and inode number stand in their bits', () => {
  expect(taggedHi(0xff_ffff, INO_MAX)).toBe(0xffff_ffff);
  expect(taggedHi(0x12_3456, 0x9a_0000_0001)).toBe(0x1234_569a);
  expect(idOf(0x12_3456, 0x9a_dead_beef)).toEqual([0x1234_569a, 0xdead_beef]);
});

describe('a nodeid', () => {
  test('leads back to its file, for every inode number', () => {
    const node = new Node(view);
    for (const ino of [2, 3, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 39 + 5, INO_MAX]) {
      node.resolve(view, ...idOf(view.tag, ino));
      expect([node.fs, node.ino, node.tag]).toEqual([view.filesystem, ino, view.tag]);
    }
  });

  test('of the root is 1, of the root of a snapshot has its tag', () => {
    const { volumes } = memory;
    const snapshot = volumes.createSnapshot(view.volume, { name: 's' });
    expect(idOf(view.tag, 1)).toEqual([0, 1]);
    expect(idOf(snapshot.version.tag, 1)).toEqual([snapshot.version.tag * 256, 1]);
    const node = new Node(view);
    node.resolve(view, 0, 1);
    expect([node.ino, node.isOwn(view)]).toEqual([1, true]);
    node.resolve(view, ...idOf(snapshot.version.tag, 1));
    expect([node.ino, node.fs, node.isOwn(view)]).toEqual([1, snapshot.filesystem, false]);
  });

  test('into what was deleted or never was is ESTALE', () => {
    const { volumes } = memory;
    const snapshot = volumes.createSnapshot(view.volume, { name: 's' });
    const id = idOf(snapshot.version.tag, 256);
    const node = new Node(view);
    node.resolve(view, ...id);
    volumes.deleteSnapshot(view.volume, snapshot);
    expect(() => {
      node.resolve(view, ...id);
    }).toThrow(expect.objectContaining({ code: 'ESTALE' }));
    expect(() => {
      node.resolve(view, 0xffff_ff00, 1);
    }).toThrow(expect.objectContaining({ code: 'ESTALE' }));
  });

  test('of .snapshots is told apart', () => {
    expect(isSnapdirNode(0, 2)).toBe(true);
    expect(isSnapdirNode(256, 2)).toBe(false);
    expect(isSnapdirNode(0, 1)).toBe(false);
  });
});

test('st_ino is plain for the files of the mount, and has the tag for those of snapshots', () => {
  expect(statInoHi(view, view.tag, 0x12_0000_0001)).toBe(0x12);
  expect(statInoHi(view, view.tag + 1, 0x12_0000_0001)).toBe((view.tag + 1) * 256 + 0x12);
});
