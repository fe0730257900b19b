// Keys of the LevelDB key spaces. The first byte is the space; numbers are fixed-width big-endian, so byte order is numeric order.
// FROZEN BYTES: every store on disk holds these; a new layout needs a new format version (FORMAT.md, "Version history").

import { put32, put48 } from '../util/index.ts';

/** First byte of every LevelDB key. */
export const SPACE = {
  super: 0x01,
  volume: 0x02,
  version: 0x03,
  alias: 0x04,
  node: 0x05,
  dead: 0x06,
  deadSum: 0x07,
  region: 0x08,
} as const;

export const NODE_KEY_BYTES = 7;
export const REGION_KEY_BYTES = 5;

/** The key of a whole space that sorts before all its records; with `end` the one that sorts after them. */
export function spaceKey(space: number, end = false): Uint8Array {
  return Uint8Array.of(end ? space + 1 : space);
}

/** Key of the packed B+tree node `nodeId` (u48). */
export function nodeKey(nodeId: number): Uint8Array {
  const key = new Uint8Array(NODE_KEY_BYTES);
  key[0] = SPACE.node;
  put48(key, 1, nodeId);
  return key;
}

/** Key of the allocation bitmap of region `region` (u32). */
export function regionKey(region: number): Uint8Array {
  const key = new Uint8Array(REGION_KEY_BYTES);
  key[0] = SPACE.region;
  put32(key, 1, region);
  return key;
}
