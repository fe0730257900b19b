// Taking names away. What loses its last name lives on as an orphan until the kernel forgets it: somebody may have it
// open.

import { FsError } from '../errors/index.ts';
import {
  type Filesystem,
  type Inode,
  addOrphan,
  createInode,
  findDirent,
  isEmptyDirectory,
  loadInode,
  removeDirent,
  saveInode,
} from '../volume/index.ts';
import { isDirectory } from './modes.ts';
import { checkNameLength, checkRemovableName } from './names.ts';
import { needDirectory } from './needed.ts';
import { stampChange, stampDirectory } from './times.ts';

const parent = createInode();
const victim = createInode();

/**
 * Removes the name of what is no directory. Gives the inode number if that is an orphan now, else 0. Throws FsError
 * ENOENT, EISDIR, EPERM, EROFS.
 */
export function unlink(fs: Filesystem, dir: number, name: Uint8Array): number {
  findVictim(fs, dir, name);
  if (isDirectory(victim.mode)) throw new FsError('EISDIR', 'unlink-of-directory', 'a directory is removed with rmdir');
  return removeVictim(fs, name);
}

/**
 * Removes an empty directory. Gives its inode number: it is an orphan now. Throws FsError ENOENT, ENOTDIR, ENOTEMPTY,
 * EPERM, EROFS.
 */
export function rmdir(fs: Filesystem, dir: number, name: Uint8Array): number {
  findVictim(fs, dir, name);
  if (!isDirectory(victim.mode))
    throw new FsError('ENOTDIR', 'rmdir-of-file', 'only directories are removed with rmdir');
  if (!isEmptyDirectory(fs, victim.ino))
    throw new FsError('ENOTEMPTY', 'rmdir-not-empty', 'the directory is not empty');
  return removeVictim(fs, name);
}

function findVictim(fs: Filesystem, dir: number, name: Uint8Array): void {
  needDirectory(fs, dir, parent);
  checkNameLength(name);
  checkRemovableName(fs, dir, name);
  const ino = findDirent(fs, dir, name);
  if (ino === 0) throw new FsError('ENOENT', 'unlink-of-nothing', 'there is no such name to remove');
  // Before anything is said of kinds and contents: nothing can be removed from a snapshot, whatever it is.
  fs.change();
  loadInode(fs, ino, victim);
}

function removeVictim(fs: Filesystem, name: Uint8Array): number {
  removeDirent(fs, parent.ino, name);
  const orphan = dropName(fs, victim, parent);
  stampDirectory(parent, victim);
  saveInode(fs, parent);
  return orphan;
}

/**
 * `inode` has lost a name in the directory `from`: changes and saves it, and changes the link count of `from`, which
 * the caller saves. Gives the inode number if that was its last name, else 0.
 */
export function dropName(fs: Filesystem, inode: Inode, from: Inode): number {
  if (isDirectory(inode.mode)) {
    inode.nlink = 0;
    from.nlink--;
  } else {
    inode.nlink--;
  }
  stampChange(fs, inode);
  saveInode(fs, inode);
  if (inode.nlink > 0) return 0;
  addOrphan(fs, inode.ino);
  return inode.ino;
}
