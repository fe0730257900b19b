// How LevelDB writes numbers: little-endian, or as varints. What is not there throws RangeError: whoever reads damaged bytes catches it.

/** The u32 at `at`. */
export function fixed32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new RangeError('a number lies behind the end');
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Reads one thing after the other. */
export class LevelReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** A whole number of up to 53 bits. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || scale > 2 ** 49) throw new RangeError('a varint has no end');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new RangeError('bytes lie behind the end');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** Bytes with their length in front. */
  text(): Uint8Array {
    return this.take(this.varint());
  }
}
