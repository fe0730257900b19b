// The hash that gives a name its slot among a directory's entries (and an attribute's among an inode's).
//
// Entries are ordered by hash, not by name, so that the place in a listing is a number that means the same for ever: the offset
// of readdir. It survives a daemon's restart, needs no table, and listing goes on at it whatever came or went meanwhile.
// Names with the same hash take the next slots; SLOT_PROBES is how far one looks.
// The mixing is that of MurmurHash3 (Austin Appleby, public domain): two 32-bit lanes, of which 48 bits are kept.

import { U32_SPAN, U48_MAX } from '../util/index.ts';

/** How many slots from its own on a name may lie in. */
export const SLOT_PROBES = 256;

/** The highest slot that a hash gives: probing never runs beyond a u48. */
const SLOT_MAX = U48_MAX - SLOT_PROBES;

/** The first slot (u48) of the name `bytes[start..end)` under the store's `seed` (u32). */
export function nameSlot(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let a = seed;
  let b = seed ^ 0x9e3779b9;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    a = Math.imul(a ^ byte, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b ^ byte, 0x1b873593);
    b = (b << 13) | (b >>> 19);
    b = (b + a) | 0;
  }
  a = finish(a ^ (end - start));
  b = finish(b ^ a);
  const slot = ((a >>> 16) * U32_SPAN + (b >>> 0)) % (SLOT_MAX + 1);
  return slot;
}

function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
