/**
 * Linux system calls that node:fs lacks, for the tests only, through koffi. Paths are strings or raw bytes; every
 * function throws SyscallError. They block: only the child programs of the tests call them, never a test runner's
 * own process, which must outlive a mount that hangs.
 */
import koffi from 'koffi';
import { SyscallError } from './errno.ts';

export type Path = string | Buffer;

const libc = koffi.load('libc.so.6');

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_SYMLINK_FOLLOW = 0x400;

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;

export const FALLOC_FL_KEEP_SIZE = 1;
export const FALLOC_FL_PUNCH_HOLE = 2;
export const FALLOC_FL_COLLAPSE_RANGE = 8;
export const FALLOC_FL_ZERO_RANGE = 16;
export const FALLOC_FL_INSERT_RANGE = 32;

export const SEEK_SET = 0;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

/** Nanosecond values with a meaning of their own for `utimens` (utimensat(2)). */
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;

/** Not in fs.constants; the generic value, without O_DIRECTORY (asm-generic/fcntl.h). */
export const O_TMPFILE_BIT = 0o20000000;
export const O_PATH = 0o10000000;
export const O_NOATIME = 0o1000000;

/** A point in time as struct timespec: whole seconds (negative before 1970) and nanoseconds or UTIME_NOW/OMIT. */
export interface Timespec {
  sec: number;
  nsec: number;
}

function bytesOf(path: Path): Buffer {
  return Buffer.concat([typeof path === 'string' ? Buffer.from(path) : path, Buffer.of(0)]);
}

function check(syscall: string, result: number | bigint): number {
  const value = Number(result);
  if (value === -1) throw new SyscallError(syscall, koffi.errno());
  return value;
}

type Call = (...args: (number | bigint | Buffer | null)[]) => number | bigint;

/** Declares one C function; the casts end here, since koffi types every call as any. */
function declare(prototype: string): Call {
  return libc.func(prototype) as Call;
}

const c = {
  renameat2: declare('int renameat2(int od, const void *op, int nd, const void *np, uint flags)'),
  linkat: declare('int linkat(int od, const void *op, int nd, const void *np, int flags)'),
  lseek: declare('int64_t lseek(int fd, int64_t offset, int whence)'),
  fallocate: declare('int fallocate(int fd, int mode, int64_t offset, int64_t length)'),
  utimensat: declare('int utimensat(int fd, const void *path, const void *times, int flags)'),
  futimens: declare('int futimens(int fd, const void *times)'),
  lsetxattr: declare('int lsetxattr(const void *path, const void *name, const void *value, size_t n, int flags)'),
  lgetxattr: declare('int64_t lgetxattr(const void *path, const void *name, void *value, size_t n)'),
  llistxattr: declare('int64_t llistxattr(const void *path, void *list, size_t n)'),
  lremovexattr: declare('int lremovexattr(const void *path, const void *name)'),
  fsetxattr: declare('int fsetxattr(int fd, const void *name, const void *value, size_t n, int flags)'),
  fgetxattr: declare('int64_t fgetxattr(int fd, const void *name, void *value, size_t n)'),
  mknod: declare('int mknod(const void *path, uint mode, uint64_t dev)'),
  copyRange: declare('int64_t copy_file_range(int in, void *offIn, int out, void *offOut, size_t length, uint flags)'),
  sendfile: declare('int64_t sendfile(int out, int in, void *offset, size_t count)'),
  getdents64: declare('int64_t getdents64(int fd, void *buffer, size_t n)'),
  flock: declare('int flock(int fd, int operation)'),
  fcntl: declare('int fcntl(int fd, int command, void *argument)'),
  syncfs: declare('int syncfs(int fd)'),
  getcwd: declare('int64_t getcwd(void *buffer, size_t n)'),
};

/** renameat2(2) on two paths; `flags` of the RENAME_ constants. */
export function renameat2(from: Path, to: Path, flags: number): void {
  check('renameat2', c.renameat2(AT_FDCWD, bytesOf(from), AT_FDCWD, bytesOf(to), flags));
}

/** Gives a name to an open file (also one of O_TMPFILE), by way of its entry in /proc. */
export function linkOpenFile(fd: number, path: Path): void {
  const source = bytesOf(`/proc/self/fd/${fd}`);
  check('linkat', c.linkat(AT_FDCWD, source, AT_FDCWD, bytesOf(path), AT_SYMLINK_FOLLOW));
}

/** Hard link to the target of a symbolic link, where link(2) would link the symbolic link itself. */
export function linkFollow(from: Path, to: Path): void {
  check('linkat', c.linkat(AT_FDCWD, bytesOf(from), AT_FDCWD, bytesOf(to), AT_SYMLINK_FOLLOW));
}

/** lseek(2); returns the offset in bytes. */
export function lseek(fd: number, offset: number | bigint, whence: number): number {
  return check('lseek', c.lseek(fd, offset, whence));
}

export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  check('fallocate', c.fallocate(fd, mode, offset, length));
}

function timespecs(times: readonly Timespec[]): Buffer {
  const buffer = Buffer.alloc(16 * times.length);
  times.forEach((time, index) => {
    buffer.writeBigInt64LE(BigInt(time.sec), 16 * index);
    buffer.writeBigInt64LE(BigInt(time.nsec), 16 * index + 8);
  });
  return buffer;
}

/** Sets access and modification time with nanoseconds. Does not follow a symbolic link. */
export function utimens(path: Path, atime: Timespec, mtime: Timespec): void {
  check('utimensat', c.utimensat(AT_FDCWD, bytesOf(path), timespecs([atime, mtime]), AT_SYMLINK_NOFOLLOW));
}

export function futimens(fd: number, atime: Timespec, mtime: Timespec): void {
  check('futimens', c.futimens(fd, timespecs([atime, mtime])));
}

/** Sets an extended attribute; `flags` 0, XATTR_CREATE or XATTR_REPLACE. Does not follow a symbolic link. */
export function setxattr(path: Path, name: Path, value: Path, flags = 0): void {
  const bytes = Buffer.from(value);
  check('lsetxattr', c.lsetxattr(bytesOf(path), bytesOf(name), bytes, bytes.length, flags));
}

export function fsetxattr(fd: number, name: Path, value: Path, flags = 0): void {
  const bytes = Buffer.from(value);
  check('fsetxattr', c.fsetxattr(fd, bytesOf(name), bytes, bytes.length, flags));
}

/** The value of an extended attribute; `size` is the size of the caller's buffer (ERANGE when too small). */
export function getxattr(path: Path, name: Path, size = 65536): Buffer {
  const buffer = Buffer.alloc(Math.max(size, 1));
  const length = check('lgetxattr', c.lgetxattr(bytesOf(path), bytesOf(name), buffer, size));
  return buffer.subarray(0, size === 0 ? 0 : length);
}

export function fgetxattr(fd: number, name: Path): Buffer {
  const buffer = Buffer.alloc(65536);
  return buffer.subarray(0, check('fgetxattr', c.fgetxattr(fd, bytesOf(name), buffer, buffer.length)));
}

/** The length in bytes that a query with an empty buffer reports. */
export function getxattrSize(path: Path, name: Path): number {
  return check('lgetxattr', c.lgetxattr(bytesOf(path), bytesOf(name), null, 0));
}

/** The names of all extended attributes, sorted by bytes; `size` is the size of the caller's buffer. */
export function listxattr(path: Path, size = 65536): string[] {
  const buffer = Buffer.alloc(Math.max(size, 1));
  const length = check('llistxattr', c.llistxattr(bytesOf(path), buffer, size));
  return buffer.toString('latin1', 0, length).split('\0').slice(0, -1).sort();
}

export function listxattrSize(path: Path): number {
  return check('llistxattr', c.llistxattr(bytesOf(path), null, 0));
}

export function removexattr(path: Path, name: Path): void {
  check('lremovexattr', c.lremovexattr(bytesOf(path), bytesOf(name)));
}

/** The dev_t of a device number (gnu_dev_makedev). */
export function makedev(major: number, minor: number): bigint {
  const [x, y] = [BigInt(major), BigInt(minor)];
  return ((x & 0xfffff000n) << 32n) | ((x & 0xfffn) << 8n) | ((y & 0xffffff00n) << 12n) | (y & 0xffn);
}

/** mknod(2); `mode` holds type and permissions. */
export function mknod(path: Path, mode: number, dev: bigint = 0n): void {
  check('mknod', c.mknod(bytesOf(path), mode, dev));
}

/** copy_file_range(2) at given offsets; returns the number of bytes that were copied. */
export function copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number): number {
  const [source, target] = [Buffer.alloc(8), Buffer.alloc(8)];
  source.writeBigInt64LE(BigInt(fromOffset));
  target.writeBigInt64LE(BigInt(toOffset));
  return check('copy_file_range', c.copyRange(from, source, to, target, length, 0));
}

/** sendfile(2) from the start of `from`; returns the number of bytes that were copied. */
export function sendfile(to: number, from: number, count: number): number {
  return check('sendfile', c.sendfile(to, from, Buffer.alloc(8), count));
}

/** One entry of getdents64(2): `offset` is the position after the entry, `type` a DT_ constant. */
export interface RawDirent {
  ino: bigint;
  offset: bigint;
  type: number;
  name: Buffer;
}

/** The next entries of a directory, as many as fit into `size` bytes; an empty list at the end. */
export function getdents(fd: number, size = 32768): RawDirent[] {
  const buffer = Buffer.alloc(size);
  const length = check('getdents64', c.getdents64(fd, buffer, size));
  const entries: RawDirent[] = [];
  for (let at = 0; at < length; at += buffer.readUInt16LE(at + 16)) {
    const end = buffer.indexOf(0, at + 19);
    entries.push({
      ino: buffer.readBigUInt64LE(at),
      offset: buffer.readBigInt64LE(at + 8),
      type: buffer.readUInt8(at + 18),
      name: Buffer.from(buffer.subarray(at + 19, end)),
    });
  }
  return entries;
}

export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

export function flock(fd: number, operation: number): void {
  check('flock', c.flock(fd, operation));
}

export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
const F_SETLK = 6;
const F_OFD_SETLK = 37;

/** Takes or gives up a record lock without waiting; `ofd` makes it belong to the open file, not the process. */
export function recordLock(fd: number, type: number, start: number, length: number, ofd: boolean): void {
  // struct flock of 64-bit Linux: l_type, l_whence as shorts, then l_start, l_len at 8, l_pid at 24.
  const buffer = Buffer.alloc(32);
  buffer.writeInt16LE(type, 0);
  buffer.writeBigInt64LE(BigInt(start), 8);
  buffer.writeBigInt64LE(BigInt(length), 16);
  check('fcntl', c.fcntl(fd, ofd ? F_OFD_SETLK : F_SETLK, buffer));
}

export function syncfs(fd: number): void {
  check('syncfs', c.syncfs(fd));
}

/** The working directory as the kernel sees it now (process.cwd() may answer from a cache). */
export function getcwd(): string {
  const buffer = Buffer.alloc(4096);
  // The C function answers NULL for an error, and the address of the buffer otherwise.
  if (Number(c.getcwd(buffer, buffer.length)) === 0) throw new SyscallError('getcwd', koffi.errno());
  return buffer.toString('utf8', 0, buffer.indexOf(0));
}
