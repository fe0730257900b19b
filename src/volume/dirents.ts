// Directory entries: u48 child, u8 type (mode >>> 12), then the name's bytes, in the slot that the name's hash gives.
// FROZEN BYTES: FORMAT.md, "Directory entry".

import { FsError } from '../errors/index.ts';
import { ENTRY, Key, keyIno, keySuffix48, keyType } from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import { get48, put48 } from '../util/index.ts';
import type { Filesystem } from './filesystem.ts';
import { SlotSearch } from './slot-search.ts';

/** The longest name in bytes (NAME_MAX). */
export const NAME_BYTES_MAX = 255;

const TYPE_AT = 6;
const NAME_AT = 7;

const key = new Key();
const search = new SlotSearch({
  type: ENTRY.dirent,
  keyOf: (dir, slot) => key.dirent(dir, slot),
  hasName: ({ page, valueAt, valueLength }, name) => {
    if (valueLength !== NAME_AT + name.length) return false;
    const start = valueAt + NAME_AT;
    for (let i = 0; i < name.length; i++) if (page[start + i] !== name[i]) return false;
    return true;
  },
});
const { at } = search;

/** The child of the entry whose value starts at `at` of `page`. */
export function direntChild(page: Uint8Array, at: number): number {
  return get48(page, at);
}

/** Its name, a character for each byte; `length`: that of the value. */
export function direntName(page: Uint8Array, at: number, length: number): string {
  return Buffer.from(page.buffer, page.byteOffset + at + NAME_AT, length - NAME_AT).toString('latin1');
}

/** The inode number behind `name` in `dir`, or 0. */
export function findDirent(fs: Filesystem, dir: number, name: Uint8Array): number {
  return search.locate(fs, dir, name) ? get48(at.page, at.valueAt) : 0;
}

/** Adds `name`, which is not there, for `child` of `type` (mode >>> 12). Throws ENOSPC where 256 names share one hash. */
export function insertDirent(fs: Filesystem, dir: number, name: Uint8Array, child: number, type: number): void {
  search.locate(fs, dir, name);
  const { freeSlot } = search;
  if (freeSlot < 0) throw new FsError('ENOSPC', 'name-slots-full', 'too many names of this directory share one hash');
  fs.tree.put(key.dirent(dir, freeSlot), NAME_AT + name.length, at);
  const value = at.valueAt;
  put48(at.page, value, child);
  at.page[value + TYPE_AT] = type;
  for (let i = 0; i < name.length; i++) at.page[value + NAME_AT + i] = name[i]!;
}

/** Points the existing entry `name` at another child. */
export function replaceDirent(fs: Filesystem, dir: number, name: Uint8Array, child: number, type: number): void {
  search.locate(fs, dir, name);
  key.copy(at.page, at.keyAt, at.keyLength);
  fs.tree.edit(key, at);
  put48(at.page, at.valueAt, child);
  at.page[at.valueAt + TYPE_AT] = type;
}

/** Removes the entry `name`, which is there. */
export function removeDirent(fs: Filesystem, dir: number, name: Uint8Array): void {
  if (search.locate(fs, dir, name)) fs.tree.removeAt(at);
}

/** Whether `dir` has no entries. */
export function isEmptyDirectory(fs: Filesystem, dir: number): boolean {
  return !fs.tree.seek(key.dirent(dir, 0), at) || !search.isOf(dir);
}

/**
 * One pass over a directory's entries. Made once and reused; look-ups of other things in between are fine, changes of the tree
 * end the pass.
 */
export class DirectoryScan {
  readonly #key = new Key();
  readonly #at = new Cursor();
  #dir = 0;

  /** Goes to the first entry of `dir` in slot `slot` or after; false where there is none. */
  start(fs: Filesystem, dir: number, slot: number): boolean {
    this.#dir = dir;
    return fs.tree.seek(this.#key.dirent(dir, slot), this.#at) && this.#inside();
  }

  /** Goes to the next entry; false at the end. */
  next(fs: Filesystem): boolean {
    return fs.tree.next(this.#at) && this.#inside();
  }

  #inside(): boolean {
    const keyStart = this.#at.keyAt;
    return keyType(this.#at.page, keyStart) === ENTRY.dirent && keyIno(this.#at.page, keyStart) === this.#dir;
  }

  /** Where the entry lies: u48; the pass goes on behind it with `slot + 1`. */
  get slot(): number {
    return keySuffix48(this.#at.page, this.#at.keyAt);
  }

  get child(): number {
    return get48(this.#at.page, this.#at.valueAt);
  }

  /** `mode >>> 12` of the child: the d_type of readdir. */
  get type(): number {
    return this.#at.page[this.#at.valueAt + TYPE_AT]!;
  }

  /** The name is `bytes[nameStart..nameEnd)`. */
  get bytes(): Uint8Array {
    return this.#at.page;
  }

  get nameStart(): number {
    return this.#at.valueAt + NAME_AT;
  }

  get nameEnd(): number {
    return this.#at.valueAt + this.#at.valueLength;
  }
}
