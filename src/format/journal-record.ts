// Records of the journal: what one operation changed, in a form that can be done again. A header, then items without padding.
// FROZEN BYTES: FORMAT.md, "Journal".

import { crc32 } from 'node:zlib';
import { assert, get16, get32, get48, put16, put32, put48 } from '../util/index.ts';

/** Bytes of a record before its items. */
const JOURNAL_HEADER_BYTES = 24;

const MAGIC = 0x414a_5231; // 'AJR1'
const MAGIC_BYTES = Buffer.from('AJR1');
const MAGIC_AT = 4;
const LENGTH_AT = 8;
const SEQUENCE_AT = 12;
const DURABLE_AT = 18;

/** What an item says; its first byte. */
export const CHANGE = {
  /** The items that follow are about this volume. */
  volume: 0x01,
  /** A tree entry has this value. */
  put: 0x02,
  /** A tree entry is not there. */
  remove: 0x03,
  /** File blocks lie in a run of data blocks, which has been written. */
  map: 0x04,
  /** File blocks are holes. */
  unmap: 0x05,
  /** A file block lies in a data block, whose contents are here: zeros behind what is given. */
  block: 0x06,
  /** Bytes within a block that an item before gave the contents of. */
  patch: 0x07,
  /** Something is done to a volume or a snapshot as a whole: JSON. */
  structure: 0x08,
} as const;

const INITIAL_BYTES = 64 * 1024;

/** A record in the making. One object for all: what is added lies in one buffer, ready to be written. */
export class JournalRecordWriter {
  bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  /** Bytes in use, the header included. */
  length = JOURNAL_HEADER_BYTES;
  #volume = 0;

  get isEmpty(): boolean {
    return this.length === JOURNAL_HEADER_BYTES;
  }

  /** Starts anew. */
  clear(): void {
    this.length = JOURNAL_HEADER_BYTES;
    this.#volume = 0;
  }

  /** Makes room for an item of `volume` (u32; 0: of none), writes its kind, and gives where the rest goes. */
  #item(kind: number, volume: number, length: number): number {
    const needed = this.length + length + 6;
    if (needed > this.bytes.length) this.#grow(needed);
    if (volume !== this.#volume && volume !== 0) {
      this.bytes[this.length] = CHANGE.volume;
      put32(this.bytes, this.length + 1, volume);
      this.length += 5;
      this.#volume = volume;
    }
    const at = this.length;
    this.bytes[at] = kind;
    this.length = at + 1 + length;
    return at + 1;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** The entry with key `keys[keyAt..keyAt+keyLength)` has the value `page[valueAt..valueAt+valueLength)`. */
  put(
    volume: number,
    keys: Uint8Array,
    keyAt: number,
    keyLength: number,
    page: Uint8Array,
    valueAt: number,
    valueLength: number,
  ): void {
    let at = this.#item(CHANGE.put, volume, 3 + keyLength + valueLength);
    const { bytes } = this;
    bytes[at++] = keyLength;
    for (let i = 0; i < keyLength; i++) bytes[at++] = keys[keyAt + i]!;
    put16(bytes, at, valueLength);
    at += 2;
    for (let i = 0; i < valueLength; i++) bytes[at++] = page[valueAt + i]!;
  }

  /** There is no entry with key `keys[keyAt..keyAt+keyLength)`. */
  remove(volume: number, keys: Uint8Array, keyAt: number, keyLength: number): void {
    let at = this.#item(CHANGE.remove, volume, 1 + keyLength);
    this.bytes[at++] = keyLength;
    for (let i = 0; i < keyLength; i++) this.bytes[at++] = keys[keyAt + i]!;
  }

  /** `count` file blocks of `ino` from `fileBlock` on lie in the data blocks from `start` on, with the checksums `sums[0..count)`. */
  map(volume: number, ino: number, fileBlock: number, start: number, count: number, sums: Uint32Array): void {
    const at = this.#item(CHANGE.map, volume, 20 + 4 * count);
    const { bytes } = this;
    put48(bytes, at, ino);
    put48(bytes, at + 6, fileBlock);
    put48(bytes, at + 12, start);
    put16(bytes, at + 18, count);
    for (let i = 0; i < count; i++) put32(bytes, at + 20 + 4 * i, sums[i]!);
  }

  /** The file blocks `from` to `to` (exclusive) of `ino` are holes. */
  unmap(volume: number, ino: number, from: number, to: number): void {
    const at = this.#item(CHANGE.unmap, volume, 18);
    put48(this.bytes, at, ino);
    put48(this.bytes, at + 6, from);
    put48(this.bytes, at + 12, to);
  }

  /** File block `fileBlock` of `ino` lies in data block `start`, which holds `block[0..length)` and then zeros. */
  block(volume: number, ino: number, fileBlock: number, start: number, block: Uint8Array, length: number): void {
    const at = this.#item(CHANGE.block, volume, 20 + length);
    const { bytes } = this;
    put48(bytes, at, ino);
    put48(bytes, at + 6, fileBlock);
    put48(bytes, at + 12, start);
    put16(bytes, at + 18, length);
    bytes.set(length === block.length ? block : block.subarray(0, length), at + 20);
  }

  /** The bytes from `within` on of file block `fileBlock` of `ino` are `source[from..from+length)`. */
  patch(
    volume: number,
    ino: number,
    fileBlock: number,
    within: number,
    source: Uint8Array,
    from: number,
    length: number,
  ): void {
    const at = this.#item(CHANGE.patch, volume, 16 + length);
    const { bytes } = this;
    put48(bytes, at, ino);
    put48(bytes, at + 6, fileBlock);
    put16(bytes, at + 12, within);
    put16(bytes, at + 14, length);
    for (let i = 0; i < length; i++) bytes[at + 16 + i] = source[from + i]!;
  }

  /** Something that is said in JSON. */
  structure(json: string): void {
    const text = Buffer.from(json);
    const at = this.#item(CHANGE.structure, 0, 4 + text.length);
    put32(this.bytes, at, text.length);
    this.bytes.set(text, at + 4);
  }

  /** Completes the record: its place in the journal, and up to which record all is known to be on stable storage. */
  seal(sequence: number, durable: number): void {
    const { bytes, length } = this;
    put32(bytes, MAGIC_AT, MAGIC);
    put32(bytes, LENGTH_AT, length);
    put48(bytes, SEQUENCE_AT, sequence);
    put48(bytes, DURABLE_AT, durable);
    put32(bytes, 0, crc32(bytes.subarray(MAGIC_AT, length)));
  }
}

/** A record as it was found in the journal. */
export interface JournalRecord {
  sequence: number;
  /** All records up to this one were on stable storage, with their data, before this one was written. */
  durable: number;
  /** The items. */
  items: Uint8Array;
}

/** The whole record at `at` of `bytes`, or undefined where there is none. */
export function readJournalRecord(bytes: Uint8Array, at: number): JournalRecord | undefined {
  if (at + JOURNAL_HEADER_BYTES > bytes.length || get32(bytes, at + MAGIC_AT) !== MAGIC) return undefined;
  const length = get32(bytes, at + LENGTH_AT);
  if (length < JOURNAL_HEADER_BYTES || at + length > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + MAGIC_AT, at + length)) !== get32(bytes, at)) return undefined;
  return {
    sequence: get48(bytes, at + SEQUENCE_AT),
    durable: get48(bytes, at + DURABLE_AT),
    items: bytes.subarray(at + JOURNAL_HEADER_BYTES, at + length),
  };
}

/** Where the next thing that may be a record starts, at or after `from`; -1 where there is none. */
export function findJournalRecord(bytes: Uint8Array, from: number): number {
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(MAGIC_BYTES, from + MAGIC_AT);
  return found < 0 ? -1 : found - MAGIC_AT;
}

/** Where a record with these items ends, counted from its start. */
export function journalRecordBytes(record: JournalRecord): number {
  return JOURNAL_HEADER_BYTES + record.items.length;
}

/** What is told of the items of a record, in their order. Byte ranges are views into the record. */
export interface JournalVisitor {
  put(volume: number, key: Uint8Array, value: Uint8Array): void;
  remove(volume: number, key: Uint8Array): void;
  map(volume: number, ino: number, fileBlock: number, start: number, sums: Uint32Array): void;
  unmap(volume: number, ino: number, from: number, to: number): void;
  block(volume: number, ino: number, fileBlock: number, start: number, bytes: Uint8Array): void;
  patch(volume: number, ino: number, fileBlock: number, within: number, bytes: Uint8Array): void;
  structure(json: string): void;
}

/** Tells `visitor` of every item of a record, of the kinds that it wants to hear of. Throws AssertionError on an unknown one: the checksum was right, so we wrote it. */
export function visitJournalItems(items: Uint8Array, visitor: Partial<JournalVisitor>): void {
  let volume = 0;
  for (let at = 0; at < items.length;) {
    const kind = items[at++]!;
    switch (kind) {
      case CHANGE.volume:
        volume = get32(items, at);
        at += 4;
        break;
      case CHANGE.put: {
        const keyEnd = at + 1 + items[at]!;
        const valueEnd = keyEnd + 2 + get16(items, keyEnd);
        visitor.put?.(volume, items.subarray(at + 1, keyEnd), items.subarray(keyEnd + 2, valueEnd));
        at = valueEnd;
        break;
      }
      case CHANGE.remove: {
        const keyEnd = at + 1 + items[at]!;
        visitor.remove?.(volume, items.subarray(at + 1, keyEnd));
        at = keyEnd;
        break;
      }
      case CHANGE.map: {
        const sums = new Uint32Array(get16(items, at + 18));
        for (let i = 0; i < sums.length; i++) sums[i] = get32(items, at + 20 + 4 * i);
        visitor.map?.(volume, get48(items, at), get48(items, at + 6), get48(items, at + 12), sums);
        at += 20 + 4 * sums.length;
        break;
      }
      case CHANGE.unmap:
        visitor.unmap?.(volume, get48(items, at), get48(items, at + 6), get48(items, at + 12));
        at += 18;
        break;
      case CHANGE.block: {
        const end = at + 20 + get16(items, at + 18);
        const bytes = items.subarray(at + 20, end);
        visitor.block?.(volume, get48(items, at), get48(items, at + 6), get48(items, at + 12), bytes);
        at = end;
        break;
      }
      case CHANGE.patch: {
        const end = at + 16 + get16(items, at + 14);
        const bytes = items.subarray(at + 16, end);
        visitor.patch?.(volume, get48(items, at), get48(items, at + 6), get16(items, at + 12), bytes);
        at = end;
        break;
      }
      case CHANGE.structure: {
        const end = at + 4 + get32(items, at);
        visitor.structure?.(new TextDecoder().decode(items.subarray(at + 4, end)));
        at = end;
        break;
      }
      default:
        assert(false, `item kind ${kind} of a journal record is known`);
    }
  }
}
