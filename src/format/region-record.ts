// The region record: the allocation bitmap of one region of the data file.
//
//   0  u8   type, 0x52 'R'
//   1  u8   format, 1
//   2  u32  CRC-32 over the region's number (u32 big-endian), bytes 0 and 1, and the bitmap
//   6  ...  bitmap, REGION_BLOCKS bits: block b of the region is bit (b & 7) of byte (b >> 3); 1 = allocated
//
// The region's number is part of the checksum, so a record that came under another key does not pass.
// FROZEN BYTES: FORMAT.md, "Region record".

import { crc32 } from 'node:zlib';
import { CorruptionError } from '../errors/index.ts';
import { get32, put32 } from '../util/index.ts';
import { REGION_BLOCKS } from './constants.ts';

const REGION_TYPE = 0x52;
const REGION_FORMAT = 1;
const CRC_AT = 2;
const BITMAP_AT = 6;

/** Bytes of a region record. */
export const REGION_RECORD_BYTES = BITMAP_AT + REGION_BLOCKS / 8;

/** 32-bit words of a region's bitmap in memory: block b is bit (b & 31) of word (b >> 5). */
export const REGION_WORDS = REGION_BLOCKS / 32;

const prefix = new Uint8Array(6);

function checksum(region: number, record: Uint8Array): number {
  put32(prefix, 0, region);
  prefix[4] = record[0]!;
  prefix[5] = record[1]!;
  return crc32(record.subarray(BITMAP_AT), crc32(prefix));
}

/** The record of region `region` (u32) whose allocated blocks are the set bits of `words` (REGION_WORDS of them). */
export function encodeRegion(region: number, words: Int32Array): Uint8Array {
  const record = new Uint8Array(REGION_RECORD_BYTES);
  record[0] = REGION_TYPE;
  record[1] = REGION_FORMAT;
  for (let i = 0, at = BITMAP_AT; i < REGION_WORDS; i++, at += 4) {
    const word = words[i]!;
    record[at] = word;
    record[at + 1] = word >>> 8;
    record[at + 2] = word >>> 16;
    record[at + 3] = word >>> 24;
  }
  put32(record, CRC_AT, checksum(region, record));
  return record;
}

/** Writes the bitmap of `record`, stored for region `region`, into `words`. Throws CorruptionError unless it is intact. */
export function decodeRegion(region: number, record: Uint8Array, words: Int32Array): void {
  const name = `allocation bitmap of region ${region}`;
  if (record.length !== REGION_RECORD_BYTES) {
    throw new CorruptionError(name, `${record.length} bytes long instead of ${REGION_RECORD_BYTES}`);
  }
  if (record[0] !== REGION_TYPE || record[1] !== REGION_FORMAT) {
    throw new CorruptionError(name, `unknown type ${record[0]} or format ${record[1]}`);
  }
  if (get32(record, CRC_AT) !== checksum(region, record)) throw new CorruptionError(name, 'wrong checksum');
  for (let i = 0, at = BITMAP_AT; i < REGION_WORDS; i++, at += 4) {
    words[i] = record[at]! | (record[at + 1]! << 8) | (record[at + 2]! << 16) | (record[at + 3]! << 24);
  }
}
