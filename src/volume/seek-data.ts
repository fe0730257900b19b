// SEEK_DATA and SEEK_HOLE: an extent is data, everything else a hole, and the end of the file is one too.

import { BLOCK_BYTES, type Inode } from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import { extentEnd, extentFirst, seekExtent } from './extents.ts';
import type { Filesystem } from './filesystem.ts';

const at = new Cursor();

/** Where the next data at or after `offset` starts, or -1 where there is none before the end of the file. */
export function seekData(fs: Filesystem, inode: Inode, offset: number): number {
  const fileBlock = Math.floor(offset / BLOCK_BYTES);
  if (offset >= inode.sizeBytes || !seekExtent(fs, inode.ino, fileBlock, at)) return -1;
  const start = Math.max(offset, extentFirst(at) * BLOCK_BYTES);
  return start < inode.sizeBytes ? start : -1;
}

/** Where the next hole at or after `offset` starts, or -1 where `offset` is not inside the file. */
export function seekHole(fs: Filesystem, inode: Inode, offset: number): number {
  if (offset >= inode.sizeBytes) return -1;
  let fileBlock = Math.floor(offset / BLOCK_BYTES);
  while (seekExtent(fs, inode.ino, fileBlock, at) && extentFirst(at) <= fileBlock) fileBlock = extentEnd(at);
  return Math.min(Math.max(offset, fileBlock * BLOCK_BYTES), inode.sizeBytes);
}
