// fallocate(2) and lseek(2) with SEEK_DATA and SEEK_HOLE.
//
// What fallocate promises elsewhere, that a later write finds its space, a copy-on-write store can't promise: each
// write goes to new blocks, also one over blocks that were reserved. So reserving checks that the space is there at the
// moment and sets the size, and no block is allocated; a later write may still meet ENOSPC. ZFS answers in the same
// way.

import { FsError } from '../errors/index.ts';
import {
  FILE_BYTES_MAX,
  type Filesystem,
  type Inode,
  createInode,
  saveInode,
  seekData,
  seekHole,
} from '../volume/index.ts';
import { zeroRange } from './data.ts';
import { isRegular } from './modes.ts';
import { needInode } from './needed.ts';
import { killPrivileges } from './privileges.ts';
import { stampModification } from './times.ts';

/** Modes of fallocate(2) (linux/falloc.h). */
const FALLOC_FL_KEEP_SIZE = 0x01;
const FALLOC_FL_PUNCH_HOLE = 0x02;
const FALLOC_FL_ZERO_RANGE = 0x10;

/** `whence` of lseek(2); all others the kernel does alone. */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

const inode = createInode();

/**
 * fallocate(2) on file `ino`. `availableBytes` is what there is room for; `kill` takes setuid, setgid and capabilities
 * away. Throws FsError EOPNOTSUPP for modes other than reserving, punching and zeroing; ENOSPC, EFBIG, EINVAL, EROFS.
 */
export function allocate(
  fs: Filesystem,
  ino: number,
  mode: number,
  offset: number,
  length: number,
  availableBytes: number,
  kill: boolean,
): void {
  needInode(fs, ino, inode);
  if (!isRegular(inode.mode)) throw new FsError('ENODEV', 'allocate-for-special', 'only regular files have space');
  if (length === 0) throw new FsError('EINVAL', 'allocate-nothing', 'the length is not 0');
  fs.change();
  const end = offset + length;
  const keepsSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
  switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:
      reserve(fs, inode, offset, length, keepsSize, availableBytes);
      break;
    case FALLOC_FL_PUNCH_HOLE:
      if (!keepsSize) throw new FsError('EOPNOTSUPP', 'punch-size', 'punching a hole goes with FALLOC_FL_KEEP_SIZE');
      zeroRange(fs, inode, offset, end, false);
      break;
    case FALLOC_FL_ZERO_RANGE:
      zeroRange(fs, inode, offset, end, !keepsSize);
      break;
    default:
      throw new FsError('EOPNOTSUPP', 'allocate-mode', 'space is reserved, punched or zeroed, not moved or shared');
  }
  if (!kill) return;
  killPrivileges(fs, inode);
  saveInode(fs, inode);
}

function reserve(
  fs: Filesystem,
  file: Inode,
  offset: number,
  length: number,
  keepsSize: boolean,
  availableBytes: number,
): void {
  const end = offset + length;
  if (end > FILE_BYTES_MAX) throw new FsError('EFBIG', 'allocate-beyond-limit', 'a file has at most 2^53 bytes');
  if (length > availableBytes) throw new FsError('ENOSPC', 'allocate-no-space', 'there is not that much space left');
  if (keepsSize || end <= file.sizeBytes) return;
  file.sizeBytes = end;
  stampModification(fs, file);
  saveInode(fs, file);
}

/**
 * Where the next data or hole at or after `offset` of file `ino` starts, or -1 (ENXIO) where there is none. Throws
 * FsError EINVAL.
 */
export function seek(fs: Filesystem, ino: number, offset: number, whence: number): number {
  needInode(fs, ino, inode);
  if (whence === SEEK_DATA) return seekData(fs, inode, offset);
  if (whence === SEEK_HOLE) return seekHole(fs, inode, offset);
  throw new FsError('EINVAL', 'seek-whence', 'only SEEK_DATA and SEEK_HOLE are asked of the server');
}
