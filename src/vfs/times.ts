// When times change. ctime: with every change of an inode. mtime: with its data, or a directory's entries. atime: as
// below.

import { FsError } from '../errors/index.ts';
import type { Timespec } from '../util/index.ts';
import { type Filesystem, type Inode, saveInode, setTime } from '../volume/index.ts';

const DAY_SEC = 24 * 60 * 60;

const now: Timespec = { sec: 0, nsec: 0 };

/** The inode changed, its data did not: ctime. */
export function stampChange(fs: Filesystem, inode: Inode): void {
  fs.context.clock.now(inode.ctime);
}

/** The data of a file or the entries of a directory changed: mtime and ctime. */
export function stampModification(fs: Filesystem, inode: Inode): void {
  fs.context.clock.now(inode.ctime);
  setTime(inode.mtime, inode.ctime);
}

/** The entries of `dir` changed together with `inode`, which was stamped: both show the same moment. */
export function stampDirectory(dir: Inode, inode: Inode): void {
  setTime(dir.mtime, inode.ctime);
  setTime(dir.ctime, inode.ctime);
}

/** The inode is new: all four times are the same. */
export function stampBirth(fs: Filesystem, inode: Inode): void {
  fs.context.clock.now(inode.ctime);
  setTime(inode.mtime, inode.ctime);
  setTime(inode.atime, inode.ctime);
  setTime(inode.btime, inode.ctime);
}

/**
 * `inode` was read: its atime moves by the rule of relatime (Linux, `relatime_need_update` in fs/inode.c), that is when
 * it is not later than mtime or ctime, or a day old. Never for a filesystem that is read only, and never at the price
 * of the read.
 */
export function noteAccess(fs: Filesystem, inode: Inode): void {
  if (fs.head === undefined) return;
  const { atime, mtime, ctime } = inode;
  if (isLater(atime, mtime) && isLater(atime, ctime) && fs.context.clock.nowMs() / 1000 - atime.sec < DAY_SEC) return;
  try {
    fs.change();
  } catch (error) {
    // The store takes no changes at the moment; whoever writes hears of that.
    if (error instanceof FsError) return;
    throw error;
  }
  fs.context.clock.now(now);
  setTime(atime, now);
  saveInode(fs, inode);
}

function isLater(a: Timespec, b: Timespec): boolean {
  return a.sec > b.sec || (a.sec === b.sec && a.nsec > b.nsec);
}
