// Inodes without a name. An unlinked file lives on while somebody has it open; a mark in the tree says so, and whatever is still
// marked when a volume is opened was left over by a crash (or came along in a snapshot) and is destroyed then.

import { ENTRY, type Inode, Key, createInode, keyIno, keySuffix48, keyType } from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import { removeSymlink } from './symlinks.ts';
import { extentEnd, seekExtent, unmapBlocks } from './extents.ts';
import { type Filesystem, ORPHAN_LIST_INO } from './filesystem.ts';
import { findInode, removeInode, saveInode } from './inodes.ts';
import { removeXattrs } from './xattrs.ts';

const key = new Key();
const at = new Cursor();
const inode: Inode = createInode();

/** Marks `ino`, which has lost its last name. */
export function addOrphan(fs: Filesystem, ino: number): void {
  fs.tree.put(key.orphan(ORPHAN_LIST_INO, ino), 0, at);
}

/** Takes the mark off `ino`, which was given a name again or is destroyed; false where it had none. */
export function removeOrphan(fs: Filesystem, ino: number): boolean {
  return fs.tree.remove(key.orphan(ORPHAN_LIST_INO, ino));
}

/** Whether `ino` is marked: it has no name (any more), or not yet (O_TMPFILE). */
export function isOrphan(fs: Filesystem, ino: number): boolean {
  return fs.tree.find(key.orphan(ORPHAN_LIST_INO, ino), at);
}

/** All marked inodes. Throws CorruptionError where the list can't be read. */
export function orphansOf(fs: Filesystem): number[] {
  const inos: number[] = [];
  for (let ino = nextOrphan(fs, 0); ino !== 0; ino = nextOrphan(fs, ino)) inos.push(ino);
  return inos;
}

/** The first marked inode after `after`, or 0. */
function nextOrphan(fs: Filesystem, after: number): number {
  if (!fs.tree.seek(key.orphan(ORPHAN_LIST_INO, after + 1), at)) return 0;
  const keyStart = at.keyAt;
  if (keyType(at.page, keyStart) !== ENTRY.orphan || keyIno(at.page, keyStart) !== ORPHAN_LIST_INO) return 0;
  return keySuffix48(at.page, keyStart);
}

/**
 * Destroys the marked inode `ino` and everything that belongs to it, at most `extents` extents at a time. True when it is gone, false where
 * there is more to do: a large file must not hold up others. Throws what {@link Filesystem.change} forbids, before anything changed; CorruptionError
 * perhaps in its midst.
 */
export function destroyOrphan(fs: Filesystem, ino: number, extents: number): boolean {
  const head = fs.change();
  if (!findInode(fs, ino, inode)) {
    removeOrphan(fs, ino);
    return true;
  }
  for (let i = 0; seekExtent(fs, ino, 0, at); i++) {
    if (i === extents) {
      saveInode(fs, inode);
      return false;
    }
    unmapBlocks(fs, head, inode, 0, extentEnd(at));
  }
  removeXattrs(fs, ino);
  removeSymlink(fs, ino);
  removeInode(fs, ino);
  removeOrphan(fs, ino);
  return true;
}
