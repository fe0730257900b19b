// Changing attributes: chmod, chown, truncate, utimensat, alone or together.

import { FsError } from '../errors/index.ts';
import { type Filesystem, type Inode, saveInode, truncateData } from '../volume/index.ts';
import { followMode } from './acl.ts';
import { MODE_BITS, S_IFMT, isDirectory, isRegular } from './modes.ts';
import { needInode } from './needed.ts';
import { killPrivileges } from './privileges.ts';
import { stampChange, stampModification } from './times.ts';

/**
 * What is to be set; the numbers are those of `FATTR_*` in linux/fuse.h (checked by
 * test/unit/bridge/constants.test.ts).
 */
export const SET_MODE = 1 << 0;
export const SET_UID = 1 << 1;
export const SET_GID = 1 << 2;
export const SET_SIZE = 1 << 3;
export const SET_ATIME = 1 << 4;
export const SET_MTIME = 1 << 5;
export const SET_ATIME_NOW = 1 << 7;
export const SET_MTIME_NOW = 1 << 8;
export const SET_CTIME = 1 << 10;
export const KILL_PRIVILEGES = 1 << 11;

/** A change of attributes: the fields that `valid` names. Times in seconds since 1970 and nanoseconds within. */
export interface AttributeChange {
  readonly valid: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly atimeSec: number;
  readonly atimeNsec: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly ctimeSec: number;
  readonly ctimeNsec: number;
}

/**
 * Changes attributes of inode `ino` and fills `inode` with the result. Throws FsError EISDIR, EINVAL (a size for what
 * has none), EFBIG, EROFS, ENOSPC.
 */
export function setAttributes(fs: Filesystem, ino: number, change: AttributeChange, inode: Inode): void {
  const { valid } = change;
  needInode(fs, ino, inode);
  if ((valid & SET_SIZE) !== 0) checkSizeable(inode);
  fs.change();
  if ((valid & SET_SIZE) !== 0) truncate(fs, inode, change.size);
  if ((valid & KILL_PRIVILEGES) !== 0) killPrivileges(fs, inode);
  if ((valid & SET_UID) !== 0) inode.uid = change.uid;
  if ((valid & SET_GID) !== 0) inode.gid = change.gid;
  if ((valid & SET_MODE) !== 0) {
    inode.mode = (inode.mode & S_IFMT) | (change.mode & MODE_BITS);
    followMode(fs, inode);
  }
  stampChange(fs, inode);
  setTimes(inode, change);
  saveInode(fs, inode);
}

/**
 * Makes the file `inode` `size` bytes long. The caller saves it; should the change fail half-way, that is done here.
 */
export function truncate(fs: Filesystem, inode: Inode, size: number): void {
  const head = fs.change();
  try {
    truncateData(fs, head, inode, size);
  } catch (error) {
    // Blocks may be gone already: inode.blocks has to say so.
    saveInode(fs, inode);
    throw error;
  }
  stampModification(fs, inode);
}

function checkSizeable(inode: Inode): void {
  if (isDirectory(inode.mode)) throw new FsError('EISDIR', 'truncate-of-directory', 'a directory has no length to set');
  if (!isRegular(inode.mode))
    throw new FsError('EINVAL', 'truncate-of-special', 'only a regular file has a length to set');
}

/** Explicit times, and those that are to be now: that is the ctime by now. */
function setTimes(inode: Inode, change: AttributeChange): void {
  const { valid } = change;
  const { atime, mtime, ctime } = inode;
  if ((valid & SET_ATIME) !== 0) {
    const now = (valid & SET_ATIME_NOW) !== 0;
    atime.sec = now ? ctime.sec : change.atimeSec;
    atime.nsec = now ? ctime.nsec : change.atimeNsec;
  }
  if ((valid & SET_MTIME) !== 0) {
    const now = (valid & SET_MTIME_NOW) !== 0;
    mtime.sec = now ? ctime.sec : change.mtimeSec;
    mtime.nsec = now ? ctime.nsec : change.mtimeNsec;
  }
  if ((valid & SET_CTIME) === 0) return;
  ctime.sec = change.ctimeSec;
  ctime.nsec = change.ctimeNsec;
}
