// nodeids: what the kernel calls a file. Derived from what is stored, so that no table is needed to understand one:
//
//   high 32 bits   tag of the version (24 bits), bits 32 to 39 of the inode number
//   low 32 bits    bits 0 to 31 of the inode number
//
// Tag 0 is no version's: 0/1 is the root of the mount, whichever filesystem that is, 0/2 is `.snapshots`, and 1/x is
// `.snapshots/latest`, where x tells its targets apart. The root's own nodeid is never given out with a tag, so that each file has one nodeid in a mount.

import { FsError } from '../errors/index.ts';
import { U32_SPAN } from '../util/index.ts';
import { type Filesystem, ROOT_INO, SNAPDIR_INO, type View } from '../vfs/index.ts';

/** The low half of the nodeid of `.snapshots`; the high half is 0. */
export const SNAPDIR_NODE_LO = SNAPDIR_INO;

/** The high half of the nodeids of `.snapshots/latest`; the low half depends on what it leads to. */
export const LATEST_NODE_HI = 1;

/** The halves of a nodeid, which are those of an inode number too. */
export interface Halves {
  hi: number;
  lo: number;
}

/** A file that a nodeid stands for. Reused: nothing keeps one beyond an operation. */
export class Node {
  fs: Filesystem;
  ino = 0;
  tag = 0;

  constructor(view: View) {
    this.fs = view.filesystem;
  }

  /** Whether the node is of the files that the mount shows at its root, and not of a snapshot under `.snapshots`. */
  isOwn(view: View): boolean {
    return this.fs === view.filesystem;
  }

  /**
   * Becomes the file that the nodeid `hi`/`lo` stands for. Throws FsError ESTALE where its version was deleted, EIO where
   * it is half-changed. Whether the inode is still there shows when it is read.
   */
  resolve(view: View, hi: number, lo: number): void {
    const tag = hi >>> 8;
    this.tag = tag === 0 ? view.tag : tag;
    this.ino = tag === 0 ? lo : (hi & 0xff) * U32_SPAN + lo;
    const fs = this.tag === view.tag ? view.filesystem : view.volumes.byTag(tag);
    if (fs?.alive !== true) refuseStale();
    if (fs.halfChanged !== undefined) throw fs.halfChanged;
    // `.snapshots` has handlers of its own; here it is the other side of a rename.
    if (isSyntheticNode(hi, lo)) refuseOtherSide();
    this.fs = fs;
  }
}

function refuseStale(): never {
  throw new FsError('ESTALE', 'version-gone', 'the snapshot or volume was deleted');
}

/** Not EXDEV: mv would go on to copy, and the mkdir that it begins with would take a snapshot. */
function refuseOtherSide(): never {
  throw new FsError('EPERM', 'snapdir-other-side', 'nothing is moved or linked into or out of .snapshots');
}

/** Whether a nodeid is that of `.snapshots`. */
export function isSnapdirNode(hi: number, lo: number): boolean {
  return hi === 0 && lo === SNAPDIR_NODE_LO;
}

/** Whether a nodeid is that of `.snapshots` or of the symlink in it. */
export function isSyntheticNode(hi: number, lo: number): boolean {
  return hi === LATEST_NODE_HI || isSnapdirNode(hi, lo);
}

/** The high half of the number that has `tag` and inode number `ino` in it. */
export function taggedHi(tag: number, ino: number): number {
  return ((tag << 8) | Math.floor(ino / U32_SPAN)) >>> 0;
}

/** Sets `into` to the nodeid of inode `ino` of the version with `tag`. */
export function putNodeId(view: View, tag: number, ino: number, into: Halves): void {
  const isRoot = ino === ROOT_INO && tag === view.tag;
  into.hi = isRoot ? 0 : taggedHi(tag, ino);
  into.lo = ino >>> 0;
}

/**
 * The high half of `st_ino` of inode `ino` of the version with `tag`: the plain number for the files at the root of the
 * mount, which archives and backups know them by; with the tag for those under `.snapshots`, of which several versions
 * are in one mount. The low half is `ino >>> 0`.
 */
export function statInoHi(view: View, tag: number, ino: number): number {
  return tag === view.tag ? Math.floor(ino / U32_SPAN) : taggedHi(tag, ino);
}
