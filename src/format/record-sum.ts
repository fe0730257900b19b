// What a set of records adds up to, whatever their order: the sum of a checksum of each, key and value. It tells a record that is missing, is there
// again or is of an earlier time, each of which has a right checksum of its own.

import { crc32 } from 'node:zlib';

/** Sums are stored as u48. */
const MODULUS = 2 ** 48;

/** What one record adds. */
export function recordSum(key: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(key));
}

/** `sum` with `more` added, which may be negative: what a record that went had added. */
export function addToSum(sum: number, more: number): number {
  return (sum + more + MODULUS) % MODULUS;
}
