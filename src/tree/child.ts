// The value of an internal node's entry: u48 id of the child, u32 birth of the child, u32 checksum of the child's record. The birth stands
// beside the pointer, so that a walk can pass over what other versions own without reading it; the checksum tells the child's latest state from
// any other, each of which has a right checksum of its own. FROZEN BYTES: FORMAT.md, "Node record".

import { get32, get48, put32, put48 } from '../util/index.ts';
import { valueAt } from '../format/index.ts';

export const CHILD_BYTES = 14;

export function childId(page: Uint8Array, index: number): number {
  return get48(page, valueAt(page, index));
}

export function childBirth(page: Uint8Array, index: number): number {
  return get32(page, valueAt(page, index) + 6);
}

/** The checksum of the child's record; means nothing while the child waits to be stored. */
export function childSum(page: Uint8Array, index: number): number {
  return get32(page, valueAt(page, index) + 10);
}

export function putChild(page: Uint8Array, index: number, id: number, birth: number, sum: number): void {
  const at = valueAt(page, index);
  put48(page, at, id);
  put32(page, at + 6, birth);
  put32(page, at + 10, sum);
}

export function putChildSum(page: Uint8Array, index: number, sum: number): void {
  put32(page, valueAt(page, index) + 10, sum);
}
