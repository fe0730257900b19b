// The packed B+tree node: one 4 KiB page with a slot table, searched and changed in place. No object per entry.
//
//   0  u8   type, 0x4e 'N'
//   1  u8   format, 1
//   2  u8   level: 0 for a leaf, else one more than its children
//   3  u8   zero
//   4  u16  count of entries
//   6  u16  heap: where the lowest entry starts
//   8  u16  garbage: bytes in the heap that no slot points at (0 when stored)
//   10 u16  zero
//   12 u32  CRC-32 of the stored record with this field zero (0 in memory)
//   16 u32  birth: the version in which the node was allocated
//   20 u16  slot per entry, in key order: where the entry starts
//   ..      free
//   heap..  entries, in any order: u8 key length, u16 value length, key, value
//
// Stored, the free middle is left out: the bytes before it and the heap follow each other.
// INVARIANT: keys ascend strictly along the slots; entries do not overlap (checked by checkPage).
// FROZEN BYTES: FORMAT.md, "Node record".

import { crc32 } from 'node:zlib';
import { CorruptionError } from '../errors/index.ts';
import { assert, get16, get32, put16, put32 } from '../util/index.ts';

/** Bytes of a page in memory, and what a node counts for in space figures. */
export const PAGE_BYTES = 4096;
/** Bytes before the slot table. */
export const PAGE_HEADER_BYTES = 20;
/** What an entry takes besides key and value: its slot and its two lengths. */
export const ENTRY_OVERHEAD_BYTES = 5;
/** The longest value. Three entries of this size fit into a page, so a split always helps. */
export const ENTRY_VALUE_BYTES_MAX = 1200;

const PAGE_TYPE = 0x4e;
const PAGE_FORMAT = 1;
const LEVEL_AT = 2;
const COUNT_AT = 4;
const HEAP_AT = 6;
const GARBAGE_AT = 8;
const CRC_AT = 12;
const BIRTH_AT = 16;
const ENTRY_HEADER_BYTES = 3;

/** A new empty page. */
export function createPage(level: number, birth: number): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  page[0] = PAGE_TYPE;
  page[1] = PAGE_FORMAT;
  page[LEVEL_AT] = level;
  put16(page, HEAP_AT, PAGE_BYTES);
  put32(page, BIRTH_AT, birth);
  return page;
}

export function pageLevel(page: Uint8Array): number {
  return page[LEVEL_AT]!;
}

export function pageCount(page: Uint8Array): number {
  return (page[COUNT_AT]! << 8) | page[COUNT_AT + 1]!;
}

export function pageBirth(page: Uint8Array): number {
  return get32(page, BIRTH_AT);
}

export function setPageBirth(page: Uint8Array, birth: number): void {
  put32(page, BIRTH_AT, birth);
}

/** Bytes that the page's header, slots and live entries take. */
export function pageUsedBytes(page: Uint8Array): number {
  return PAGE_HEADER_BYTES + 2 * pageCount(page) + PAGE_BYTES - get16(page, HEAP_AT) - get16(page, GARBAGE_AT);
}

function slotOf(page: Uint8Array, index: number): number {
  const at = PAGE_HEADER_BYTES + 2 * index;
  return (page[at]! << 8) | page[at + 1]!;
}

export function keyLengthAt(page: Uint8Array, index: number): number {
  return page[slotOf(page, index)]!;
}

/** Where the key of entry `index` starts in the page. */
export function keyAt(page: Uint8Array, index: number): number {
  return slotOf(page, index) + ENTRY_HEADER_BYTES;
}

export function valueLengthAt(page: Uint8Array, index: number): number {
  return get16(page, slotOf(page, index) + 1);
}

/** Where the value of entry `index` starts in the page. */
export function valueAt(page: Uint8Array, index: number): number {
  const at = slotOf(page, index);
  return at + ENTRY_HEADER_BYTES + page[at]!;
}

/**
 * Finds `key`. Gives its index, or `~index` of where it would go. Bytes that both bounds of the search share with the key are
 * not compared again: keys of one page have long common prefixes.
 */
export function searchPage(page: Uint8Array, key: Uint8Array, keyLength: number): number {
  let low = 0;
  let high = pageCount(page);
  let lowCommon = 0;
  let highCommon = 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = slotOf(page, middle);
    const length = page[at]!;
    const limit = length < keyLength ? length : keyLength;
    const start = at + ENTRY_HEADER_BYTES;
    let i = lowCommon < highCommon ? lowCommon : highCommon;
    while (i < limit && page[start + i] === key[i]) i++;
    const order = i < limit ? page[start + i]! - key[i]! : length - keyLength;
    if (order === 0) return middle;
    if (order < 0) {
      low = middle + 1;
      lowCommon = i;
    } else {
      high = middle;
      highCommon = i;
    }
  }
  return ~low;
}

/**
 * Makes room for an entry at `index` and writes key and value lengths and the key. Gives where the value goes, for the caller
 * to fill, or -1 where the page is too full.
 */
export function insertSpace(
  page: Uint8Array,
  index: number,
  key: Uint8Array,
  keyFrom: number,
  keyLength: number,
  valueLength: number,
): number {
  const count = pageCount(page);
  const entryBytes = ENTRY_HEADER_BYTES + keyLength + valueLength;
  const slotsEnd = PAGE_HEADER_BYTES + 2 * count;
  if (get16(page, HEAP_AT) - slotsEnd < entryBytes + 2) {
    if (PAGE_BYTES - pageUsedBytes(page) < entryBytes + 2) return -1;
    compactPage(page);
  }
  const at = get16(page, HEAP_AT) - entryBytes;
  put16(page, HEAP_AT, at);
  page[at] = keyLength;
  put16(page, at + 1, valueLength);
  const keyStart = at + ENTRY_HEADER_BYTES;
  for (let i = 0; i < keyLength; i++) page[keyStart + i] = key[keyFrom + i]!;
  const slot = PAGE_HEADER_BYTES + 2 * index;
  page.copyWithin(slot + 2, slot, slotsEnd);
  put16(page, slot, at);
  put16(page, COUNT_AT, count + 1);
  return keyStart + keyLength;
}

/** Removes entry `index`; its bytes become garbage until the page is compacted. */
export function removeEntry(page: Uint8Array, index: number): void {
  const count = pageCount(page);
  const at = slotOf(page, index);
  const entryBytes = ENTRY_HEADER_BYTES + page[at]! + get16(page, at + 1);
  if (at === get16(page, HEAP_AT)) put16(page, HEAP_AT, at + entryBytes);
  else put16(page, GARBAGE_AT, get16(page, GARBAGE_AT) + entryBytes);
  const slot = PAGE_HEADER_BYTES + 2 * index;
  page.copyWithin(slot, slot + 2, PAGE_HEADER_BYTES + 2 * count);
  put16(page, COUNT_AT, count - 1);
}

/** Appends entries `from` to `to` (exclusive) of `source` to `target`, which must have room and only smaller keys. */
export function appendEntries(target: Uint8Array, source: Uint8Array, from: number, to: number): void {
  let count = pageCount(target);
  let heap = get16(target, HEAP_AT);
  for (let index = from; index < to; index++) {
    const at = slotOf(source, index);
    const entryBytes = ENTRY_HEADER_BYTES + source[at]! + get16(source, at + 1);
    heap -= entryBytes;
    target.set(source.subarray(at, at + entryBytes), heap);
    put16(target, PAGE_HEADER_BYTES + 2 * count, heap);
    count++;
  }
  assert(heap >= PAGE_HEADER_BYTES + 2 * count, 'entries that are moved fit into the page');
  put16(target, COUNT_AT, count);
  put16(target, HEAP_AT, heap);
}

/** Forgets all entries. */
export function clearPage(page: Uint8Array): void {
  put16(page, COUNT_AT, 0);
  put16(page, HEAP_AT, PAGE_BYTES);
  put16(page, GARBAGE_AT, 0);
}

const spare = new Uint8Array(PAGE_BYTES);

/** Moves the heap together, so that no garbage is left. */
export function compactPage(page: Uint8Array): void {
  spare.set(page);
  clearPage(page);
  appendEntries(page, spare, 0, pageCount(spare));
}

/** The stored record of a page: header, slots and heap without the gap, with its checksum; a view of `into`. Compacts the page. */
export function encodePage(page: Uint8Array, into = new Uint8Array(PAGE_BYTES)): Uint8Array {
  if (get16(page, GARBAGE_AT) > 0) compactPage(page);
  const front = PAGE_HEADER_BYTES + 2 * pageCount(page);
  const heap = get16(page, HEAP_AT);
  const record = into.subarray(0, front + PAGE_BYTES - heap);
  record.set(page.subarray(0, front), 0);
  record.set(page.subarray(heap), front);
  put32(record, CRC_AT, crc32(record));
  return record;
}

/** The checksum in a stored record. */
export function sumOfPage(stored: Uint8Array): number {
  return get32(stored, CRC_AT);
}

/** The page of a stored record. Throws CorruptionError, naming `record`, where checksum or form are wrong. */
export function decodePage(stored: Uint8Array, record: string): Uint8Array {
  if (stored.length < PAGE_HEADER_BYTES || stored[0] !== PAGE_TYPE)
    throw new CorruptionError(record, 'not a node record');
  if (stored[1] !== PAGE_FORMAT) throw new CorruptionError(record, `node format ${stored[1]!} is unknown`);
  const front = PAGE_HEADER_BYTES + 2 * get16(stored, COUNT_AT);
  const heap = get16(stored, HEAP_AT);
  if (heap > PAGE_BYTES || front > heap || stored.length !== front + PAGE_BYTES - heap) {
    throw new CorruptionError(record, 'lengths do not add up');
  }
  const page = new Uint8Array(PAGE_BYTES);
  page.set(stored.subarray(0, front), 0);
  page.set(stored.subarray(front), heap);
  const expected = get32(stored, CRC_AT);
  put32(page, CRC_AT, 0);
  const sum = crc32(page.subarray(heap), crc32(page.subarray(0, front)));
  if (sum !== expected) throw new CorruptionError(record, 'checksum does not match');
  return page;
}

/** Says what is wrong with a page's slots and keys, or nothing. */
export function checkPage(page: Uint8Array): string | undefined {
  let bytes = 0;
  for (let index = 0; index < pageCount(page); index++) {
    const at = slotOf(page, index);
    const entryBytes = ENTRY_HEADER_BYTES + page[at]! + get16(page, at + 1);
    if (at < get16(page, HEAP_AT) || at + entryBytes > PAGE_BYTES) return `entry ${index} lies outside the heap`;
    bytes += entryBytes;
    if (index > 0) {
      const previous = page.subarray(keyAt(page, index - 1), keyAt(page, index - 1) + keyLengthAt(page, index - 1));
      if (searchPage(page, previous, previous.length) !== index - 1) return `key ${index} is out of order`;
    }
  }
  if (bytes + get16(page, GARBAGE_AT) !== PAGE_BYTES - get16(page, HEAP_AT))
    return 'entries and garbage do not fill the heap';
  return undefined;
}
