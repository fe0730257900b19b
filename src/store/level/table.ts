// A table of LevelDB (doc/table_format.md there): blocks with a checksum each, which LevelDB itself does not look at when it reads.

import { type LevelEntry, LevelBlock } from './block.ts';
import { LevelReader, fixed32 } from './bytes.ts';
import { hasMaskedSum } from './crc32c.ts';
import { unsnap } from './snappy.ts';

/** Two places, zeros, and at the end the magic number. */
const FOOTER = 48;
const MAGIC_AT = FOOTER - 8;
const MAGIC_LOW = 0x8b80fb57;
const MAGIC_HIGH = 0xdb477524;
/** Behind each block: how it is compressed u8, masked CRC-32C u32 over both. */
const TRAILER = 5;
const SNAPPY = 1;
const NO_KEY = new Uint8Array(0);

interface Place {
  readonly at: number;
  readonly length: number;
}

/** What a table lies in. */
export interface TableFile {
  readonly sizeBytes: number;
  /** These bytes, which are there. */
  read(at: number, length: number): Uint8Array;
}

/** Blocks that were found whole and unpacked, by where they lie in the table. */
export interface BlockCache {
  get(at: number): LevelBlock | undefined;
  set(at: number, block: LevelBlock): void;
}

export class LevelTable {
  readonly #file: TableFile;
  readonly #cache: BlockCache | undefined;

  constructor(file: TableFile, cache?: BlockCache) {
    this.#file = file;
    this.#cache = cache;
  }

  /** What is damaged in it, in words; undefined where nothing is. */
  damage(): string | undefined {
    const steps = this.inspect();
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  }

  /** Finds what {@link damage} gives, with a stop behind each block for whoever has something else to do. */
  *inspect(): Generator<undefined, string | undefined> {
    try {
      const { meta, index, padding } = this.#footer();
      if (padding.some((byte) => byte !== 0)) return 'it does not end like a table';
      const places = [...placesIn(this.#block(index)), ...placesIn(this.#block(meta)), meta, index];
      places.sort((a, b) => a.at - b.at);
      // One after the other up to the footer: so no place was lost, or is named twice.
      let end = 0;
      for (const place of places) {
        if (place.at !== end) return `its blocks are not where they should be at ${end}`;
        this.#wholeBytes(place);
        end = place.at + place.length + TRAILER;
        yield;
      }
      return end === this.#file.sizeBytes - FOOTER ? undefined : `its blocks are not where they should be at ${end}`;
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
  }

  /**
   * Its entries from the key `from` on, those of one key with the newest first. Each block is compared with its checksum when it is come
   * to: throws RangeError where what would come next is damaged.
   */
  *entries(from: Uint8Array): Generator<LevelEntry> {
    let last: Uint8Array | undefined;
    // The key in the index is the last one of its block, or one between that and the next block.
    for (const { key, value } of this.#block(this.#footer().index).entries(from)) {
      // All of that block is older than what was given already.
      if (last !== undefined && Buffer.compare(key, last) === 0) continue;
      for (const entry of this.#block(placeIn(new LevelReader(value))).entries(from)) {
        last = entry.key;
        yield entry;
      }
    }
  }

  #footer(): { meta: Place; index: Place; padding: Uint8Array } {
    const at = this.#file.sizeBytes - FOOTER;
    if (at < 0) throw new RangeError('it does not end like a table');
    const bytes = this.#file.read(at, FOOTER);
    if (fixed32(bytes, MAGIC_AT) !== MAGIC_LOW || fixed32(bytes, MAGIC_AT + 4) !== MAGIC_HIGH)
      throw new RangeError('it does not end like a table');
    const footer = new LevelReader(bytes);
    return { meta: placeIn(footer), index: placeIn(footer), padding: bytes.subarray(footer.at, MAGIC_AT) };
  }

  #block(place: Place): LevelBlock {
    const cached = this.#cache?.get(place.at);
    if (cached !== undefined) return cached;
    const whole = this.#wholeBytes(place);
    const bytes = whole.subarray(0, place.length);
    const block = new LevelBlock(whole[place.length] === SNAPPY ? unsnap(bytes) : bytes);
    this.#cache?.set(place.at, block);
    return block;
  }

  /** A block as it is stored, with what is behind it. */
  #wholeBytes({ at, length }: Place): Uint8Array {
    if (at + length + TRAILER > this.#file.sizeBytes) throw new RangeError(`the block at ${at} has no end`);
    const bytes = this.#file.read(at, length + TRAILER);
    if (!hasMaskedSum(bytes, 0, length + 1, fixed32(bytes, length + 1)))
      throw new RangeError(`the block at ${at} does not match its checksum`);
    return bytes;
  }
}

function placeIn(from: LevelReader): Place {
  return { at: from.varint(), length: from.varint() };
}

/** The places that the entries of an index block name. */
function* placesIn(block: LevelBlock): Generator<Place> {
  for (const { value } of block.entries(NO_KEY)) yield placeIn(new LevelReader(value));
}
