// Writing file data. What a commit or the journal may refer to is never overwritten: data goes to newly allocated blocks, and the old ones
// are dropped. Large writes go to the data file at once; small ones, and the edges of large ones, are kept in memory and in the journal
// until the next commit (store/blocks.ts). Only a kept block of the head's own is changed in place.
// INVARIANT: in a file's last block the bytes behind its end are zero, so that a growing file reads zeros there (checked by checkFilesystem).

import { crc32 } from 'node:zlib';
import { BLOCK_BYTES, EXTENT_BLOCKS_MAX, type Inode, extentBirth, extentStart } from '../format/index.ts';
import { FsError } from '../errors/index.ts';
import { Cursor, type Head } from '../tree/index.ts';
import { damage, findDamage } from './checked-blocks.ts';
import { extentFirst, mapBlocks, mappedBlocks, seekExtent, setBlockSum, unmapBlocks } from './extents.ts';
import type { Filesystem } from './filesystem.ts';

/**
 * Whole blocks are kept where a write of at most so many bytes goes to a small file or to one that was synced of late. A kept byte is written
 * twice, so streams are better off without; small files would pay for a system call each, and who syncs for a second flush.
 */
const KEPT_BYTES_MAX = 16 * 1024;
const SMALL_FILE_BYTES = 64 * 1024;

/** The largest file: file blocks are counted in 48 bits, and offsets stay exact as JavaScript numbers. */
export const FILE_BYTES_MAX = Number.MAX_SAFE_INTEGER - (Number.MAX_SAFE_INTEGER % BLOCK_BYTES);

const at = new Cursor();
const sums = new Uint32Array(EXTENT_BLOCKS_MAX);
const block = new Uint8Array(BLOCK_BYTES);
const blockSum = new Uint32Array(1);

/**
 * Writes `bytes[from..from+length)` at `offset` of the file `inode` and makes the file longer where it ends before. Gives the bytes written: fewer
 * than `length` where the space ran out half-way. The caller sets times and saves `inode`. Throws ENOSPC, EFBIG, CorruptionError (an edge block
 * that is to be kept in part is damaged), EDQUOT.
 */
export function writeData(
  fs: Filesystem,
  head: Head,
  inode: Inode,
  offset: number,
  bytes: Uint8Array,
  from: number,
  length: number,
): number {
  if (offset + length > FILE_BYTES_MAX)
    throw new FsError('EFBIG', 'write-beyond-limit', 'a file has at most 2^53 bytes');
  const keeps = length <= KEPT_BYTES_MAX && keepsBlocks(fs, inode, offset + length);
  let done = 0;
  try {
    while (done < length) {
      const position = offset + done;
      const fileBlock = Math.floor(position / BLOCK_BYTES);
      const within = position - fileBlock * BLOCK_BYTES;
      const left = length - done;
      if (within > 0 || left < BLOCK_BYTES || keeps) {
        const part = Math.min(BLOCK_BYTES - within, left);
        writePart(fs, head, inode, fileBlock, within, bytes, from + done, part);
        done += part;
      } else {
        done +=
          writeBlocks(fs, head, inode, fileBlock, bytes, from + done, Math.floor(left / BLOCK_BYTES)) * BLOCK_BYTES;
      }
    }
  } catch (error) {
    if (done === 0 || !(error instanceof FsError) || (error.code !== 'ENOSPC' && error.code !== 'EDQUOT')) throw error;
  } finally {
    // Also when it failed: the bytes behind the end of a file are zeros, which are shown when it grows.
    if (done > 0 && offset + done > inode.sizeBytes) inode.sizeBytes = offset + done;
  }
  return done;
}

function keepsBlocks(fs: Filesystem, inode: Inode, end: number): boolean {
  return Math.max(inode.sizeBytes, end) <= SMALL_FILE_BYTES || fs.isSynced(inode.ino);
}

/** Writes up to `count` whole blocks to one run of new blocks of the data file; gives how many. */
function writeBlocks(
  fs: Filesystem,
  head: Head,
  inode: Inode,
  fileBlock: number,
  bytes: Uint8Array,
  from: number,
  count: number,
): number {
  const { allocator, blocks, recorder } = fs.context;
  const wanted = withinQuota(fs, inode, fileBlock, Math.min(count, EXTENT_BLOCKS_MAX));
  const start = allocator.allocate(wanted);
  const run = allocator.lastLength;
  try {
    blocks.writeSync(bytes, from, run * BLOCK_BYTES, start * BLOCK_BYTES);
  } catch (error) {
    allocator.free(start, run);
    throw error;
  }
  allocator.settle(start, run);
  for (let i = 0, byte = from; i < run; i++, byte += BLOCK_BYTES) {
    sums[i] = crc32(bytes.subarray(byte, byte + BLOCK_BYTES));
  }
  unmapBlocks(fs, head, inode, fileBlock, fileBlock + run);
  mapBlocks(fs, head, inode, fileBlock, start, run, sums);
  recorder.mapped(head.volume, inode.ino, fileBlock, start, run, sums);
  return run;
}

/**
 * How many of `count` blocks from `fileBlock` on the quota allows to write: blocks that only replace others always. Throws EDQUOT where it
 * allows none.
 */
function withinQuota(fs: Filesystem, inode: Inode, fileBlock: number, count: number): number {
  const left = fs.quotaLeftBlocks;
  if (count <= left) return count;
  const replaced = mappedBlocks(fs, inode.ino, fileBlock, fileBlock + count);
  if (replaced === count) return count;
  if (left > 0) return left;
  throw new FsError('EDQUOT', 'quota-used-up', 'the quota of the volume is used up; snapshots do not count against it');
}

/** Writes `length` bytes at `within` of one file block, keeping the rest of it. */
function writePart(
  fs: Filesystem,
  head: Head,
  inode: Inode,
  fileBlock: number,
  within: number,
  bytes: Uint8Array,
  from: number,
  length: number,
): void {
  const { allocator, blocks, recorder } = fs.context;
  const mapped = seekExtent(fs, inode.ino, fileBlock, at) && extentFirst(at) <= fileBlock;
  const old = mapped ? extentStart(at.page, at.valueAt) + fileBlock - extentFirst(at) : -1;
  // A snapshot since may share a kept block: then it is of another version. What was merged into this one counts as another's, since
  // merging is not recorded.
  const kept = mapped && extentBirth(at.page, at.valueAt) === head.id ? blocks.kept(old) : undefined;
  if (kept !== undefined) {
    copyBytes(bytes, from, length, kept, within);
    setBlockSum(fs, inode.ino, fileBlock, crc32(kept));
    recorder.patched(head.volume, inode.ino, fileBlock, within, bytes, from, length);
    return;
  }
  const keepsNothing = length === BLOCK_BYTES || (within === 0 && fileBlock * BLOCK_BYTES + length >= inode.sizeBytes);
  if (mapped && !keepsNothing) loadBlock(fs, inode.ino, fileBlock, old);
  else if (length < BLOCK_BYTES) block.fill(0);
  copyBytes(bytes, from, length, block, within);
  withinQuota(fs, inode, fileBlock, 1);
  blocks.assertRoom(BLOCK_BYTES);
  const start = allocator.allocate(1);
  allocator.settle(start, 1);
  blocks.keep(start).set(block);
  blockSum[0] = crc32(block);
  unmapBlocks(fs, head, inode, fileBlock, fileBlock + 1);
  mapBlocks(fs, head, inode, fileBlock, start, 1, blockSum);
  // Behind the end of the file there are zeros, which need not be recorded.
  const end = Math.max(inode.sizeBytes - fileBlock * BLOCK_BYTES, within + length);
  recorder.kept(head.volume, inode.ino, fileBlock, start, block, Math.min(BLOCK_BYTES, end));
}

function copyBytes(from: Uint8Array, fromAt: number, length: number, to: Uint8Array, toAt: number): void {
  // A view costs more than a loop does over a few bytes.
  if (length >= 128) to.set(from.subarray(fromAt, fromAt + length), toAt);
  else for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i]!;
}

/** Reads the data block `old` into `block`; the extent is under `at`. */
function loadBlock(fs: Filesystem, ino: number, fileBlock: number, old: number): void {
  fs.context.blocks.readSync(block, 0, BLOCK_BYTES, old * BLOCK_BYTES);
  if (findDamage(block, 0, 1, at, fileBlock - extentFirst(at)) >= 0) throw damage(ino, fileBlock, old);
}

/** Zeros the bytes `from` to `to` of the file; whole blocks become holes. The size stays. The caller saves `inode`. */
export function zeroData(fs: Filesystem, head: Head, inode: Inode, from: number, to: number): void {
  if (to <= from) return;
  const end = Math.min(to, inode.sizeBytes);
  const firstWhole = Math.ceil(from / BLOCK_BYTES);
  // Behind the end of the file there is nothing to keep in the last block.
  const endWhole = to >= inode.sizeBytes ? Math.ceil(to / BLOCK_BYTES) : Math.floor(to / BLOCK_BYTES);
  if (firstWhole > endWhole) {
    zeroPart(fs, head, inode, firstWhole - 1, from, end);
    return;
  }
  zeroPart(fs, head, inode, firstWhole - 1, from, Math.min(end, firstWhole * BLOCK_BYTES));
  unmapBlocks(fs, head, inode, firstWhole, endWhole);
  if (endWhole * BLOCK_BYTES < end) zeroPart(fs, head, inode, endWhole, endWhole * BLOCK_BYTES, end);
}

const zeros = new Uint8Array(BLOCK_BYTES);

/** Zeros the bytes `from` to `to`, which lie in `fileBlock`; does nothing where that is a hole. */
function zeroPart(fs: Filesystem, head: Head, inode: Inode, fileBlock: number, from: number, to: number): void {
  if (to <= from || !seekExtent(fs, inode.ino, fileBlock, at) || extentFirst(at) > fileBlock) return;
  writePart(fs, head, inode, fileBlock, from - fileBlock * BLOCK_BYTES, zeros, 0, to - from);
}

/** Makes the file `sizeBytes` long: what is cut off is gone, what is added reads as zeros. The caller sets times and saves `inode`. */
export function truncateData(fs: Filesystem, head: Head, inode: Inode, sizeBytes: number): void {
  if (sizeBytes > FILE_BYTES_MAX) throw new FsError('EFBIG', 'truncate-beyond-limit', 'a file has at most 2^53 bytes');
  if (sizeBytes < inode.sizeBytes)
    zeroData(fs, head, inode, sizeBytes, Math.ceil(inode.sizeBytes / BLOCK_BYTES) * BLOCK_BYTES);
  inode.sizeBytes = sizeBytes;
}
