// The value of an internal node's entry: u48 id of the child, u32 birth of the child. The birth stands beside the pointer, so
// that a walk can pass over what other versions own without reading it. FROZEN BYTES: FORMAT.md, "Node record".

import { get32, get48, put32, put48 } from '../util/index.ts';
import { valueAt } from '../format/index.ts';

export const CHILD_BYTES = 10;

export function childId(page: Uint8Array, index: number): number {
  return get48(page, valueAt(page, index));
}

export function childBirth(page: Uint8Array, index: number): number {
  return get32(page, valueAt(page, index) + 6);
}

export function putChild(page: Uint8Array, index: number, id: number, birth: number): void {
  const at = valueAt(page, index);
  put48(page, at, id);
  put32(page, at + 6, birth);
}
