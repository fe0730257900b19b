import { FsError } from '../errors/index.ts';
import { type Filesystem, createInode, readSymlink } from '../volume/index.ts';
import { isSymlink } from './modes.ts';
import { needInode } from './needed.ts';
import { noteAccess } from './times.ts';

const inode = createInode();

/**
 * Copies the target of symlink `ino` to the start of `into` (4095 bytes of room) and gives its length in bytes. With
 * `relatime` the atime moves. Throws FsError EINVAL for what is no symlink, CorruptionError.
 */
export function readlink(fs: Filesystem, ino: number, into: Uint8Array, relatime: boolean): number {
  needInode(fs, ino, inode);
  if (!isSymlink(inode.mode)) throw new FsError('EINVAL', 'readlink-of-other', 'only a symlink has a target');
  readSymlink(fs, ino, inode.sizeBytes, into);
  if (relatime) noteAccess(fs, inode);
  return inode.sizeBytes;
}
