// All records of a key space.

import { keyAfter, spaceKey } from '../format/index.ts';
import type { Reads } from './kv.ts';

/** Records of one range: their values are in memory together, bitmaps of 4 KiB among them. */
const SLICE = 1024;

/** Calls `visit` for every record of `space`, in slices, so that a large space is never in memory twice. Throws like `kv.range`. */
export async function eachRecord(
  kv: Pick<Reads, 'range'>,
  space: number,
  visit: (key: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  const to = spaceKey(space, true);
  for (let from = spaceKey(space); ;) {
    const slice = await kv.range(from, to, SLICE);
    for (const [key, value] of slice) visit(key, value);
    if (slice.length < SLICE) return;
    from = keyAfter(slice.at(-1)![0]);
  }
}
