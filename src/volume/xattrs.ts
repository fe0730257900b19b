// Extended attributes. Each lies in the slot that its name's hash gives, in pieces:
//   piece 0: u8 name length, u32 value length, name, first bytes of the value; further pieces: the rest of the value.
// FROZEN BYTES: FORMAT.md, "Extended attribute".

import { CorruptionError, FsError } from '../errors/index.ts';
import { ENTRY, ENTRY_VALUE_BYTES_MAX, Key, keySuffix48, keyXattrChunk } from '../format/index.ts';
import { get32, put32 } from '../util/index.ts';
import type { Filesystem } from './filesystem.ts';
import { SlotSearch } from './slot-search.ts';

/** The longest name and value in bytes (XATTR_NAME_MAX, XATTR_SIZE_MAX). */
export const XATTR_NAME_BYTES_MAX = 255;
export const XATTR_VALUE_BYTES_MAX = 65_536;

const NAME_AT = 5;

const key = new Key();
const search = new SlotSearch({
  type: ENTRY.xattr,
  keyOf: (ino, slot) => key.xattr(ino, slot, 0),
  hasName: ({ page, keyAt, valueAt }, name) => {
    if (keyXattrChunk(page, keyAt) !== 0 || page[valueAt] !== name.length) return false;
    const start = valueAt + NAME_AT;
    for (let i = 0; i < name.length; i++) if (page[start + i] !== name[i]) return false;
    return true;
  },
});
const { at } = search;

/** The length of the attribute's value in bytes, or -1 where there is no such attribute. */
export function xattrLength(fs: Filesystem, ino: number, name: Uint8Array): number {
  return search.locate(fs, ino, name) ? get32(at.page, at.valueAt + 1) : -1;
}

/** The attribute's value, or undefined where there is none. */
export function getXattr(fs: Filesystem, ino: number, name: Uint8Array): Uint8Array | undefined {
  if (!search.locate(fs, ino, name)) return undefined;
  const slot = keySuffix48(at.page, at.keyAt);
  const value = new Uint8Array(get32(at.page, at.valueAt + 1));
  let filled = 0;
  let skip = NAME_AT + name.length;
  for (let chunk = 0; ; chunk++) {
    if (!fs.tree.find(key.xattr(ino, slot, chunk), at)) {
      throw new CorruptionError(`inode ${ino}`, 'a piece of an extended attribute is missing');
    }
    value.set(at.page.subarray(at.valueAt + skip, at.valueAt + at.valueLength), filled);
    filled += at.valueLength - skip;
    skip = 0;
    if (filled >= value.length) return value;
  }
}

/** Sets the attribute, whether it was there or not. */
export function setXattr(fs: Filesystem, ino: number, name: Uint8Array, value: Uint8Array): void {
  removeXattr(fs, ino, name);
  search.locate(fs, ino, name);
  const slot = search.freeSlot;
  if (slot < 0) throw new FsError('ENOSPC', 'xattr-slots-full', 'too many attributes of this file share one hash');
  const head = NAME_AT + name.length;
  const first = Math.min(value.length, ENTRY_VALUE_BYTES_MAX - head);
  fs.tree.put(key.xattr(ino, slot, 0), head + first, at);
  at.page[at.valueAt] = name.length;
  put32(at.page, at.valueAt + 1, value.length);
  at.page.set(name, at.valueAt + NAME_AT);
  at.page.set(value.subarray(0, first), at.valueAt + head);
  for (let from = first, chunk = 1; from < value.length; from += ENTRY_VALUE_BYTES_MAX, chunk++) {
    const piece = value.subarray(from, from + ENTRY_VALUE_BYTES_MAX);
    fs.tree.put(key.xattr(ino, slot, chunk), piece.length, at);
    at.page.set(piece, at.valueAt);
  }
}

/** Removes the attribute; false where there is none. */
export function removeXattr(fs: Filesystem, ino: number, name: Uint8Array): boolean {
  if (!search.locate(fs, ino, name)) return false;
  const slot = keySuffix48(at.page, at.keyAt);
  for (let chunk = 0; fs.tree.remove(key.xattr(ino, slot, chunk)); chunk++);
  return true;
}

/** Calls `visit` with the name `bytes[start..end)` of each attribute of `ino`. */
export function eachXattr(
  fs: Filesystem,
  ino: number,
  visit: (bytes: Uint8Array, start: number, end: number) => void,
): void {
  if (!fs.tree.seek(key.xattr(ino, 0, 0), at)) return;
  do {
    if (!search.isOf(ino)) return;
    if (keyXattrChunk(at.page, at.keyAt) !== 0) continue;
    const start = at.valueAt + NAME_AT;
    visit(at.page, start, start + at.page[at.valueAt]!);
  } while (fs.tree.next(at));
}

/** Removes all attributes of `ino`. */
export function removeXattrs(fs: Filesystem, ino: number): void {
  while (fs.tree.seek(key.xattr(ino, 0, 0), at) && search.isOf(ino)) fs.tree.removeAt(at);
}
