// Inodes that an operation can't do without. The kernel may hold a nodeid longer than the store holds the inode (its
// snapshot was deleted, the daemon was started anew): that is ESTALE, and the kernel then looks the name up again.

import { FsError } from '../errors/index.ts';
import { type Filesystem, type Inode, findInode } from '../volume/index.ts';
import { isDirectory } from './modes.ts';

/** Reads inode `ino` into `inode`. Throws FsError ESTALE where there is none. */
export function needInode(fs: Filesystem, ino: number, inode: Inode): void {
  if (!findInode(fs, ino, inode)) throw new FsError('ESTALE', 'inode-gone', `inode ${ino} is gone`);
}

/** Reads directory `ino` into `inode`. Throws FsError ESTALE, ENOTDIR. */
export function needDirectory(fs: Filesystem, ino: number, inode: Inode): void {
  needInode(fs, ino, inode);
  if (!isDirectory(inode.mode)) throw new FsError('ENOTDIR', 'not-a-directory', `inode ${ino} is no directory`);
}

/**
 * As {@link needDirectory}, for a directory that is to get an entry. Throws FsError ENOENT for one that was removed.
 */
export function needParent(fs: Filesystem, ino: number, inode: Inode): void {
  needDirectory(fs, ino, inode);
  if (inode.nlink === 0) throw new FsError('ENOENT', 'directory-removed', 'nothing is created in a removed directory');
}
