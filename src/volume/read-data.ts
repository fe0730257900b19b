// Reading file data. What the host has in memory is read at once, straight into the reply; the rest through the thread pool, with
// the loop free meanwhile. What may have changed when such a read ends is in CONCURRENCY.md, "Data reads".

import { BLOCK_BYTES, type Inode, createInode, extentStart, extentSum } from '../format/index.ts';
import { FsError } from '../errors/index.ts';
import { crc32 } from 'node:zlib';
import { Cursor } from '../tree/index.ts';
import { allEnded } from '../util/index.ts';
import { damage, findDamage } from './checked-blocks.ts';
import { extentEnd, extentFirst, isExtentOf, seekExtent } from './extents.ts';
import type { Filesystem } from './filesystem.ts';
import { findInode } from './inodes.ts';

/** {@link readData} gives this where the host would have to go to its disk. */
export const NOT_CACHED = -1;

const at = new Cursor();
const bounce = new Uint8Array(BLOCK_BYTES);

/**
 * Reads up to `length` bytes from `offset` of the file `inode` into `into` from `intoAt` on. Gives the bytes read, fewer only at the end
 * of the file, or NOT_CACHED. With `wait` it goes to the disk itself instead. Throws CorruptionError for damaged data.
 */
export function readData(
  fs: Filesystem,
  inode: Inode,
  offset: number,
  length: number,
  into: Uint8Array,
  intoAt: number,
  wait: boolean,
): number {
  const end = Math.min(offset + length, inode.sizeBytes);
  if (end <= offset) return 0;
  const endBlock = Math.ceil(end / BLOCK_BYTES);
  let block = Math.floor(offset / BLOCK_BYTES);
  let found = seekExtent(fs, inode.ino, block, at);
  while (block < endBlock) {
    const first = found ? Math.min(extentFirst(at), endBlock) : endBlock;
    if (first > block) {
      zeroFill(into, intoAt, offset, end, block, first);
      block = first;
      continue;
    }
    const runEnd = Math.min(extentEnd(at), endBlock);
    if (!readRun(fs, inode.ino, block, runEnd, offset, length, end, into, intoAt, wait)) return NOT_CACHED;
    block = runEnd;
    found = fs.tree.next(at) && isExtentOf(at, inode.ino);
  }
  return end - offset;
}

/** Zeros what of the file blocks `from` to `to` lies between `offset` and `end`. */
function zeroFill(into: Uint8Array, intoAt: number, offset: number, end: number, from: number, to: number): void {
  const low = Math.max(from * BLOCK_BYTES, offset) - offset;
  const high = Math.min(to * BLOCK_BYTES, end) - offset;
  into.fill(0, intoAt + low, intoAt + high);
}

/**
 * Reads the file blocks `from` to `to` of the extent under `at`. Whole blocks that fit into what was asked for go straight to their place,
 * also the bytes behind the end of the file in the last one; a block at a ragged edge goes by way of `bounce`.
 */
function readRun(
  fs: Filesystem,
  ino: number,
  from: number,
  to: number,
  offset: number,
  length: number,
  end: number,
  into: Uint8Array,
  intoAt: number,
  wait: boolean,
): boolean {
  const raggedHead = from * BLOCK_BYTES < offset;
  const raggedTail = to * BLOCK_BYTES > offset + length;
  const wholeFrom = raggedHead ? from + 1 : from;
  const wholeTo = raggedTail ? to - 1 : to;
  if (raggedHead && !readEdge(fs, ino, from, offset, end, into, intoAt, wait)) return false;
  if (wholeFrom < wholeTo) {
    const place = intoAt + wholeFrom * BLOCK_BYTES - offset;
    if (!readBlocks(fs, ino, wholeFrom, wholeTo - wholeFrom, into, place, wait)) return false;
  }
  if (raggedTail && to - 1 >= wholeFrom) return readEdge(fs, ino, to - 1, offset, end, into, intoAt, wait);
  return true;
}

function readEdge(
  fs: Filesystem,
  ino: number,
  block: number,
  offset: number,
  end: number,
  into: Uint8Array,
  intoAt: number,
  wait: boolean,
): boolean {
  if (!readBlocks(fs, ino, block, 1, bounce, 0, wait)) return false;
  const low = Math.max(offset - block * BLOCK_BYTES, 0);
  const high = Math.min(end - block * BLOCK_BYTES, BLOCK_BYTES);
  into.set(bounce.subarray(low, high), intoAt + block * BLOCK_BYTES + low - offset);
  return true;
}

function readBlocks(
  fs: Filesystem,
  ino: number,
  fileBlock: number,
  count: number,
  into: Uint8Array,
  intoAt: number,
  wait: boolean,
): boolean {
  const skip = fileBlock - extentFirst(at);
  const start = extentStart(at.page, at.valueAt) + skip;
  const { blocks } = fs.context;
  const bytes = count * BLOCK_BYTES;
  if (wait) blocks.readSync(into, intoAt, bytes, start * BLOCK_BYTES);
  else if (!blocks.readCached(into, intoAt, bytes, start * BLOCK_BYTES)) return false;
  const bad = findDamage(into, intoAt, count, at, skip);
  if (bad >= 0) throw damage(ino, fileBlock + bad, start + bad);
  return true;
}

/** A stretch of data blocks that a read needs, with the checksums that they had when it was planned. */
interface PlannedRun {
  start: number;
  sums: number[];
  /** Where its bytes go in the plan's buffer. */
  place: number;
}

/**
 * Like {@link readData}, by way of the thread pool. `into` must have room for `length` rounded up to whole blocks, plus one block. A block that
 * was overwritten or reused while it was read shows a wrong checksum; the read is then done again, the last time without letting go. When it
 * ends, also by failing, nothing writes to `into` any more.
 */
export async function readDataLater(
  fs: Filesystem,
  ino: number,
  offset: number,
  length: number,
  into: Uint8Array,
): Promise<number> {
  const inode = createInode();
  for (let attempt = 0; attempt < 2; attempt++) {
    if (!fs.alive || !findInode(fs, ino, inode)) throw new FsError('ESTALE', 'read-of-deleted', 'the file is gone');
    const end = Math.min(offset + length, inode.sizeBytes);
    if (end <= offset) return 0;
    if (await readPlanned(fs, plan(fs, ino, offset, end), into)) {
      const skip = offset % BLOCK_BYTES;
      if (skip > 0) into.copyWithin(0, skip, skip + end - offset);
      return end - offset;
    }
  }
  if (!fs.alive || !findInode(fs, ino, inode)) throw new FsError('ESTALE', 'reread-of-deleted', 'the file is gone');
  return readData(fs, inode, offset, length, into, 0, true);
}

function plan(fs: Filesystem, ino: number, offset: number, end: number): { runs: PlannedRun[]; bytes: number } {
  const firstBlock = Math.floor(offset / BLOCK_BYTES);
  const endBlock = Math.ceil(end / BLOCK_BYTES);
  const runs: PlannedRun[] = [];
  for (let found = seekExtent(fs, ino, firstBlock, at); found; found = fs.tree.next(at) && isExtentOf(at, ino)) {
    const first = extentFirst(at);
    if (first >= endBlock) break;
    const from = Math.max(first, firstBlock);
    const to = Math.min(extentEnd(at), endBlock);
    const sums: number[] = [];
    for (let block = from; block < to; block++) sums.push(extentSum(at.page, at.valueAt, block - first));
    const start = extentStart(at.page, at.valueAt) + from - first;
    runs.push({ start, sums, place: (from - firstBlock) * BLOCK_BYTES });
  }
  return { runs, bytes: (endBlock - firstBlock) * BLOCK_BYTES };
}

async function readPlanned(
  fs: Filesystem,
  { runs, bytes }: { runs: PlannedRun[]; bytes: number },
  into: Uint8Array,
): Promise<boolean> {
  // Only where there are holes: a plain file is read over every byte.
  if (runs.reduce((sum, run) => sum + run.sums.length, 0) * BLOCK_BYTES < bytes) into.fill(0, 0, bytes);
  await allEnded(
    runs.map((run) => fs.context.blocks.read(into, run.place, run.sums.length * BLOCK_BYTES, run.start * BLOCK_BYTES)),
  );
  return runs.every((run) =>
    run.sums.every((sum, i) => {
      const from = run.place + i * BLOCK_BYTES;
      return crc32(into.subarray(from, from + BLOCK_BYTES)) === sum;
    }),
  );
}
