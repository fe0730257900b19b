// Directory entries packed one after the other, each padded with zeros to a multiple of 8 bytes.

import { assert } from '../../util/index.ts';
import type { EntryOut } from './attr-types.ts';
import { put64, putEntryOut } from './encode-attr.ts';
import { FUSE_DIRENT, FUSE_DIRENTPLUS } from './layout.ts';

/** FUSE_NAME_LOW_MAX: for a longer name the kernel fails the whole READDIR with EIO (`parse_dirfile`). */
const NAME_MAX = 1024;

/** Bytes that a READDIR entry of a name of `nameBytes` takes. */
export function direntBytes(nameBytes: number): number {
  return (FUSE_DIRENT.SIZE + nameBytes + 7) & ~7;
}

/** Bytes that a READDIRPLUS entry of a name of `nameBytes` takes. */
export function direntPlusBytes(nameBytes: number): number {
  return (FUSE_DIRENTPLUS.SIZE + nameBytes + 7) & ~7;
}

/** `struct fuse_dirent` at byte `at` (a multiple of 8); gives where the next one goes. The name is `name[start]` to `name[end - 1]`. */
export function putDirent(
  bytes: Uint8Array,
  words: Uint32Array,
  at: number,
  inoHi: number,
  inoLo: number,
  nextOffset: number,
  type: number,
  name: Uint8Array,
  start: number,
  end: number,
): number {
  const nameBytes = end - start;
  assert(nameBytes > 0 && nameBytes <= NAME_MAX, 'a directory entry has a name of 1 to 1024 bytes');
  const word = at >>> 2;
  words[word + FUSE_DIRENT.ino / 4] = inoLo;
  words[word + FUSE_DIRENT.ino / 4 + 1] = inoHi;
  put64(words, word + FUSE_DIRENT.off / 4, nextOffset);
  words[word + FUSE_DIRENT.namelen / 4] = nameBytes;
  words[word + FUSE_DIRENT.type / 4] = type;
  let to = at + FUSE_DIRENT.SIZE;
  for (let from = start; from < end; from++) bytes[to++] = name[from]!;
  // The padding goes to the kernel and from there nowhere, but what it holds is another caller's reply.
  while ((to & 7) !== 0) bytes[to++] = 0;
  return to;
}

/** `struct fuse_direntplus` at byte `at` (a multiple of 8); gives where the next one goes. */
export function putDirentPlus(
  bytes: Uint8Array,
  words: Uint32Array,
  at: number,
  entry: EntryOut,
  nextOffset: number,
  name: Uint8Array,
  start: number,
  end: number,
): number {
  putEntryOut(words, at >>> 2, entry);
  const { inoHi, inoLo, mode } = entry.attr;
  const direntAt = at + FUSE_DIRENTPLUS.dirent;
  return putDirent(bytes, words, direntAt, inoHi, inoLo, nextOffset, (mode >>> 12) & 0xf, name, start, end);
}
