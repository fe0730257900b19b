// The data file of a store: one sparse file of blocks. No knowledge of what a block means; who may write where is the allocator's.
//
// Reads that the page cache can answer must not cost a thread: readCached asks the kernel with RWF_NOWAIT (native-notes/data-file.md).

import { closeSync, constants, fdatasync, fstatSync, openSync, read, readSync, writeSync, writev } from 'node:fs';
import { promisify } from 'node:util';
import { DamagedDataError, ERRNO, FsError, StoreError } from '../errors/index.ts';
import { assert, noLog, U32_SPAN, type Log } from '../util/index.ts';
import type { BlockFile } from './block-file.ts';
import { Flusher } from './flusher.ts';
import { hostFailure } from './host-failure.ts';
import type { HostSpace } from './host-space.ts';
import { addressOf, errno, fallocate, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, preadv2, RWF_NOWAIT } from './libc.ts';

const fdatasyncAsync = promisify(fdatasync);
const writevAsync = promisify(writev);

/** The host's free space is asked for anew after so many bytes written: others use it too. */
const SPACE_GRANT_BYTES = 16 * 1024 * 1024;
/** fstat counts in these, whatever the block size of the host (stat(2)). */
const STAT_BLOCK_BYTES = 512;

export interface DataFileOptions {
  /** Creates the file (mode 0600), which must not exist; otherwise it must. */
  create?: boolean;
  /** How much of the host may be filled; without it, all. */
  space?: HostSpace;
  log?: Log;
}

/** Opens the data file at `path` for reading and writing. Throws what open(2) fails with, as Node reports it. */
export function openDataFile(path: string, options: DataFileOptions = {}): BlockFile {
  const flags = constants.O_RDWR | (options.create === true ? constants.O_CREAT | constants.O_EXCL : 0);
  return new DataFile(path, openSync(path, flags, 0o600), options);
}

class DataFile implements BlockFile {
  readonly #path: string;
  #fd: number;
  readonly #space: HostSpace | undefined;
  readonly #log: Log;
  #sizeBytes: number;
  /** What may be written before the host's free space is asked for again. */
  #grantBytes = 0;
  readonly #flusher = new Flusher(() => this.#flush());
  #pendingReads = 0;
  #takesReads = true;
  /** Called when the last of them has ended. */
  #onIdle: () => void = () => undefined;
  #canPunch = true;
  #canReadCached = true;
  /** One struct iovec, as 32-bit halves, little-endian: two of the address, two of the length. */
  readonly #iovec = new Uint32Array(4);
  /** The buffer last read into and its address: replies reuse few buffers, and an address costs a BigInt. */
  #lastBuffer: ArrayBufferLike | undefined;
  #lastAddress = 0;

  constructor(path: string, fd: number, options: DataFileOptions) {
    this.#path = path;
    this.#fd = fd;
    this.#space = options.space;
    this.#log = options.log ?? noLog;
    this.#sizeBytes = fstatSync(fd).size;
    // A process that was killed may have written what the host has only in memory: the first flush is for that.
    if (options.create !== true) this.#flusher.wrote();
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  storedBytes(): number {
    return fstatSync(this.#fd).blocks * STAT_BLOCK_BYTES;
  }

  readSync(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): void {
    for (let done = 0; done < length;) {
      let count: number;
      try {
        count = readSync(this.#fd, into, intoOffset + done, length - done, byteOffset + done);
      } catch (cause) {
        throw this.#readFailure(cause, length, byteOffset);
      }
      if (count === 0) throw this.#tooShort(length, byteOffset);
      done += count;
    }
  }

  readCached(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): boolean {
    // The kernel gets a bare address: nothing else stops it from writing past the end.
    assert(
      intoOffset >= 0 && length >= 0 && intoOffset + length <= into.length,
      'the buffer has room for what is read',
    );
    if (!this.#canReadCached) {
      this.readSync(into, intoOffset, length, byteOffset);
      return true;
    }
    const buffer = into.buffer;
    if (buffer !== this.#lastBuffer) {
      this.#lastAddress = addressOf(buffer);
      this.#lastBuffer = buffer;
    }
    const address = this.#lastAddress + into.byteOffset + intoOffset;
    const iovec = this.#iovec;
    iovec[0] = address;
    iovec[1] = address / U32_SPAN;
    iovec[2] = length;
    const count = preadv2(this.#fd, iovec, 1, byteOffset, RWF_NOWAIT);
    if (count === length) return true;
    // A part is in the cache, or the file ends early: `read` finds out which.
    if (count >= 0) return false;
    return this.#notCached(errno(), into, intoOffset, length, byteOffset);
  }

  /** What to do after preadv2 failed with `error`; never on the fast path. */
  #notCached(error: number, into: Uint8Array, intoOffset: number, length: number, byteOffset: number): boolean {
    if (error === ERRNO.EAGAIN || error === ERRNO.EINTR) return false;
    // EOPNOTSUPP: this filesystem can't tell (preadv2(2)); EINVAL and ENOSYS: kernels and sandboxes without the flag or the call.
    if (error === ERRNO.EOPNOTSUPP || error === ERRNO.EINVAL || error === ERRNO.ENOSYS) {
      this.#canReadCached = false;
      this.#log.info(`${this.#path}: the host can't tell what is in its page cache (error ${error}); reads may block`);
    }
    this.readSync(into, intoOffset, length, byteOffset);
    return true;
  }

  read(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#takesReads) throw new StoreError(`${this.#path} is being closed`);
      let done = 0;
      this.#pendingReads++;
      const settle = (error?: Error): void => {
        if (--this.#pendingReads === 0) this.#onIdle();
        if (error === undefined) resolve();
        else reject(error);
      };
      const next = (): void => {
        read(this.#fd, into, intoOffset + done, length - done, byteOffset + done, (cause, count) => {
          if (cause === null) done += count;
          if (cause !== null) settle(this.#readFailure(cause, length, byteOffset));
          else if (done === length) settle();
          else if (count === 0) settle(this.#tooShort(length, byteOffset));
          else next();
        });
      };
      next();
    });
  }

  writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    this.assertRoom(length);
    this.#flusher.wrote();
    for (let done = 0; done < length;) {
      try {
        done += writeSync(this.#fd, from, fromOffset + done, length - done, byteOffset + done);
      } catch (cause) {
        throw this.#writeFailure(cause, length, byteOffset);
      }
    }
    if (byteOffset + length > this.#sizeBytes) this.#sizeBytes = byteOffset + length;
  }

  assertRoom(length: number): void {
    if (this.#space !== undefined && length > this.#grantBytes) this.#askForSpace(this.#space, length);
    this.#grantBytes -= length;
  }

  async write(buffers: readonly Uint8Array[], byteOffset: number): Promise<void> {
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    let rest = buffers;
    for (let done = 0; done < length;) {
      let count: number;
      try {
        ({ bytesWritten: count } = await writevAsync(this.#fd, rest, byteOffset + done));
      } catch (cause) {
        throw this.#writeFailure(cause, length, byteOffset);
      }
      done += count;
      rest = withoutFirst(rest, count);
    }
    // Not before: a flush that began meanwhile may have missed it.
    this.#flusher.wrote();
    if (byteOffset + length > this.#sizeBytes) this.#sizeBytes = byteOffset + length;
  }

  #askForSpace(space: HostSpace, length: number): void {
    const forData = space.forData();
    if (forData < length) {
      throw new FsError(
        'ENOSPC',
        'host-reserve-reached',
        `${this.#path}: the host's filesystem is full but for the reserve that amberfs keeps for its commits; free space on the host`,
      );
    }
    this.#grantBytes = Math.max(length, Math.min(forData, SPACE_GRANT_BYTES));
  }

  sync(): Promise<void> {
    return this.#flusher.sync();
  }

  get isSynced(): boolean {
    return this.#flusher.isFlushed;
  }

  async #flush(): Promise<void> {
    try {
      await fdatasyncAsync(this.#fd);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StoreError(`${this.#path}: the host could not store data: ${why}`, { cause });
    }
  }

  punch(byteOffset: number, length: number): void {
    if (!this.#canPunch) return;
    if (fallocate(this.#fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, byteOffset, length) === 0) return;
    const error = errno();
    if (error === ERRNO.EOPNOTSUPP || error === ERRNO.ENOSYS) {
      this.#canPunch = false;
      this.#log.info(`${this.#path}: the host can't punch holes; freed space stays with the store, for its own use`);
      return;
    }
    // A hole may split an extent and so need room itself. Not punching costs nothing but space.
    if (error === ERRNO.EINTR || error === ERRNO.ENOSPC) return;
    throw new StoreError(`punching ${length} bytes at ${byteOffset} of ${this.#path}: error ${error}`);
  }

  async endReads(): Promise<void> {
    this.#takesReads = false;
    while (this.#pendingReads > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  close(): void {
    const fd = this.#fd;
    if (fd < 0) return;
    // The descriptor may be another file's once it is closed.
    assert(this.#pendingReads === 0, 'the data file is closed after its last read has ended');
    this.#fd = -1;
    this.#lastBuffer = undefined;
    closeSync(fd);
  }

  #readFailure(cause: unknown, length: number, byteOffset: number): Error {
    return hostFailure(cause, `reading ${length} bytes at ${byteOffset} of ${this.#path}`);
  }

  #writeFailure(cause: unknown, length: number, byteOffset: number): Error {
    return hostFailure(cause, `writing ${length} bytes at ${byteOffset} of ${this.#path}`);
  }

  #tooShort(length: number, byteOffset: number): DamagedDataError {
    return new DamagedDataError(
      `${this.#path}: bytes ${byteOffset} to ${byteOffset + length}`,
      `the file ends at ${fstatSync(this.#fd).size}, before blocks that the store refers to`,
    );
  }
}

/** What is left of `buffers` when the first `count` bytes are done. */
function withoutFirst(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (let i = 0; i < buffers.length; i++) {
    const buffer = buffers[i]!;
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(i + 1)];
    left -= buffer.length;
  }
  return [];
}
