// A table of LevelDB (doc/table_format.md there): blocks with a checksum each, which LevelDB itself does not look at when it reads.

import { hasMaskedSum } from './crc32c.ts';
import { LevelReader, fixed32 } from './level-bytes.ts';
import { unsnap } from './snappy.ts';

const FOOTER = 48;
const MAGIC_LOW = 0x8b80fb57;
const MAGIC_HIGH = 0xdb477524;
/** Behind each block: how it is compressed u8, masked CRC-32C u32 over both. */
const TRAILER = 5;
const SNAPPY = 1;

interface Place {
  readonly at: number;
  readonly length: number;
}

/** What is damaged in a table, in words; undefined where nothing is. */
export function tableDamage(table: Uint8Array): string | undefined {
  try {
    const footerAt = table.length - FOOTER;
    if (footerAt < 0 || fixed32(table, footerAt + 40) !== MAGIC_LOW || fixed32(table, footerAt + 44) !== MAGIC_HIGH)
      return 'it does not end like a table';
    const footer = new LevelReader(table, footerAt);
    const [meta, index] = [placeIn(footer), placeIn(footer)];
    const places = [...placesOf(blockOf(table, index)), ...placesOf(blockOf(table, meta)), meta, index];
    places.sort((a, b) => a.at - b.at);
    // One after the other up to the footer: so no place was lost, or is named twice.
    let end = 0;
    for (const place of places) {
      if (place.at !== end) return `its blocks are not where they should be at ${end}`;
      requireWhole(table, place);
      end = place.at + place.length + TRAILER;
    }
    return end === footerAt ? undefined : `its blocks are not where they should be at ${end}`;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function placeIn(from: LevelReader): Place {
  return { at: from.varint(), length: from.varint() };
}

function requireWhole(table: Uint8Array, { at, length }: Place): void {
  const end = at + length;
  if (end + TRAILER > table.length || !hasMaskedSum(table, at, end + 1, fixed32(table, end + 1)))
    throw new RangeError(`the block at ${at} does not match its checksum`);
}

/** The contents of a block whose entries are read here. */
function blockOf(table: Uint8Array, place: Place): Uint8Array {
  requireWhole(table, place);
  const bytes = table.subarray(place.at, place.at + place.length);
  return table[place.at + place.length] === SNAPPY ? unsnap(bytes) : bytes;
}

/** The places that the entries of an index block name. */
function placesOf(block: Uint8Array): Place[] {
  const restarts = fixed32(block, block.length - 4);
  const from = new LevelReader(block.subarray(0, block.length - 4 - 4 * restarts));
  const places: Place[] = [];
  while (!from.isAtEnd) {
    // The key: how much of it is that of the entry before does not matter here.
    from.varint();
    const [keyLength, valueLength] = [from.varint(), from.varint()];
    from.take(keyLength);
    places.push(placeIn(new LevelReader(from.take(valueLength))));
  }
  return places;
}
