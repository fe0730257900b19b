// Keys of the LevelDB key spaces. The first byte is the space; numbers are fixed-width big-endian, so byte order is numeric order.
// FROZEN BYTES: every store on disk holds these; a new layout needs a new format version (FORMAT.md, "Version history").

import { get32, get48, put32, put48 } from '../util/index.ts';

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
  journal: 0x09,
  ledger: 0x0a,
  deadTotal: 0x0b,
} as const;

const NODE_KEY_BYTES = 7;
const REGION_KEY_BYTES = 5;

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

/** The node id in a node's key. */
export function idOfNodeKey(key: Uint8Array): number {
  return get48(key, 1);
}

/** Key of the allocation bitmap of region `region` (u32). */
export function regionKey(region: number): Uint8Array {
  const key = new Uint8Array(REGION_KEY_BYTES);
  key[0] = SPACE.region;
  put32(key, 1, region);
  return key;
}

/** Key of the record of version `version` (u32). */
export function versionKey(version: number): Uint8Array {
  return idKey(SPACE.version, version);
}

/** Key of the alias of the merged version `version` (u32). */
export function aliasKey(version: number): Uint8Array {
  return idKey(SPACE.alias, version);
}

function idKey(space: number, id: number): Uint8Array {
  const key = new Uint8Array(5);
  key[0] = space;
  put32(key, 1, id);
  return key;
}

/** Key of the total over the sums of the dead list `list` (u32). */
export function deadTotalKey(list: number): Uint8Array {
  return idKey(SPACE.deadTotal, list);
}

/** The u32 id in the key of a version, an alias or a dead list's total. */
export function idOfKey(key: Uint8Array): number {
  return get32(key, 1);
}

/** Key of the volume `name` (ASCII). */
export function volumeKey(name: string): Uint8Array {
  return Uint8Array.of(SPACE.volume, ...new TextEncoder().encode(name));
}

/** The name in a volume's key. */
export function nameOfVolumeKey(key: Uint8Array): string {
  return new TextDecoder().decode(key.subarray(1));
}

/** What a dead-list record speaks of: B+tree nodes or runs of data blocks. */
export const DEAD_NODE = 0;
export const DEAD_BLOCKS = 1;

const DEAD_KEY_BYTES = 16;

/** Key of a dead-list record: list (u32), birth (u32), kind, first node id or block (u48). */
export function deadKey(list: number, birth: number, kind: number, start: number): Uint8Array {
  const key = new Uint8Array(DEAD_KEY_BYTES);
  key[0] = SPACE.dead;
  put32(key, 1, list);
  put32(key, 5, birth);
  key[9] = kind;
  put48(key, 10, start);
  return key;
}

/** The fields of a dead-list key. */
export function parseDeadKey(key: Uint8Array): { list: number; birth: number; kind: number; start: number } {
  return { list: get32(key, 1), birth: get32(key, 5), kind: key[9]!, start: get48(key, 10) };
}

/** Key of the sums over the dead-list records of one list and birth. */
export function deadSumKey(list: number, birth: number): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = SPACE.deadSum;
  put32(key, 1, list);
  put32(key, 5, birth);
  return key;
}

/** The fields of a dead-sum key. */
export function parseDeadSumKey(key: Uint8Array): { list: number; birth: number } {
  return { list: get32(key, 1), birth: get32(key, 5) };
}

/** The key that sorts right after `key`: where a slice that ended with it goes on. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}
