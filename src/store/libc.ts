// System calls that Node lacks. Numbers of flags and errors are those of Linux (asm-generic), equal on x86-64 and arm64.

import koffi from 'koffi';

/** The read fails with EAGAIN instead of waiting for the disk (linux/fs.h, since 4.14). */
export const RWF_NOWAIT = 0x08;
/** Frees the range of a file and makes it a hole (linux/falloc.h); has to come with FALLOC_FL_KEEP_SIZE. */
export const FALLOC_FL_PUNCH_HOLE = 0x02;
export const FALLOC_FL_KEEP_SIZE = 0x01;

// The process's own symbols: whatever C library Node was linked with.
const libc = koffi.load(null);

/** preadv2(2). `iov` is an array of struct iovec as bytes. Gives the count of bytes read, or -1. */
export const preadv2 = libc.func('int64_t preadv2(int fd, const void *iov, int count, int64_t offset, int flags)') as (
  fd: number,
  iov: Uint32Array,
  count: number,
  offset: number,
  flags: number,
) => number;

/** fallocate(2). Gives 0 or -1. */
export const fallocate = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)') as (
  fd: number,
  mode: number,
  offset: number,
  length: number,
) => number;

/** lockf(3) with F_TLOCK: takes the lock of a whole file that fcntl(2) knows, without waiting. Gives 0 or -1. */
export function tryLock(fd: number): number {
  return lockf(fd, F_TLOCK, 0);
}

const F_TLOCK = 2;
const lockf = libc.func('int lockf(int fd, int command, int64_t length)') as (
  fd: number,
  command: number,
  length: number,
) => number;

/** malloc_trim(3): gives free pages of the heap back to the host. undefined where the C library has no such function (musl). */
export const mallocTrim = findMallocTrim();

function findMallocTrim(): ((padBytes: number) => number) | undefined {
  try {
    return libc.func('int malloc_trim(size_t pad)') as (padBytes: number) => number;
  } catch {
    return undefined;
  }
}

/** A function of another library in this process that takes a number and gives nothing; undefined where it has none of that name. */
export function findSetter(library: string, symbol: string): ((value: number) => void) | undefined {
  try {
    return koffi.load(library).func(`void ${symbol}(int value)`) as (value: number) => void;
  } catch {
    return undefined;
  }
}

/** The error number of the last call above that failed. */
export function errno(): number {
  return koffi.errno();
}

/** Where the bytes of `buffer` lie in memory. They stay there: V8 does not move the contents of an ArrayBuffer. */
export function addressOf(buffer: ArrayBufferLike): number {
  return Number(koffi.address(buffer));
}
