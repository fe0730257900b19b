import koffi from 'koffi';
import { SyscallError } from './errno.ts';

const libc = koffi.load('libc.so.6');
const mmap = libc.func(
  'uintptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)',
) as (address: number, length: number, protection: number, flags: number, fd: number, at: number) => number | bigint;
const munmap = libc.func('int munmap(uintptr_t address, size_t length)') as (
  address: number | bigint,
  length: number,
) => number;
const msync = libc.func('int msync(uintptr_t address, size_t length, int flags)') as (
  address: number | bigint,
  length: number,
  flags: number,
) => number;

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MS_SYNC = 4;

/** A mapped stretch of memory: `bytes` is the memory itself and must not be touched after `unmap`. */
export interface MemoryMap {
  readonly bytes: Buffer;
  sync(): void;
  unmap(): void;
}

/**
 * mmap(2) of the first `length` bytes of an open file, or anonymous memory for fd -1 (page aligned, as O_DIRECT
 * wants it). Throws SyscallError.
 */
export function mapFile(fd: number, length: number, protection: number, flags: number): MemoryMap {
  const address = mmap(0, length, protection, fd === -1 ? flags | MAP_ANONYMOUS : flags, fd, 0);
  if (BigInt.asIntN(64, BigInt(address)) === -1n) throw new SyscallError('mmap', koffi.errno());
  const bytes = Buffer.from(koffi.view(BigInt(address), length));
  return {
    bytes,
    sync: () => {
      if (msync(address, length, MS_SYNC) !== 0) throw new SyscallError('msync', koffi.errno());
    },
    unmap: () => {
      if (munmap(address, length) !== 0) throw new SyscallError('munmap', koffi.errno());
    },
  };
}
