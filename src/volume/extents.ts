// Which file block lies where: the extents of an inode.
// INVARIANT: the extents of an inode ascend and do not overlap, and inode.blocks is the sum of their lengths (checked by checkFilesystem).

import {
  ENTRY,
  ENTRY_VALUE_BYTES_MAX,
  EXTENT_BLOCKS_MAX,
  type Inode,
  Key,
  extentBirth,
  extentBytes,
  extentLength,
  extentStart,
  keyIno,
  keySuffix48,
  keyType,
  putExtent,
  putExtentSum,
} from '../format/index.ts';
import { Cursor, type Head } from '../tree/index.ts';
import type { Filesystem } from './filesystem.ts';

const key = new Key();
const at = new Cursor();
const taken = new Uint8Array(ENTRY_VALUE_BYTES_MAX);

/** Whether `cursor` is on an extent of `ino`. */
export function isExtentOf(cursor: Cursor, ino: number): boolean {
  const keyStart = cursor.keyAt;
  return keyType(cursor.page, keyStart) === ENTRY.extent && keyIno(cursor.page, keyStart) === ino;
}

/** The first file block of the extent that `cursor` is on. */
export function extentFirst(cursor: Cursor): number {
  return keySuffix48(cursor.page, cursor.keyAt);
}

/** The file block behind the last one of the extent that `cursor` is on. */
export function extentEnd(cursor: Cursor): number {
  return extentFirst(cursor) + extentLength(cursor.valueLength);
}

/** Puts `cursor` on the extent of `ino` that holds `fileBlock`, or on the first behind it; false where there is neither. */
export function seekExtent(fs: Filesystem, ino: number, fileBlock: number, cursor: Cursor): boolean {
  const { tree } = fs;
  if (tree.find(key.extent(ino, fileBlock), cursor)) return true;
  if (tree.previous(cursor)) {
    if (isExtentOf(cursor, ino) && extentEnd(cursor) > fileBlock) return true;
    return tree.next(cursor) && isExtentOf(cursor, ino);
  }
  return cursor.atEntry && isExtentOf(cursor, ino);
}

/** How many of the file blocks `from` to `to` (exclusive) are mapped. */
export function mappedBlocks(fs: Filesystem, ino: number, from: number, to: number): number {
  let mapped = 0;
  for (let found = seekExtent(fs, ino, from, at); found; found = fs.tree.next(at) && isExtentOf(at, ino)) {
    if (extentFirst(at) >= to) break;
    mapped += Math.min(extentEnd(at), to) - Math.max(extentFirst(at), from);
  }
  return mapped;
}

/** Unmaps the file blocks `from` to `to` (exclusive), which then read as zeros. The caller saves `inode`. */
export function unmapBlocks(fs: Filesystem, head: Head, inode: Inode, from: number, to: number): void {
  const { blocks } = inode;
  unmapExtents(fs, head, inode, from, to);
  if (inode.blocks !== blocks) fs.context.recorder.unmapped(head.volume, inode.ino, from, to);
}

function unmapExtents(fs: Filesystem, head: Head, inode: Inode, from: number, to: number): void {
  while (from < to && seekExtent(fs, inode.ino, from, at)) {
    const first = extentFirst(at);
    if (first >= to) return;
    const end = extentEnd(at);
    const start = extentStart(at.page, at.valueAt);
    const birth = extentBirth(at.page, at.valueAt);
    const cutFrom = Math.max(first, from);
    const cutTo = Math.min(end, to);
    cutExtent(fs, inode.ino, first, end, cutFrom, cutTo);
    head.dropBlocks(start + cutFrom - first, cutTo - cutFrom, birth);
    inode.blocks -= cutTo - cutFrom;
  }
}

/** Leaves of the extent that `at` is on only what lies before `cutFrom` and from `cutTo` on. */
function cutExtent(fs: Filesystem, ino: number, first: number, end: number, cutFrom: number, cutTo: number): void {
  const valueAt = at.valueAt;
  for (let i = 0, length = at.valueLength; i < length; i++) taken[i] = at.page[valueAt + i]!;
  if (cutFrom === first) fs.tree.removeAt(at);
  else putPart(fs, ino, first, first, cutFrom);
  if (cutTo < end) putPart(fs, ino, first, cutTo, end);
}

/** Writes the part `from` to `to` of the extent in `taken`, which starts at file block `first`. */
function putPart(fs: Filesystem, ino: number, first: number, from: number, to: number): void {
  const skip = from - first;
  fs.tree.put(key.extent(ino, from), extentBytes(to - from), at);
  putExtent(at.page, at.valueAt, extentStart(taken, 0) + skip, extentBirth(taken, 0));
  const sums = at.valueAt + extentBytes(0);
  const source = extentBytes(skip);
  for (let i = 0, length = 4 * (to - from); i < length; i++) at.page[sums + i] = taken[source + i]!;
}

/**
 * Maps the `count` (1 to 256) unmapped file blocks from `fileBlock` on to the newly allocated data blocks from `start` on, with
 * the checksums `sums[0..count)`. Goes on with the extent before where that ends there. The caller saves `inode`.
 */
export function mapBlocks(
  fs: Filesystem,
  head: Head,
  inode: Inode,
  fileBlock: number,
  start: number,
  count: number,
  sums: Uint32Array,
): void {
  head.blocksAllocated(count);
  inode.blocks += count;
  let before = 0;
  if (joinsPrevious(fs, head, inode.ino, fileBlock, start, count)) {
    before = extentLength(at.valueLength);
    const valueAt = at.valueAt;
    for (let i = 0, length = at.valueLength; i < length; i++) taken[i] = at.page[valueAt + i]!;
  }
  fs.tree.put(key.extent(inode.ino, fileBlock - before), extentBytes(before + count), at);
  const { page, valueAt } = at;
  putExtent(page, valueAt, start - before, head.id);
  for (let i = extentBytes(0), end = extentBytes(before); i < end; i++) page[valueAt + i] = taken[i]!;
  for (let i = 0; i < count; i++) putExtentSum(page, valueAt, before + i, sums[i]!);
}

/** Whether the extent before `fileBlock` (then under `at`) ends there on disk too, is of this version and has room for `count` more. */
function joinsPrevious(
  fs: Filesystem,
  head: Head,
  ino: number,
  fileBlock: number,
  start: number,
  count: number,
): boolean {
  if (fileBlock === 0) return false;
  fs.tree.find(key.extent(ino, fileBlock), at);
  if (!fs.tree.previous(at) || !isExtentOf(at, ino)) return false;
  const length = extentLength(at.valueLength);
  return (
    extentFirst(at) + length === fileBlock &&
    extentStart(at.page, at.valueAt) + length === start &&
    extentBirth(at.page, at.valueAt) === head.id &&
    length + count <= EXTENT_BLOCKS_MAX
  );
}

/** Sets the checksum of the mapped block `fileBlock`, whose data was changed in place. The extent is the version's own. */
export function setBlockSum(fs: Filesystem, ino: number, fileBlock: number, sum: number): void {
  seekExtent(fs, ino, fileBlock, at);
  const first = extentFirst(at);
  fs.tree.edit(key.extent(ino, first), at);
  putExtentSum(at.page, at.valueAt, fileBlock - first, sum);
}
