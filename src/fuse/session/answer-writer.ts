// Encodes each kind of answer into one buffer, header and payload together, and hands it to `send` as one message. The base of the reused
// reply and of deferred ones, which differ in where the buffer comes from and how long the obligation to answer lasts.

import { CorruptionError, ERRNO, FsError, StoreError } from '../../errors/index.ts';
import { AssertionError, assert, type Log } from '../../util/index.ts';
import type { Attr, EntryOut, StatfsOut, StatxOut } from '../wire/attr-types.ts';
import { ERRNO_SPAN } from '../wire/constants.ts';
import { put64, putAttrOut, putEntryOut, putNegativeEntry, putStatfsOut, putStatxOut } from '../wire/encode-attr.ts';
import { direntBytes, direntPlusBytes, putDirent, putDirentPlus } from '../wire/encode-dirent.ts';
import {
  FUSE_ATTR_OUT,
  FUSE_COPY_FILE_RANGE_OUT,
  FUSE_ENTRY_OUT,
  FUSE_GETXATTR_OUT,
  FUSE_LSEEK_OUT,
  FUSE_OPEN_OUT,
  FUSE_OUT_HEADER,
  FUSE_STATFS_OUT,
  FUSE_STATX_OUT,
  FUSE_WRITE_OUT,
} from '../wire/layout.ts';
import { opcodeName } from '../wire/opcodes.ts';
import type { Answer } from './handlers.ts';

const HEADER = FUSE_OUT_HEADER.SIZE;
/** The first word of the body. */
const BODY = HEADER / 4;

/** A buffer and the words in it; `buffer` starts at byte 0 of its memory. */
export class ReplyBuffer {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  /** What follows the header. */
  readonly payload: Buffer;

  constructor(payloadBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(HEADER + Math.ceil(payloadBytes / 8) * 8);
    this.words = new Uint32Array(this.bytes.buffer, 0, this.bytes.length / 4);
    this.payload = this.bytes.subarray(HEADER);
  }

  /** Makes the answer that stands here one that says `errno`, whatever it said; gives its length in bytes. */
  putError(errno: number): number {
    this.words[FUSE_OUT_HEADER.len / 4] = HEADER;
    this.words[FUSE_OUT_HEADER.error / 4] = -errno;
    return HEADER;
  }
}

export abstract class AnswerWriter implements Answer {
  protected readonly log: Log;
  protected buffer: ReplyBuffer;
  /** The request that is owed an answer. */
  uniqueHi = 0;
  uniqueLo = 0;
  protected opcode = 0;
  /** The kernel takes at most this many bytes of payload for the request at hand. */
  protected limitBytes = 0;
  /** Bytes of directory entries packed so far. */
  protected packedBytes = 0;

  constructor(log: Log, buffer: ReplyBuffer) {
    this.log = log;
    this.buffer = buffer;
  }

  /** Sends the message that stands in `buffer`, whose header is complete. Must note that the answer was given. */
  protected abstract send(lengthBytes: number): void;

  /** Throws AssertionError if the request at hand was answered or deferred. */
  protected abstract claim(): void;

  /** Makes sure that `buffer` has `payloadBytes` of room; what it held may be lost. */
  protected abstract reserve(payloadBytes: number): void;

  /** Writes the header of an answer with `bodyBytes` of body and sends it. */
  #finish(error: number, bodyBytes: number): void {
    const { words } = this.buffer;
    const lengthBytes = HEADER + bodyBytes;
    words[0] = lengthBytes;
    words[1] = error;
    words[2] = this.uniqueLo;
    words[3] = this.uniqueHi;
    this.send(lengthBytes);
  }

  error(errno: number): void {
    this.claim();
    // The kernel does not take a reply with another number: it would wait for ever. An answer of 0 would be a success without a body.
    const valid = errno > 0 && errno < ERRNO_SPAN;
    if (!valid) this.log.error(`${opcodeName(this.opcode)} was answered with errno ${errno}; EIO is sent instead`);
    this.#finish(-(valid ? errno : ERRNO.EIO), 0);
  }

  fail(error: unknown): void {
    if (error instanceof FsError) {
      this.error(error.errno);
      return;
    }
    this.log.error(`${opcodeName(this.opcode)} failed: ${whatFailed(error)}`);
    this.error(ERRNO.EIO);
  }

  ok(): void {
    this.claim();
    this.#finish(0, 0);
  }

  entry(entry: EntryOut): void {
    this.claim();
    putEntryOut(this.buffer.words, BODY, entry);
    this.#finish(0, FUSE_ENTRY_OUT.SIZE);
  }

  negativeEntry(timeoutMs: number): void {
    this.claim();
    putNegativeEntry(this.buffer.words, BODY, timeoutMs);
    this.#finish(0, FUSE_ENTRY_OUT.SIZE);
  }

  attr(attr: Attr, timeoutMs: number): void {
    this.claim();
    putAttrOut(this.buffer.words, BODY, attr, timeoutMs);
    this.#finish(0, FUSE_ATTR_OUT.SIZE);
  }

  statx(statx: StatxOut, timeoutMs: number): void {
    this.claim();
    putStatxOut(this.buffer.words, BODY, statx, timeoutMs);
    this.#finish(0, FUSE_STATX_OUT.SIZE);
  }

  opened(fh: number, openFlags: number): void {
    this.claim();
    this.#putOpenOut(BODY, fh, openFlags);
    this.#finish(0, FUSE_OPEN_OUT.SIZE);
  }

  created(entry: EntryOut, fh: number, openFlags: number): void {
    this.claim();
    putEntryOut(this.buffer.words, BODY, entry);
    this.#putOpenOut(BODY + FUSE_ENTRY_OUT.SIZE / 4, fh, openFlags);
    this.#finish(0, FUSE_ENTRY_OUT.SIZE + FUSE_OPEN_OUT.SIZE);
  }

  #putOpenOut(at: number, fh: number, openFlags: number): void {
    const { words } = this.buffer;
    put64(words, at + FUSE_OPEN_OUT.fh / 4, fh);
    words[at + FUSE_OPEN_OUT.open_flags / 4] = openFlags;
    words[at + FUSE_OPEN_OUT.open_flags / 4 + 1] = 0;
  }

  written(sizeBytes: number): void {
    this.claim();
    // The same bytes serve `fuse_write_out` (u32 and padding) and `fuse_copy_file_range_out` (u64): a WRITE is never beyond 32 bits.
    put64(this.buffer.words, BODY + FUSE_COPY_FILE_RANGE_OUT.bytes_copied / 4, sizeBytes);
    this.#finish(0, FUSE_WRITE_OUT.SIZE);
  }

  data(lengthBytes: number): void {
    assert(lengthBytes >= 0 && lengthBytes <= this.limitBytes, 'an answer is no longer than the kernel asked for');
    this.claim();
    this.#finish(0, lengthBytes);
  }

  bytes(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const lengthBytes = end - start;
    assert(lengthBytes >= 0 && lengthBytes <= this.limitBytes, 'an answer is no longer than the kernel asked for');
    this.reserve(lengthBytes);
    this.claim();
    const to = this.buffer.bytes;
    if (lengthBytes < 64) for (let i = 0; i < lengthBytes; i++) to[HEADER + i] = bytes[start + i]!;
    else to.set(bytes.subarray(start, end), HEADER);
    this.#finish(0, lengthBytes);
  }

  xattrSize(sizeBytes: number): void {
    this.claim();
    const { words } = this.buffer;
    words[BODY + FUSE_GETXATTR_OUT.size / 4] = sizeBytes;
    words[BODY + FUSE_GETXATTR_OUT.size / 4 + 1] = 0;
    this.#finish(0, FUSE_GETXATTR_OUT.SIZE);
  }

  statfs(statfs: StatfsOut): void {
    this.claim();
    putStatfsOut(this.buffer.words, BODY, statfs);
    this.#finish(0, FUSE_STATFS_OUT.SIZE);
  }

  lseek(offset: number): void {
    this.claim();
    put64(this.buffer.words, BODY + FUSE_LSEEK_OUT.offset / 4, offset);
    this.#finish(0, FUSE_LSEEK_OUT.SIZE);
  }

  dirent(
    inoHi: number,
    inoLo: number,
    nextOffset: number,
    type: number,
    name: Uint8Array,
    start = 0,
    end = name.length,
  ): boolean {
    if (this.packedBytes + direntBytes(end - start) > this.limitBytes) return false;
    if (this.packedBytes === 0) this.reserve(this.limitBytes);
    const { bytes, words } = this.buffer;
    const at = HEADER + this.packedBytes;
    this.packedBytes = putDirent(bytes, words, at, inoHi, inoLo, nextOffset, type, name, start, end) - HEADER;
    return true;
  }

  direntPlus(entry: EntryOut, nextOffset: number, name: Uint8Array, start = 0, end = name.length): boolean {
    if (this.packedBytes + direntPlusBytes(end - start) > this.limitBytes) return false;
    if (this.packedBytes === 0) this.reserve(this.limitBytes);
    const { bytes, words } = this.buffer;
    const at = HEADER + this.packedBytes;
    this.packedBytes = putDirentPlus(bytes, words, at, entry, nextOffset, name, start, end) - HEADER;
    return true;
  }

  dirents(): void {
    this.claim();
    this.#finish(0, this.packedBytes);
  }

  protected secondAnswer(): never {
    throw new AssertionError(`${opcodeName(this.opcode)} is answered once`);
  }
}

/** Where it was thrown helps with mistakes of ours only: damage and failures of the host are told in one line. */
function whatFailed(error: unknown): string {
  if (error instanceof CorruptionError || error instanceof StoreError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
