// The contents of regular files: opening for writing, reading, writing, and copying from one file to another.

import { FsError } from '../errors/index.ts';
import {
  FILE_BYTES_MAX,
  type Filesystem,
  type Inode,
  NOT_CACHED,
  createInode,
  findInode,
  readData,
  saveInode,
  seekData,
  seekHole,
  writeData,
  zeroData,
} from '../volume/index.ts';
import { truncate } from './attr.ts';
import { isRegular } from './modes.ts';
import { needInode } from './needed.ts';
import { killPrivileges } from './privileges.ts';
import { noteAccess, stampModification } from './times.ts';

/** open(2) flags as Linux numbers them on every platform that Node runs on (asm-generic/fcntl.h). */
const O_ACCMODE = 3;
const O_TRUNC = 0o1000;
const O_NOATIME = 0o1000000;

/** One call of {@link copyRange} copies at most so much, in pieces, so that other requests get their turn. */
const COPY_BYTES_MAX = 4 * 1024 * 1024;
const COPY_PIECE_BYTES = 1024 * 1024;

const inode = createInode();
const copySource = createInode();
let copyBuffer: Uint8Array | undefined;

/**
 * Opens file `ino` with the open(2) `flags`; `kill` takes setuid, setgid and capabilities away if the file is cut off.
 * Throws FsError EROFS where it is opened for writing in a filesystem that is read only.
 */
export function openFile(fs: Filesystem, ino: number, flags: number, kill: boolean): void {
  needInode(fs, ino, inode);
  if ((flags & (O_ACCMODE | O_TRUNC)) === 0) return;
  fs.change();
  if ((flags & O_TRUNC) === 0 || !isRegular(inode.mode)) return;
  truncate(fs, inode, 0);
  if (kill) killPrivileges(fs, inode);
  saveInode(fs, inode);
}

/**
 * Reads up to `length` bytes of file `ino` from `offset` on to `into`, which has room for `length` rounded up to whole
 * blocks, from `intoAt` on. Gives how many (fewer only at the end of the file), or NOT_CACHED where that needs the
 * disk: then {@link readDataLater} is to be asked. With `relatime` the atime moves. `flags`: those of the open file.
 * Throws CorruptionError.
 */
export function readFile(
  fs: Filesystem,
  ino: number,
  offset: number,
  length: number,
  into: Uint8Array,
  intoAt: number,
  flags: number,
  relatime: boolean,
): number {
  needInode(fs, ino, inode);
  const count = readData(fs, inode, offset, length, into, intoAt, false);
  if (count !== NOT_CACHED && relatime && (flags & O_NOATIME) === 0) noteAccess(fs, inode);
  return count;
}

/**
 * File `ino` was read by other means than {@link readFile}: its atime moves. Does nothing where it is gone meanwhile.
 */
export function noteFileRead(fs: Filesystem, ino: number, flags: number): void {
  if ((flags & O_NOATIME) === 0 && fs.alive && findInode(fs, ino, inode)) noteAccess(fs, inode);
}

/**
 * Writes `bytes[from..from+length)` at `offset` of file `ino`. Gives the bytes written: fewer than `length` where the
 * space ran out half-way. Nothing at all changes where `length` is 0. `kill` as in {@link openFile}. Throws FsError
 * ENOSPC, EFBIG, EROFS; CorruptionError.
 */
export function writeFile(
  fs: Filesystem,
  ino: number,
  offset: number,
  bytes: Uint8Array,
  from: number,
  length: number,
  kill: boolean,
): number {
  needInode(fs, ino, inode);
  if (length === 0) return 0;
  return writeTo(fs, inode, offset, bytes, from, length, kill);
}

function writeTo(
  fs: Filesystem,
  file: Inode,
  offset: number,
  bytes: Uint8Array,
  from: number,
  length: number,
  kill: boolean,
): number {
  const head = fs.change();
  // First, as a write that fails half-way has changed the program too.
  const { mode } = file;
  if (kill) killPrivileges(fs, file);
  const { blocks, sizeBytes } = file;
  let written: number;
  try {
    written = writeData(fs, head, file, offset, bytes, from, length);
  } catch (error) {
    // Some blocks may have been mapped before it failed: the inode has to agree with the extents.
    if (file.mode !== mode || file.blocks !== blocks || file.sizeBytes !== sizeBytes) saveInode(fs, file);
    throw error;
  }
  stampModification(fs, file);
  saveInode(fs, file);
  return written;
}

/**
 * Copies up to `length` bytes from `offset` of file `ino` of `fs` to `toOffset` of file `toIno` of `to`; holes stay
 * holes. Gives the bytes copied: fewer where the source ends, where so much is done for one call, or where the rest
 * needs the disk; NOT_CACHED where even the first piece does (then it is to be read with {@link readDataLater} and
 * written). The kernel sees to it that ranges of one file do not overlap. Throws as {@link writeFile}.
 */
export function copyRange(
  fs: Filesystem,
  ino: number,
  offset: number,
  to: Filesystem,
  toIno: number,
  toOffset: number,
  length: number,
  kill: boolean,
): number {
  needInode(fs, ino, copySource);
  needInode(to, toIno, inode);
  if (!isRegular(copySource.mode) || !isRegular(inode.mode)) {
    throw new FsError('EINVAL', 'copy-of-special', 'only regular files are copied');
  }
  const wanted = Math.min(length, COPY_BYTES_MAX, copySource.sizeBytes - offset);
  if (wanted > 0) to.change();
  copyBuffer ??= new Uint8Array(COPY_PIECE_BYTES + 4096);
  let done = 0;
  while (done < wanted) {
    const at = offset + done;
    const dataAt = seekData(fs, copySource, at);
    const holeBytes = Math.min((dataAt < 0 ? copySource.sizeBytes : dataAt) - at, wanted - done);
    if (holeBytes > 0) {
      zeroRange(to, inode, toOffset + done, toOffset + done + holeBytes, true);
      done += holeBytes;
      continue;
    }
    const piece = Math.min(wanted - done, COPY_PIECE_BYTES, seekHole(fs, copySource, at) - at);
    const count = readData(fs, copySource, at, piece, copyBuffer, 0, false);
    if (count === NOT_CACHED) return done > 0 ? done : NOT_CACHED;
    const written = writeTo(to, inode, toOffset + done, copyBuffer, 0, count, kill);
    done += written;
    if (written < count) break;
    // Both may be one file: what was written is part of what is read next.
    needInode(fs, ino, copySource);
  }
  return done;
}

/**
 * Makes `from` to `to` of `file` read as zeros; with `extend` the file becomes longer where it ends before `to`. Saves
 * it.
 */
export function zeroRange(fs: Filesystem, file: Inode, from: number, to: number, extend: boolean): void {
  if (extend && to > FILE_BYTES_MAX) throw new FsError('EFBIG', 'zero-beyond-limit', 'a file has at most 2^53 bytes');
  const head = fs.change();
  try {
    zeroData(fs, head, file, from, to);
  } catch (error) {
    saveInode(fs, file);
    throw error;
  }
  if (extend && to > file.sizeBytes) file.sizeBytes = to;
  stampModification(fs, file);
  saveInode(fs, file);
}
