// Reading, changing and making inodes.

import { CorruptionError } from '../errors/index.ts';
import { INODE_BYTES, type Inode, Key, decodeInode, encodeInode } from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import type { Timespec } from '../util/index.ts';
import type { Filesystem } from './filesystem.ts';

const key = new Key();
const at = new Cursor();

/** Reads inode `ino` into `inode`; false where there is none. */
export function findInode(fs: Filesystem, ino: number, inode: Inode): boolean {
  if (!fs.tree.find(key.inode(ino), at)) return false;
  decodeInode(at.page, at.valueAt, ino, inode);
  return true;
}

/** Reads inode `ino`, which something refers to, into `inode`. Throws CorruptionError where it is missing. */
export function loadInode(fs: Filesystem, ino: number, inode: Inode): void {
  if (!findInode(fs, ino, inode)) throw new CorruptionError(`inode ${ino}`, 'it is referred to, but not there');
}

/** Writes an inode that exists back. */
export function saveInode(fs: Filesystem, inode: Inode): void {
  if (!fs.tree.edit(key.inode(inode.ino), at))
    throw new CorruptionError(`inode ${inode.ino}`, 'it vanished while it changed');
  encodeInode(inode, at.page, at.valueAt);
}

/** Writes a new inode. */
export function insertInode(fs: Filesystem, inode: Inode): void {
  fs.tree.put(key.inode(inode.ino), INODE_BYTES, at);
  encodeInode(inode, at.page, at.valueAt);
}

/** Removes the inode's own entry. */
export function removeInode(fs: Filesystem, ino: number): void {
  fs.tree.remove(key.inode(ino));
}

/** Copies a moment. */
export function setTime(time: Timespec, from: Timespec): void {
  time.sec = from.sec;
  time.nsec = from.nsec;
}
