// Keys of the entries in a volume's B+tree. All numbers are fixed-width big-endian, so one inode's entries lie side by side: the
// inode itself, its symlink target, its extended attributes, its directory entries, its extents.
// FROZEN BYTES: see FORMAT.md, "Tree keys".

import { get16, get48, put16, put48 } from '../util/index.ts';

/** What an entry is; the byte after the inode number. */
export const ENTRY = {
  inode: 0x01,
  symlink: 0x02,
  xattr: 0x03,
  dirent: 0x04,
  extent: 0x05,
  orphan: 0x06,
} as const;

/** The longest tree key: that of an extended attribute. */
const TREE_KEY_BYTES_MAX = 15;

const TYPE_AT = 6;
const SUFFIX_AT = 7;

/** A key in the making: reused by its owner, so that look-ups allocate nothing. */
export class Key {
  readonly bytes = new Uint8Array(TREE_KEY_BYTES_MAX);
  length = 0;

  #start(ino: number, type: number, length: number): this {
    put48(this.bytes, 0, ino);
    this.bytes[TYPE_AT] = type;
    this.length = length;
    return this;
  }

  /** The inode `ino` itself; also the first key of all that belongs to it. */
  inode(ino: number): this {
    return this.#start(ino, ENTRY.inode, SUFFIX_AT);
  }

  /** Piece `chunk` (u16) of the target of symlink `ino`. */
  symlink(ino: number, chunk: number): this {
    put16(this.bytes, SUFFIX_AT, chunk);
    return this.#start(ino, ENTRY.symlink, SUFFIX_AT + 2);
  }

  /** Piece `chunk` (u16) of the extended attribute in hash slot `slot` (u48). */
  xattr(ino: number, slot: number, chunk: number): this {
    put48(this.bytes, SUFFIX_AT, slot);
    put16(this.bytes, SUFFIX_AT + 6, chunk);
    return this.#start(ino, ENTRY.xattr, SUFFIX_AT + 8);
  }

  /** The directory entry in hash slot `slot` (u48) of directory `ino`. */
  dirent(ino: number, slot: number): this {
    put48(this.bytes, SUFFIX_AT, slot);
    return this.#start(ino, ENTRY.dirent, SUFFIX_AT + 6);
  }

  /** The extent of `ino` that starts at file block `fileBlock` (u48). */
  extent(ino: number, fileBlock: number): this {
    put48(this.bytes, SUFFIX_AT, fileBlock);
    return this.#start(ino, ENTRY.extent, SUFFIX_AT + 6);
  }

  /** The mark that `orphan` has no name but was open; all marks lie under the reserved inode `list`. */
  orphan(list: number, orphan: number): this {
    put48(this.bytes, SUFFIX_AT, orphan);
    return this.#start(list, ENTRY.orphan, SUFFIX_AT + 6);
  }

  /** Copies `length` bytes at `at` of `page`: the way to go on from an entry that was found. */
  copy(page: Uint8Array, at: number, length: number): this {
    for (let i = 0; i < length; i++) this.bytes[i] = page[at + i]!;
    this.length = length;
    return this;
  }
}

/** The inode number of the tree key at `at`. */
export function keyIno(page: Uint8Array, at: number): number {
  return get48(page, at);
}

/** The kind (one of {@link ENTRY}) of the tree key at `at`. */
export function keyType(page: Uint8Array, at: number): number {
  return page[at + TYPE_AT]!;
}

/** The u48 after the kind: file block, hash slot or orphan. */
export function keySuffix48(page: Uint8Array, at: number): number {
  return get48(page, at + SUFFIX_AT);
}

/** The chunk number at the end of an xattr's key. */
export function keyXattrChunk(page: Uint8Array, at: number): number {
  return get16(page, at + SUFFIX_AT + 6);
}
