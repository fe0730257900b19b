// The value of an inode entry, 90 bytes:
//
//   0  u16  mode: type and permission bits
//   2  u32  nlink            6  u32  uid           10 u32  gid
//   14 u32  rdev             18 u32  flags (zero)
//   22 i64  size in bytes
//   30 u48  data blocks, in units of 4 KiB
//   36 u48  parent: for directories the directory that holds them; else a directory that got one of its names (a hint), or 0
//   42 i64 + u32  atime      54 i64 + u32  mtime   66 i64 + u32  ctime   78 i64 + u32  btime
// FROZEN BYTES: FORMAT.md, "Inode".

import { type Timespec, get16, get32, get48, getI64, put16, put32, put48, putI64 } from '../util/index.ts';

export const INODE_BYTES = 90;

/** An inode in memory. Reused by its owner: nothing keeps one beyond an operation. */
export interface Inode {
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  sizeBytes: number;
  /** Allocated data blocks of 4 KiB. */
  blocks: number;
  parent: number;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
  readonly btime: Timespec;
}

/** An empty inode to decode into. */
export function createInode(): Inode {
  const time = (): Timespec => ({ sec: 0, nsec: 0 });
  return {
    ...{ ino: 0, mode: 0, nlink: 0, uid: 0, gid: 0, rdev: 0, sizeBytes: 0, blocks: 0, parent: 0 },
    ...{ atime: time(), mtime: time(), ctime: time(), btime: time() },
  };
}

/** Reads the record at `at` of `page` into `inode`, whose `ino` is `ino`. */
export function decodeInode(page: Uint8Array, at: number, ino: number, inode: Inode): void {
  inode.ino = ino;
  inode.mode = get16(page, at);
  inode.nlink = get32(page, at + 2);
  inode.uid = get32(page, at + 6);
  inode.gid = get32(page, at + 10);
  inode.rdev = get32(page, at + 14);
  inode.sizeBytes = getI64(page, at + 22);
  inode.blocks = get48(page, at + 30);
  inode.parent = get48(page, at + 36);
  getTime(page, at + 42, inode.atime);
  getTime(page, at + 54, inode.mtime);
  getTime(page, at + 66, inode.ctime);
  getTime(page, at + 78, inode.btime);
}

/** Writes the record of `inode` at `at` of `page`. */
export function encodeInode(inode: Inode, page: Uint8Array, at: number): void {
  put16(page, at, inode.mode);
  put32(page, at + 2, inode.nlink);
  put32(page, at + 6, inode.uid);
  put32(page, at + 10, inode.gid);
  put32(page, at + 14, inode.rdev);
  put32(page, at + 18, 0);
  putI64(page, at + 22, inode.sizeBytes);
  put48(page, at + 30, inode.blocks);
  put48(page, at + 36, inode.parent);
  putTime(page, at + 42, inode.atime);
  putTime(page, at + 54, inode.mtime);
  putTime(page, at + 66, inode.ctime);
  putTime(page, at + 78, inode.btime);
}

function getTime(page: Uint8Array, at: number, time: Timespec): void {
  time.sec = getI64(page, at);
  time.nsec = get32(page, at + 8);
}

function putTime(page: Uint8Array, at: number, time: Timespec): void {
  putI64(page, at, time.sec);
  put32(page, at + 8, time.nsec);
}
