// The value of an extent entry: where a run of file blocks lies in the data file, with a checksum for each block.
//
//   0  u48  first block in the data file
//   6  u32  birth: the version in which the blocks were allocated
//   10 u32  CRC-32 of each block, in order; their number is the extent's length, 1 to 256
// FROZEN BYTES: FORMAT.md, "Extent".

import { get32, get48, put32, put48 } from '../util/index.ts';

/** Blocks in the longest extent: 1 MiB, so that its checksums fit into a quarter of a page. */
export const EXTENT_BLOCKS_MAX = 256;

const BIRTH_AT = 6;
const SUMS_AT = 10;

/** Bytes of the value of an extent of `blocks` blocks. */
export function extentBytes(blocks: number): number {
  return SUMS_AT + 4 * blocks;
}

/** Blocks of the extent whose value has `valueLength` bytes. */
export function extentLength(valueLength: number): number {
  return (valueLength - SUMS_AT) >>> 2;
}

export function extentStart(page: Uint8Array, at: number): number {
  return get48(page, at);
}

export function extentBirth(page: Uint8Array, at: number): number {
  return get32(page, at + BIRTH_AT);
}

export function extentSum(page: Uint8Array, at: number, block: number): number {
  return get32(page, at + SUMS_AT + 4 * block);
}

/** Writes the fixed part of an extent's value at `at`. */
export function putExtent(page: Uint8Array, at: number, start: number, birth: number): void {
  put48(page, at, start);
  put32(page, at + BIRTH_AT, birth);
}

export function putExtentSum(page: Uint8Array, at: number, block: number, sum: number): void {
  put32(page, at + SUMS_AT + 4 * block, sum);
}

/** Where in an extent's value the checksum of its block `block` stands. */
export function extentSumAt(block: number): number {
  return SUMS_AT + 4 * block;
}
