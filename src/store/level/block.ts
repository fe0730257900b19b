// A block of a table of LevelDB (doc/table_format.md there): entries in the order of their keys, of which each shares what it can with the
// one before, except at restart points.

import { LevelReader, fixed32 } from './bytes.ts';
import { INTERNAL_BYTES } from './manifest.ts';

export interface LevelEntry {
  /** As users know it. */
  readonly key: Uint8Array;
  /** With the key it was deleted; the value means nothing. (In an index this says nothing.) */
  readonly isDeletion: boolean;
  readonly value: Uint8Array;
}

export class LevelBlock {
  readonly #bytes: Uint8Array;
  readonly #restartsAt: number;
  readonly #restarts: number;

  /** `bytes`: the contents of a block that is whole. Throws RangeError where they are none. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#restarts = fixed32(bytes, bytes.length - 4);
    this.#restartsAt = bytes.length - 4 - 4 * this.#restarts;
    if (this.#restartsAt < 0) throw new RangeError('a block has more restart points than bytes');
    if (this.#restarts === 0 && this.#restartsAt > 0) throw new RangeError('a block has entries but no restart point');
  }

  /** All entries from the first one on whose key is `from` or behind it; several of one key with the newest first. */
  *entries(from: Uint8Array): Generator<LevelEntry> {
    const reader = new LevelReader(this.#bytes.subarray(0, this.#restartsAt), this.#restartBefore(from));
    let internal = Buffer.alloc(0);
    while (!reader.isAtEnd) {
      const [shared, unshared, valueBytes] = [reader.varint(), reader.varint(), reader.varint()];
      if (shared > internal.length) throw new RangeError('a key shares more than there is');
      internal = Buffer.concat([internal.subarray(0, shared), reader.take(unshared)]);
      const value = reader.take(valueBytes);
      if (internal.length < INTERNAL_BYTES) throw new RangeError('a key is too short');
      const key = internal.subarray(0, internal.length - INTERNAL_BYTES);
      if (Buffer.compare(key, from) < 0) continue;
      yield { key, isDeletion: internal[key.length] === 0, value };
    }
  }

  /** Where the last restart point lies whose key is before `from`, the first one if there is none. */
  #restartBefore(from: Uint8Array): number {
    let [low, high] = [0, this.#restarts - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const reader = new LevelReader(this.#bytes, this.#restart(middle));
      // Nothing is shared here.
      reader.varint();
      const length = reader.varint();
      reader.varint();
      const key = reader.take(length).subarray(0, -INTERNAL_BYTES);
      if (Buffer.compare(key, from) < 0) low = middle;
      else high = middle - 1;
    }
    return this.#restarts === 0 ? 0 : this.#restart(low);
  }

  #restart(index: number): number {
    const at = fixed32(this.#bytes, this.#restartsAt + 4 * index);
    // An empty block has one at its end.
    if (at > this.#restartsAt || (at === this.#restartsAt && at > 0))
      throw new RangeError('a restart point lies behind the entries');
    return at;
  }
}
