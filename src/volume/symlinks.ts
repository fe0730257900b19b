// Symlink targets, in pieces where they are longer than an entry may be.

import { CorruptionError } from '../errors/index.ts';
import { ENTRY_VALUE_BYTES_MAX, Key } from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import type { Filesystem } from './filesystem.ts';

/** The longest target in bytes (PATH_MAX without its final zero). */
export const SYMLINK_BYTES_MAX = 4095;

const key = new Key();
const at = new Cursor();

/** Stores the target of the new symlink `ino`. */
export function insertSymlink(fs: Filesystem, ino: number, target: Uint8Array): void {
  for (let from = 0, chunk = 0; from < target.length; from += ENTRY_VALUE_BYTES_MAX, chunk++) {
    const piece = target.subarray(from, from + ENTRY_VALUE_BYTES_MAX);
    fs.tree.put(key.symlink(ino, chunk), piece.length, at);
    at.page.set(piece, at.valueAt);
  }
}

/** Copies the target of symlink `ino`, of `length` bytes, to the start of `into`. */
export function readSymlink(fs: Filesystem, ino: number, length: number, into: Uint8Array): void {
  for (let from = 0, chunk = 0; from < length; chunk++) {
    if (!fs.tree.find(key.symlink(ino, chunk), at))
      throw new CorruptionError(`symlink ${ino}`, 'a piece of its target is missing');
    into.set(at.page.subarray(at.valueAt, at.valueAt + at.valueLength), from);
    from += at.valueLength;
  }
}

/** Removes the target of symlink `ino`. */
export function removeSymlink(fs: Filesystem, ino: number): void {
  for (let chunk = 0; fs.tree.remove(key.symlink(ino, chunk)); chunk++);
}
