// The one buffer that every request of a session is read into, and checked reading of it. Nothing here allocates per request.
//
// INVARIANT: every read stays within the request: `need` is called before fixed fields are read, names and data are bounded by `end`
// (checked by test/wire/truncation.test.ts, test/wire/noise.test.ts).

import { endianness } from 'node:os';
import { FsError, ProtocolError, type ErrnoName } from '../../errors/index.ts';
import { U32_SPAN, assert } from '../../util/index.ts';
import { FUSE_IN_HEADER } from './layout.ts';

/** The high half of the first number that a JavaScript number can't hold exactly: 2^53 / 2^32. */
const UNSAFE_HIGH = 0x20_0000;

/** The largest size or offset: 2^53 - 1. */
const SAFE_MAX = Number.MAX_SAFE_INTEGER;

export class RequestBuffer {
  /** Where a transport reads a request to, from byte 0 on. */
  readonly bytes: Buffer;
  readonly #words: Uint32Array;
  /** One past the last byte of the request's body; extensions that follow the body (7.38) are outside. */
  end = 0;

  /** Makes room for requests of `capacityBytes`, the kernel's largest being a WRITE: header, `fuse_write_in`, `max_write` bytes. */
  constructor(capacityBytes: number) {
    // 64-bit fields are taken as low word, high word; every platform that Node supports with FUSE is little-endian but s390x.
    assert(endianness() === 'LE', 'the host is little-endian');
    this.bytes = Buffer.allocUnsafeSlow(Math.ceil(capacityBytes / 8) * 8);
    this.#words = new Uint32Array(this.bytes.buffer, 0, this.bytes.length / 4);
  }

  /** Takes in a request of `lengthBytes` that stands in `bytes`. Throws ProtocolError if its header contradicts that length. */
  accept(lengthBytes: number): void {
    this.end = lengthBytes;
    if (lengthBytes < FUSE_IN_HEADER.SIZE) {
      throw new ProtocolError(`a request of ${lengthBytes} bytes is shorter than its header`);
    }
    if (this.u32(FUSE_IN_HEADER.len) !== lengthBytes) {
      throw new ProtocolError(
        `a request says that it has ${this.u32(FUSE_IN_HEADER.len)} bytes and has ${lengthBytes}`,
      );
    }
    const extensionBytes = (this.u32(FUSE_IN_HEADER.total_extlen) & 0xffff) * 8;
    if (extensionBytes > lengthBytes - FUSE_IN_HEADER.SIZE) {
      throw new ProtocolError(`extensions of ${extensionBytes} bytes do not fit into the request`);
    }
    this.end = lengthBytes - extensionBytes;
  }

  /** Throws ProtocolError unless the body has at least `sizeBytes`. */
  need(sizeBytes: number): void {
    if (this.end < FUSE_IN_HEADER.SIZE + sizeBytes) this.#tooShort(sizeBytes);
  }

  #tooShort(sizeBytes: number): never {
    throw new ProtocolError(`a body of ${this.end - FUSE_IN_HEADER.SIZE} bytes is shorter than ${sizeBytes}`);
  }

  /** The unsigned 32-bit number at byte `at` of the request, a multiple of four. */
  u32(at: number): number {
    return this.#words[at >>> 2]!;
  }

  /** The high half of the 64-bit number at `at`. */
  high(at: number): number {
    return this.#words[(at >>> 2) + 1]!;
  }

  /** The unsigned 64-bit number at `at` as an exact number; beyond 2^53-1 it throws FsError with `code`, which fits the operation. */
  u64(at: number, code: ErrnoName): number {
    const high = this.high(at);
    if (high >= UNSAFE_HIGH) refuseLargeNumber(code);
    return high * U32_SPAN + this.u32(at);
  }

  /** The same, but with 2^53-1 for whatever is beyond: for lengths, of which a part may be done. */
  u64Clamped(at: number): number {
    const high = this.high(at);
    return high >= UNSAFE_HIGH ? SAFE_MAX : high * U32_SPAN + this.u32(at);
  }

  /** The signed 64-bit number at `at`, a time in seconds: exact within +-2^53, throws FsError EOVERFLOW outside. */
  i64(at: number): number {
    const high = this.high(at) | 0;
    if (high >= UNSAFE_HIGH || high < -UNSAFE_HIGH) refuseLargeNumber('EOVERFLOW');
    return high * U32_SPAN + this.u32(at);
  }

  /** Where the NUL of the name stands that starts at `at`. Throws ProtocolError if the name is empty or never ends. */
  nameEnd(at: number): number {
    // A loop: names are short, and a native search costs more than it saves.
    let end = at;
    while (end < this.end && this.bytes[end] !== 0) end++;
    if (end >= this.end) throw new ProtocolError('a name does not end within the request');
    if (end === at) throw new ProtocolError('a name is empty');
    return end;
  }
}

/** Its own function, so that the ways that read a number stay small enough to be inlined. */
function refuseLargeNumber(code: ErrnoName): never {
  throw new FsError(
    code,
    'number-beyond-2-53',
    'a size, offset or time is beyond 2^53, which this filesystem never holds',
  );
}
