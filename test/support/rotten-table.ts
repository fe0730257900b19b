// What a disk does to a table of LevelDB: any bytes of it, or just a key of one of its entries, so that everything still reads well. LevelDB
// doesn't compare the checksums that are wrong then.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LevelBlock } from '../../src/store/level/block.ts';
import { LevelReader, fixed32 } from '../../src/store/level/bytes.ts';
import { type TableEntry, manifestName, parseManifest } from '../../src/store/level/manifest.ts';
import { unsnap } from '../../src/store/level/snappy.ts';
import type { Random } from './host-file.ts';

const SECTOR = 512;
const FOOTER = 48;
const SNAPPY = 1;
/** Keys that are tried before a table is given up: most bytes can't be changed alone, or end up out of order. */
const TRIES = 300;
const NO_KEY = new Uint8Array(0);

/** A way to change the bytes of a table; gives what it did, or undefined where it found nothing to change. */
type Rot = (table: Buffer, random: Random) => string | undefined;

export const ROTS: Readonly<Record<string, Rot>> = {
  flip: (table, random) => {
    const places: number[] = [];
    for (let flips = 1 + random(3); flips > 0; flips--) places.push(random(table.length));
    for (const at of places) table[at]! ^= 1 << random(8);
    return `bits at ${places.join()}`;
  },
  zero: (table, random) => {
    const at = SECTOR * random(Math.ceil(table.length / SECTOR));
    table.fill(0, at, Math.min(at + SECTOR, table.length));
    return `zeros at ${at}`;
  },
  place: (table, random) => {
    const count = Math.floor(table.length / SECTOR);
    if (count < 2) return undefined;
    const [from, to] = [SECTOR * random(count), SECTOR * random(count)];
    table.copyWithin(to, from, from + SECTOR);
    return `the sector of ${from} at ${to}`;
  },
  key: rotKey,
};

/** The tables of the LevelDB in directory `path`. */
export function tablesOf(path: string): readonly TableEntry[] {
  const name = manifestName(readFileSync(join(path, 'CURRENT')));
  return parseManifest(readFileSync(join(path, name))).tables;
}

interface Place {
  readonly at: number;
  readonly length: number;
}

/** Where the key of an entry lies in its block, as far as it is not shared with the one before. */
type KeyPlace = Place;

/** Turns one bit of one key over, where that leaves its block in order and all else in it as it was. */
function rotKey(table: Buffer, random: Random): string | undefined {
  const blocks = dataBlocks(table);
  for (let tries = 0; tries < TRIES && blocks.length > 0; tries++) {
    const { at, length } = pickBlock(blocks, random);
    const packed = table.subarray(at, at + length);
    const isPacked = table[at + length] === SNAPPY;
    const block = Buffer.from(isPacked ? unsnap(packed) : packed);
    const keys = keyPlaces(block);
    const key = keys[random(keys.length)]!;
    const byte = key.at + random(key.length);
    const stored = isPacked ? literalPlaces(packed, block.length)[byte]! : byte;
    if (stored < 0) continue;
    const before = packed[stored]!;
    packed[stored]! ^= 1 << random(8);
    const changed = Buffer.from(isPacked ? unsnap(packed) : packed);
    block[byte] = packed[stored]!;
    // Copies may have been made of it.
    if (changed.equals(block) && isInOrder(changed)) return `bit of a key at ${at + stored}, of the block at ${at}`;
    packed[stored] = before;
  }
  return undefined;
}

/** Nodes take nearly all blocks, so that all other records are in the first and the last ones. */
function pickBlock(blocks: readonly Place[], random: Random): Place {
  const ends = [blocks[0]!, blocks[1] ?? blocks[0]!, blocks.at(-1)!];
  return random(2) === 0 ? ends[random(ends.length)]! : blocks[random(blocks.length)]!;
}

/** The blocks of a table that is whole. */
function dataBlocks(table: Buffer): Place[] {
  const footer = new LevelReader(table, table.length - FOOTER);
  placeIn(footer);
  const { at, length } = placeIn(footer);
  const stored = table.subarray(at, at + length);
  const index = new LevelBlock(table[at + length] === SNAPPY ? unsnap(stored) : stored);
  return [...index.entries(NO_KEY)].map(({ value }) => placeIn(new LevelReader(value)));
}

function placeIn(from: LevelReader): Place {
  return { at: from.varint(), length: from.varint() };
}

function keyPlaces(block: Uint8Array): KeyPlace[] {
  const end = block.length - 4 - 4 * fixed32(block, block.length - 4);
  const reader = new LevelReader(block.subarray(0, end));
  const places: KeyPlace[] = [];
  while (!reader.isAtEnd) {
    reader.varint();
    const [length, valueBytes] = [reader.varint(), reader.varint()];
    places.push({ at: reader.at, length });
    reader.take(length + valueBytes);
  }
  return places;
}

/** For each byte that `packed` stands for, where it lies in there itself; -1 for one that is a copy of others. */
function literalPlaces(packed: Uint8Array, length: number): Int32Array {
  const places = new Int32Array(length).fill(-1);
  const reader = new LevelReader(packed);
  reader.varint();
  for (let end = 0; !reader.isAtEnd;) {
    const tag = reader.take(1)[0]!;
    const code = tag >>> 2;
    if ((tag & 3) !== 0) {
      const isShort = (tag & 3) === 1;
      reader.take(isShort ? 1 : (tag & 3) === 2 ? 2 : 4);
      end += isShort ? 4 + (code & 7) : 1 + code;
      continue;
    }
    const extra = code < 60 ? [] : [...reader.take(code - 59)];
    const count = 1 + (code < 60 ? code : extra.reduceRight((value, byte) => value * 256 + byte, 0));
    for (let i = 0; i < count; i++) places[end + i] = reader.at + i;
    reader.take(count);
    end += count;
  }
  return places;
}

function isInOrder(block: Uint8Array): boolean {
  try {
    const keys = [...new LevelBlock(block).entries(NO_KEY)].map(({ key }) => Buffer.from(key));
    return keys.every((key, i) => i === 0 || Buffer.compare(keys[i - 1]!, key) < 0);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
