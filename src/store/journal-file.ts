// The file of the journal: two lanes, each written from its start on, again and again; what is behind the last record of a round is left over
// from earlier rounds or zero. The lanes lie in stripes that take turns, so that one flush serves both.

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

export const LANES = [0, 1] as const;
export type Lane = (typeof LANES)[number];

/** What the journal needs of a file. */
export interface JournalFile {
  /** Of both lanes. */
  readonly sizeBytes: number;
  /** All bytes of a lane. Throws StoreError when the host fails. */
  read(lane: Lane): Uint8Array;
  /** Sees to it that the bytes of both lanes up to `end` are there to be overwritten. Throws FsError ENOSPC when the host has no room. */
  reserve(end: number): void;
  /** Writes `bytes[0..length)` at `at` of a lane. Throws like `reserve`, StoreError when the host fails. */
  write(lane: Lane, bytes: Uint8Array, length: number, at: number): void;
  /** Brings everything written before, to either lane, to stable storage. Rejects with StoreError, from then on for ever. */
  sync(): Promise<void>;
  /** Whether {@link syncNow} may be called: not while {@link sync} is at work. */
  readonly canSyncNow: boolean;
  /** As {@link sync}, without letting go of the thread. Throws what that rejects with. */
  syncNow(): void;
  /** Empties the file; with `durable` nothing of what it held comes back after a power cut. */
  clear(durable: boolean): void;
  close(): void;
}

/** A stripe of lane 0, then one of lane 1, and so on. */
const STRIPE_BYTES = 256 * 1024;
/**
 * The file grows by so many zeros at a time, a stripe of each lane, ahead of the records. Overwriting what is there lets fdatasync do
 * without the host's own journal: about a quarter of the time on ext4 (native-notes/data-file.md).
 */
const STEP_BYTES = LANES.length * STRIPE_BYTES;
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

  read(lane: Lane): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(laneBytes(lane, this.#sizeBytes));
    try {
      for (let done = 0; done < bytes.length;) {
        const count = readSync(this.#fd, bytes, done, stripeLeft(done, bytes.length), placeOf(lane, done));
        if (count === 0) return bytes.subarray(0, done);
        done += count;
      }
    } catch (cause) {
      throw hostFailure(cause, `reading ${this.#path}`);
    }
    return bytes;
  }

  reserve(end: number): void {
    while (laneBytes(1, this.#sizeBytes) < end) {
      if (this.#space !== undefined && this.#space.forCommit() < STEP_BYTES) {
        throw new FsError(
          'ENOSPC',
          'host-full-for-journal',
          `${this.#path}: the host's filesystem has no room for the journal; free space on the host`,
        );
      }
      this.#grow();
    }
  }

  #grow(): void {
    const length = STEP_BYTES - (this.#sizeBytes % STEP_BYTES);
    this.#overwrite(zeros, 0, length, this.#sizeBytes);
    this.#sizeBytes += length;
  }

  write(lane: Lane, bytes: Uint8Array, length: number, at: number): void {
    while (laneBytes(1, this.#sizeBytes) < at + length) this.#grow();
    for (let done = 0; done < length;) {
      const count = stripeLeft(at + done, at + length);
      this.#overwrite(bytes, done, count, placeOf(lane, at + done));
      done += count;
    }
  }

  #overwrite(bytes: Uint8Array, from: number, length: number, position: number): void {
    this.#flusher.wrote();
    try {
      for (let done = 0; done < length;)
        done += writeSync(this.#fd, bytes, from + done, length - done, position + done);
    } catch (cause) {
      throw hostFailure(cause, `writing ${length} bytes at ${position} of ${this.#path}`);
    }
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

/** Where in the file byte `at` of a lane lies. */
function placeOf(lane: Lane, at: number): number {
  return Math.floor(at / STRIPE_BYTES) * STEP_BYTES + lane * STRIPE_BYTES + (at % STRIPE_BYTES);
}

/** How many of the bytes from `at` to `end` lie in the stripe of the first one. */
function stripeLeft(at: number, end: number): number {
  return Math.min(end - at, STRIPE_BYTES - (at % STRIPE_BYTES));
}

/** How many bytes of a lane a file of `sizeBytes` holds. */
function laneBytes(lane: Lane, sizeBytes: number): number {
  const rest = (sizeBytes % STEP_BYTES) - lane * STRIPE_BYTES;
  return Math.floor(sizeBytes / STEP_BYTES) * STRIPE_BYTES + Math.max(0, Math.min(STRIPE_BYTES, rest));
}
