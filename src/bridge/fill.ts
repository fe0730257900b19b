// From stored inodes to what the kernel is told.

import type { Attr, EntryOut, StatxOut } from '../fuse/index.ts';
import type { Inode } from '../vfs/index.ts';

/** Units of 512 bytes in a data block. */
const SECTORS_PER_BLOCK = 8;

/**
 * `st_blksize`: how much programs should read and write at a time. The C library's buffers have this size, and each
 * write(2) is a round trip, so 64 KiB saves fifteen of sixteen that 4 KiB would cost.
 */
const PREFERRED_BYTES = 65_536;

/** STATX_BASIC_STATS and STATX_BTIME (linux/stat.h). */
const STATX_FIELDS = 0x7ff | 0x800;

/** Fills `attr` from `inode`; `inoHi` is the high half of the number that stat(2) is to show. */
export function fillAttr(attr: Attr, inode: Inode, inoHi: number): void {
  attr.inoHi = inoHi;
  attr.inoLo = inode.ino >>> 0;
  attr.size = inode.sizeBytes;
  attr.blocks = inode.blocks * SECTORS_PER_BLOCK;
  attr.atimeSec = inode.atime.sec;
  attr.atimeNsec = inode.atime.nsec;
  attr.mtimeSec = inode.mtime.sec;
  attr.mtimeNsec = inode.mtime.nsec;
  attr.ctimeSec = inode.ctime.sec;
  attr.ctimeNsec = inode.ctime.nsec;
  attr.mode = inode.mode;
  attr.nlink = inode.nlink;
  attr.uid = inode.uid;
  attr.gid = inode.gid;
  attr.rdev = inode.rdev;
  attr.blksize = PREFERRED_BYTES;
  attr.flags = 0;
}

/** Fills what statx(2) shows beyond that: the time of birth. */
export function fillStatx(statx: StatxOut, inode: Inode, inoHi: number): void {
  fillAttr(statx.attr, inode, inoHi);
  statx.mask = STATX_FIELDS;
  statx.btimeSec = inode.btime.sec;
  statx.btimeNsec = inode.btime.nsec;
  statx.attributes = 0;
  statx.attributesMask = 0;
}

/** Makes `entry` one of READDIRPLUS that is listed but not looked up: "." and "..". */
export function fillUncounted(entry: EntryOut, inoHi: number, inoLo: number, mode: number): void {
  entry.nodeHi = 0;
  entry.nodeLo = 0;
  entry.entryTimeoutMs = 0;
  entry.attrTimeoutMs = 0;
  entry.attr.inoHi = inoHi;
  entry.attr.inoLo = inoLo;
  entry.attr.mode = mode;
}
