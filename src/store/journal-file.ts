// One of the two files of the journal. It is written from its start on, again and again; what is behind the last record of a round
// is left over from earlier rounds or zero.

import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { FsError, StoreError } from '../errors/index.ts';
import { Flusher } from './flusher.ts';
import { hostFailure } from './host-failure.ts';
import type { HostSpace } from './host-space.ts';

const fdatasyncAsync = promisify(fdatasync);

/** What the journal needs of a file. */
export interface JournalFile {
  readonly sizeBytes: number;
  /** All its bytes. Throws StoreError when the host fails. */
  read(): Uint8Array;
  /** Sees to it that the bytes up to `end` are there to be overwritten. Throws FsError ENOSPC when the host has no room. */
  reserve(end: number): void;
  /** Writes `bytes[0..length)` at `at`. Throws like `reserve`, StoreError when the host fails. */
  write(bytes: Uint8Array, length: number, at: number): void;
  /** Brings everything written before to stable storage. Rejects with StoreError, from then on for ever. */
  sync(): Promise<void>;
  /** Whether {@link syncNow} may be called: not while {@link sync} is at work. */
  readonly canSyncNow: boolean;
  /** As {@link sync}, without letting go of the thread. Throws what that rejects with. */
  syncNow(): void;
  /** Empties the file; with `durable` nothing of what it held comes back after a power cut. */
  clear(durable: boolean): void;
  close(): void;
}

/**
 * The file grows by so many zeros at a time, ahead of the records. Overwriting what is there lets fdatasync do without the host's own
 * journal: about a quarter of the time on ext4 (native-notes/data-file.md).
 */
const STEP_BYTES = 256 * 1024;
const zeros = Buffer.alloc(STEP_BYTES);

export interface JournalFileOptions {
  /** Creates the file (mode 0600), which must not exist; otherwise it must. */
  create?: boolean;
  /** How much of the host may be filled; without it, all. */
  space?: HostSpace;
}

/** Opens the journal file at `path`. Throws what open(2) fails with, as Node reports it. */
export function openJournalFile(path: string, options: JournalFileOptions = {}): JournalFile {
  const flags = constants.O_RDWR | (options.create === true ? constants.O_CREAT | constants.O_EXCL : 0);
  return new HostJournalFile(path, openSync(path, flags, 0o600), options.space);
}

class HostJournalFile implements JournalFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #space: HostSpace | undefined;
  readonly #flusher: Flusher;
  #sizeBytes: number;

  constructor(path: string, fd: number, space: HostSpace | undefined) {
    this.#path = path;
    this.#fd = fd;
    this.#space = space;
    this.#sizeBytes = fstatSync(fd).size;
    this.#flusher = new Flusher(() => this.#flush());
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  read(): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(this.#sizeBytes);
    try {
      for (let done = 0; done < bytes.length;) {
        const count = readSync(this.#fd, bytes, done, bytes.length - done, done);
        if (count === 0) return bytes.subarray(0, done);
        done += count;
      }
    } catch (cause) {
      throw hostFailure(cause, `reading ${this.#path}`);
    }
    return bytes;
  }

  reserve(end: number): void {
    while (this.#sizeBytes < end) {
      if (this.#space !== undefined && this.#space.forCommit() < STEP_BYTES) {
        throw new FsError(
          'ENOSPC',
          'host-full-for-journal',
          `${this.#path}: the host's filesystem has no room for the journal; free space on the host`,
        );
      }
      this.write(zeros, STEP_BYTES, this.#sizeBytes);
    }
  }

  write(bytes: Uint8Array, length: number, at: number): void {
    this.#flusher.wrote();
    try {
      for (let done = 0; done < length;) done += writeSync(this.#fd, bytes, done, length - done, at + done);
    } catch (cause) {
      throw hostFailure(cause, `writing ${length} bytes at ${at} of ${this.#path}`);
    }
    if (at + length > this.#sizeBytes) this.#sizeBytes = at + length;
  }

  sync(): Promise<void> {
    return this.#flusher.sync();
  }

  async #flush(): Promise<void> {
    try {
      await fdatasyncAsync(this.#fd);
    } catch (cause) {
      throw this.#syncFailure(cause);
    }
  }

  get canSyncNow(): boolean {
    return !this.#flusher.isRunning;
  }

  syncNow(): void {
    this.#flusher.syncNow(() => {
      try {
        fdatasyncSync(this.#fd);
      } catch (cause) {
        throw this.#syncFailure(cause);
      }
    });
  }

  #syncFailure(cause: unknown): StoreError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new StoreError(`${this.#path}: the host could not store the journal: ${why}`, { cause });
  }

  clear(durable: boolean): void {
    try {
      ftruncateSync(this.#fd);
      if (durable) fsyncSync(this.#fd);
    } catch (cause) {
      throw hostFailure(cause, `emptying ${this.#path}`);
    }
    this.#sizeBytes = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
