// Encoders of attributes, entries, statx and statfs: from the handler's objects into 32-bit words. `at` is a word index of the struct's
// start. A store into a Uint32Array takes the low 32 bits of any integer up to 2^53 and of negative ones, which is the low word.

import type { Attr, EntryOut, StatfsOut, StatxOut } from './attr-types.ts';
import { FUSE_ATTR, FUSE_ATTR_OUT, FUSE_ENTRY_OUT, FUSE_STATFS_OUT, FUSE_STATX_OUT } from './layout.ts';

const INVERSE_U32_SPAN = 1 / 0x1_0000_0000;

/** Writes an integer of magnitude up to 2^53 as a 64-bit number (two's complement) at word `at`. */
export function put64(words: Uint32Array, at: number, value: number): void {
  words[at] = value;
  words[at + 1] = value < 0x1_0000_0000 && value >= 0 ? 0 : Math.floor(value * INVERSE_U32_SPAN);
}

/** Writes a timeout: whole seconds as 64 bits at `secAt`, the rest in nanoseconds at `nsecAt`. */
function putTimeout(words: Uint32Array, secAt: number, nsecAt: number, timeoutMs: number): void {
  const sec = Math.floor(timeoutMs / 1000);
  put64(words, secAt, sec);
  words[nsecAt] = Math.floor((timeoutMs - sec * 1000) * 1_000_000);
}

/** `struct fuse_attr`. */
function putAttr(words: Uint32Array, at: number, attr: Attr): void {
  words[at + FUSE_ATTR.ino / 4] = attr.inoLo;
  words[at + FUSE_ATTR.ino / 4 + 1] = attr.inoHi;
  put64(words, at + FUSE_ATTR.size / 4, attr.size);
  put64(words, at + FUSE_ATTR.blocks / 4, attr.blocks);
  put64(words, at + FUSE_ATTR.atime / 4, attr.atimeSec);
  put64(words, at + FUSE_ATTR.mtime / 4, attr.mtimeSec);
  put64(words, at + FUSE_ATTR.ctime / 4, attr.ctimeSec);
  words[at + FUSE_ATTR.atimensec / 4] = attr.atimeNsec;
  words[at + FUSE_ATTR.mtimensec / 4] = attr.mtimeNsec;
  words[at + FUSE_ATTR.ctimensec / 4] = attr.ctimeNsec;
  words[at + FUSE_ATTR.mode / 4] = attr.mode;
  words[at + FUSE_ATTR.nlink / 4] = attr.nlink;
  words[at + FUSE_ATTR.uid / 4] = attr.uid;
  words[at + FUSE_ATTR.gid / 4] = attr.gid;
  words[at + FUSE_ATTR.rdev / 4] = attr.rdev;
  words[at + FUSE_ATTR.blksize / 4] = attr.blksize;
  words[at + FUSE_ATTR.flags / 4] = attr.flags;
}

/** `struct fuse_attr_out`. */
export function putAttrOut(words: Uint32Array, at: number, attr: Attr, timeoutMs: number): void {
  putTimeout(words, at + FUSE_ATTR_OUT.attr_valid / 4, at + FUSE_ATTR_OUT.attr_valid_nsec / 4, timeoutMs);
  words[at + FUSE_ATTR_OUT.attr_valid_nsec / 4 + 1] = 0;
  putAttr(words, at + FUSE_ATTR_OUT.attr / 4, attr);
}

/** `struct fuse_entry_out`. */
export function putEntryOut(words: Uint32Array, at: number, entry: EntryOut): void {
  words[at + FUSE_ENTRY_OUT.nodeid / 4] = entry.nodeLo;
  words[at + FUSE_ENTRY_OUT.nodeid / 4 + 1] = entry.nodeHi;
  put64(words, at + FUSE_ENTRY_OUT.generation / 4, entry.generation);
  const { entryTimeoutMs, attrTimeoutMs } = entry;
  putTimeout(words, at + FUSE_ENTRY_OUT.entry_valid / 4, at + FUSE_ENTRY_OUT.entry_valid_nsec / 4, entryTimeoutMs);
  putTimeout(words, at + FUSE_ENTRY_OUT.attr_valid / 4, at + FUSE_ENTRY_OUT.attr_valid_nsec / 4, attrTimeoutMs);
  putAttr(words, at + FUSE_ENTRY_OUT.attr / 4, entry.attr);
}

/** The entry that says "no such name, and you may remember that": nodeid 0. */
export function putNegativeEntry(words: Uint32Array, at: number, timeoutMs: number): void {
  words.fill(0, at, at + FUSE_ENTRY_OUT.SIZE / 4);
  putTimeout(words, at + FUSE_ENTRY_OUT.entry_valid / 4, at + FUSE_ENTRY_OUT.entry_valid_nsec / 4, timeoutMs);
}

/** The major number of a device in the kernel's 32-bit form (`new_decode_dev`): 12 bits from bit 8 on. */
function deviceMajor(rdev: number): number {
  return (rdev >>> 8) & 0xfff;
}

/** The minor number: bits 0 to 7, and 20 to 31 above them. */
function deviceMinor(rdev: number): number {
  return (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
}

/** `struct fuse_statx_out`. Device numbers of the filesystem itself are the kernel's own business and stay 0. */
export function putStatxOut(words: Uint32Array, at: number, statx: StatxOut, timeoutMs: number): void {
  const { attr } = statx;
  words.fill(0, at, at + FUSE_STATX_OUT.SIZE / 4);
  putTimeout(words, at + FUSE_STATX_OUT.attr_valid / 4, at + FUSE_STATX_OUT.attr_valid_nsec / 4, timeoutMs);
  words[at + FUSE_STATX_OUT.mask / 4] = statx.mask;
  words[at + FUSE_STATX_OUT.blksize / 4] = attr.blksize;
  put64(words, at + FUSE_STATX_OUT.attributes / 4, statx.attributes);
  words[at + FUSE_STATX_OUT.nlink / 4] = attr.nlink;
  words[at + FUSE_STATX_OUT.uid / 4] = attr.uid;
  words[at + FUSE_STATX_OUT.gid / 4] = attr.gid;
  words[at + FUSE_STATX_OUT.mode / 4] = attr.mode & 0xffff;
  words[at + FUSE_STATX_OUT.ino / 4] = attr.inoLo;
  words[at + FUSE_STATX_OUT.ino / 4 + 1] = attr.inoHi;
  put64(words, at + FUSE_STATX_OUT.size / 4, attr.size);
  put64(words, at + FUSE_STATX_OUT.blocks / 4, attr.blocks);
  put64(words, at + FUSE_STATX_OUT.attributes_mask / 4, statx.attributesMask);
  putStatxTime(words, at + FUSE_STATX_OUT.atime / 4, attr.atimeSec, attr.atimeNsec);
  putStatxTime(words, at + FUSE_STATX_OUT.btime / 4, statx.btimeSec, statx.btimeNsec);
  putStatxTime(words, at + FUSE_STATX_OUT.ctime / 4, attr.ctimeSec, attr.ctimeNsec);
  putStatxTime(words, at + FUSE_STATX_OUT.mtime / 4, attr.mtimeSec, attr.mtimeNsec);
  words[at + FUSE_STATX_OUT.rdev_major / 4] = deviceMajor(attr.rdev);
  words[at + FUSE_STATX_OUT.rdev_minor / 4] = deviceMinor(attr.rdev);
}

function putStatxTime(words: Uint32Array, at: number, sec: number, nsec: number): void {
  put64(words, at, sec);
  words[at + 2] = nsec;
}

/** `struct fuse_statfs_out`. */
export function putStatfsOut(words: Uint32Array, at: number, statfs: StatfsOut): void {
  words.fill(0, at, at + FUSE_STATFS_OUT.SIZE / 4);
  put64(words, at + FUSE_STATFS_OUT.blocks / 4, statfs.blocks);
  put64(words, at + FUSE_STATFS_OUT.bfree / 4, statfs.bfree);
  put64(words, at + FUSE_STATFS_OUT.bavail / 4, statfs.bavail);
  put64(words, at + FUSE_STATFS_OUT.files / 4, statfs.files);
  put64(words, at + FUSE_STATFS_OUT.ffree / 4, statfs.ffree);
  words[at + FUSE_STATFS_OUT.bsize / 4] = statfs.bsize;
  words[at + FUSE_STATFS_OUT.namelen / 4] = statfs.namelen;
  words[at + FUSE_STATFS_OUT.frsize / 4] = statfs.frsize;
}
