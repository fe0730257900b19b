// The quota of a volume: live data counts, snapshots do not; what only replaces always fits; deleting makes room.

import { describe, expect, it } from 'vitest';
import { createInode } from '../../../src/format/index.ts';
import {
  type Filesystem,
  findInode,
  insertInode,
  saveInode,
  truncateData,
  writeData,
} from '../../../src/volume/index.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const inode = createInode();
const bytes = new Uint8Array(MiB).fill(7);

function createFile(fs: Filesystem): number {
  Object.assign(inode, createInode(), { ino: fs.takeIno(), mode: 0o100644, nlink: 1 });
  insertInode(fs, inode);
  return inode.ino;
}

function write(fs: Filesystem, ino: number, offset: number, length: number): number {
  findInode(fs, ino, inode);
  const written = writeData(fs, fs.change(), inode, offset, bytes, 0, length);
  saveInode(fs, inode);
  return written;
}

describe('quota', () => {
  it('ends writes short, then refuses them with EDQUOT, and takes overwrites', async () => {
    const { volumes } = await openMemoryVolumes();
    const volume = volumes.get('main');
    const fs = volume.filesystem;
    const ino = createFile(fs);
    volume.record.properties = { quota: String(MiB) };
    const left = fs.quotaLeftBlocks;
    expect(left).toBeLessThan(256);
    expect(write(fs, ino, 0, MiB)).toBe(left * 4 * KiB);
    expect(() => write(fs, ino, MiB, 4 * KiB)).toThrow(expect.objectContaining({ code: 'EDQUOT' }));
    expect(() => write(fs, ino, MiB, 1)).toThrow(expect.objectContaining({ code: 'EDQUOT' }));
    expect(() => fs.takeIno()).toThrow(expect.objectContaining({ code: 'EDQUOT' }));
    expect(write(fs, ino, 0, 64 * KiB)).toBe(64 * KiB);
    expect(write(fs, ino, 10, 100)).toBe(100);
    findInode(fs, ino, inode);
    truncateData(fs, fs.change(), inode, 0);
    saveInode(fs, inode);
    expect(write(fs, ino, 0, 64 * KiB)).toBe(64 * KiB);
  });

  it('does not count what only snapshots hold', async () => {
    const { volumes } = await openMemoryVolumes();
    const volume = volumes.get('main');
    const fs = volume.filesystem;
    const ino = createFile(fs);
    volume.record.properties = { quota: String(MiB) };
    for (let round = 0; round < 5; round++) {
      expect(write(fs, ino, 0, 512 * KiB)).toBe(512 * KiB);
      volumes.createSnapshot(volume, { name: `s${round}` });
    }
    expect(volumes.allocatedBlocks).toBe(5 * 128);
  });
});
