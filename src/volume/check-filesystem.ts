// What must be true of the files of one version (design, section 5, invariant 5): link counts, directory structure, extents in order,
// every checksum right. Reads everything; for tools and tests.

import { crc32 } from 'node:zlib';
import {
  BLOCK_BYTES,
  ENTRY,
  type Inode,
  Key,
  createInode,
  decodeInode,
  extentLength,
  extentStart,
  extentSum,
  keyIno,
  keySuffix48,
  keyType,
  keyXattrChunk,
} from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import { get48 } from '../util/index.ts';
import { type Filesystem, ORPHAN_LIST_INO, ROOT_INO } from './filesystem.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/** What the walk has learnt of one inode. */
interface Seen {
  inode: Inode | undefined;
  names: number;
  subdirectories: number;
  /** Directories that have an entry for it. */
  parents: number[];
  blocks: number;
  extentsEnd: number;
  symlinkBytes: number;
  orphan: boolean;
}

/** What is wrong with the files of `fs`: one line each, empty where nothing is. `data`: also compares the checksum of each block. */
export function checkFilesystem(fs: Filesystem, data = true): string[] {
  const problems: string[] = [];
  const seen = new Map<number, Seen>();
  collect(fs, seen, problems, data);
  for (const [ino, entry] of seen) {
    const { inode } = entry;
    if (inode === undefined) problems.push(`inode ${ino}: it is referred to, but not there`);
    else problems.push(...checkInode(inode, entry, seen).map((problem) => `inode ${ino}: ${problem}`));
  }
  problems.push(...checkReachable(seen));
  return problems;
}

function collect(fs: Filesystem, seen: Map<number, Seen>, problems: string[], data: boolean): void {
  const at = new Cursor();
  const key = new Key();
  for (let more = fs.tree.seek(key.inode(0), at); more; more = fs.tree.next(at)) {
    const ino = keyIno(at.page, at.keyAt);
    switch (keyType(at.page, at.keyAt)) {
      case ENTRY.inode:
        seenOf(seen, ino).inode = createInode();
        decodeInode(at.page, at.valueAt, ino, seenOf(seen, ino).inode!);
        break;
      case ENTRY.symlink:
        seenOf(seen, ino).symlinkBytes += at.valueLength;
        break;
      case ENTRY.xattr:
        if (keyXattrChunk(at.page, at.keyAt) === 0) seenOf(seen, ino);
        break;
      case ENTRY.dirent:
        collectDirent(seen, ino, get48(at.page, at.valueAt), at.page[at.valueAt + 6]!, problems);
        break;
      case ENTRY.extent:
        collectExtent(fs, seenOf(seen, ino), ino, at, problems, data);
        break;
      case ENTRY.orphan:
        if (ino !== ORPHAN_LIST_INO) problems.push(`an orphan's mark lies under inode ${ino}`);
        seenOf(seen, keySuffix48(at.page, at.keyAt)).orphan = true;
        break;
      default:
        problems.push(`inode ${ino}: an entry of an unknown kind`);
    }
  }
}

function seenOf(seen: Map<number, Seen>, ino: number): Seen {
  let entry = seen.get(ino);
  if (entry === undefined) {
    entry = {
      inode: undefined,
      names: 0,
      subdirectories: 0,
      parents: [],
      blocks: 0,
      extentsEnd: 0,
      symlinkBytes: 0,
      orphan: false,
    };
    seen.set(ino, entry);
  }
  return entry;
}

function collectDirent(seen: Map<number, Seen>, dir: number, child: number, type: number, problems: string[]): void {
  const entry = seenOf(seen, child);
  entry.names++;
  entry.parents.push(dir);
  if (type === S_IFDIR >>> 12) seenOf(seen, dir).subdirectories++;
  if (child === ROOT_INO) problems.push(`directory ${dir} has an entry for the root`);
}

function collectExtent(fs: Filesystem, entry: Seen, ino: number, at: Cursor, problems: string[], data: boolean): void {
  const first = keySuffix48(at.page, at.keyAt);
  const length = extentLength(at.valueLength);
  const start = extentStart(at.page, at.valueAt);
  if (first < entry.extentsEnd) problems.push(`inode ${ino}: extents overlap at file block ${first}`);
  entry.extentsEnd = first + length;
  entry.blocks += length;
  if (!data) return;
  const bytes = new Uint8Array(length * BLOCK_BYTES);
  fs.context.blocks.readSync(bytes, 0, bytes.length, start * BLOCK_BYTES);
  for (let i = 0; i < length; i++) {
    const block = bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES);
    if (crc32(block) !== extentSum(at.page, at.valueAt, i))
      problems.push(`inode ${ino}: file block ${first + i} is damaged`);
    const sizeBytes = entry.inode?.sizeBytes ?? 0;
    const inside = sizeBytes - (first + i) * BLOCK_BYTES;
    if (inside < BLOCK_BYTES && block.subarray(Math.max(inside, 0)).some((byte) => byte !== 0)) {
      problems.push(`inode ${ino}: bytes behind its end are not zero`);
    }
  }
}

function checkInode(inode: Inode, entry: Seen, seen: Map<number, Seen>): string[] {
  const problems: string[] = [];
  const type = inode.mode & S_IFMT;
  const links = type === S_IFDIR ? linksOfDirectory(inode, entry) : entry.names;
  if (inode.nlink !== links) problems.push(`has ${links} links, its count says ${inode.nlink}`);
  if (entry.orphan !== (inode.nlink === 0))
    problems.push(entry.orphan ? 'is marked as an orphan, but has links' : 'has no link and no mark');
  if (inode.blocks !== entry.blocks) problems.push(`has ${entry.blocks} blocks, its count says ${inode.blocks}`);
  if (entry.extentsEnd > Math.ceil(inode.sizeBytes / BLOCK_BYTES)) problems.push('has blocks behind its end');
  if (type === S_IFLNK && inode.sizeBytes !== entry.symlinkBytes)
    problems.push('the length of its target is not its size');
  if (type === S_IFDIR && inode.ino !== ROOT_INO && inode.nlink > 0) {
    if (entry.parents.length !== 1) problems.push(`is a directory with ${entry.parents.length} names`);
    if (entry.parents[0] !== inode.parent)
      problems.push(`its parent is ${entry.parents[0] ?? 0}, it says ${inode.parent}`);
    const parent = seen.get(inode.parent)?.inode;
    if (parent === undefined || (parent.mode & S_IFMT) !== S_IFDIR) problems.push('its parent is not a directory');
  }
  return problems;
}

function linksOfDirectory(inode: Inode, entry: Seen): number {
  if (inode.ino === ROOT_INO) return 2 + entry.subdirectories;
  return entry.names === 0 ? 0 : 2 + entry.subdirectories;
}

/** Every inode with a link is reached from the root by names. */
function checkReachable(seen: Map<number, Seen>): string[] {
  const problems: string[] = [];
  const reached = new Set<number>([ROOT_INO]);
  for (const [ino, entry] of seen) {
    if (entry.orphan) continue;
    const path = new Set<number>();
    let at = ino;
    while (!reached.has(at) && !path.has(at)) {
      path.add(at);
      at = seen.get(at)?.parents[0] ?? 0;
    }
    if (reached.has(at)) for (const step of path) reached.add(step);
    else problems.push(`inode ${ino}: the root does not lead to it`);
  }
  return problems;
}
