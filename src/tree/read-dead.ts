// Reading of many dead lists in a view of the engine: neither the sums that are in memory nor what was dropped since the last commit is seen.

import {
  deadKey,
  deadSumKey,
  decodeDead,
  decodeDeadSum,
  keyAfter,
  parseDeadKey,
  parseDeadSumKey,
} from '../format/index.ts';
import type { KeyValuePair, ReadView } from '../store/index.ts';

/** A range ends the thread's turn after so many records. */
const RECORDS_PER_SLICE = 1024;
/** Lists that are so near to each other are read in one go, with what lies between. */
const GAP_MAX = 16;
/** Where the number line of blocks begins, on one line with that of nodes. */
const BLOCKS_FROM = 2 ** 49;

/** Calls `visit` for each birth of which one of `lists` holds objects, with their number; of lists between them as well. */
export async function readDeadSums(
  view: ReadView,
  lists: readonly number[],
  visit: (list: number, birth: number, count: number) => void,
): Promise<void> {
  const sorted = lists.toSorted((a, b) => a - b);
  for (let at = 0; at < sorted.length;) {
    const from = sorted[at]!;
    let last = from;
    for (at++; at < sorted.length && sorted[at]! - last <= GAP_MAX; at++) last = sorted[at]!;
    await eachInRange(view, deadSumKey(from, 0), deadSumKey(last + 1, 0), ([key, value]) => {
      const { list, birth } = parseDeadSumKey(key);
      const { nodes, blocks } = decodeDeadSum(key, value, `sums of dead list ${list}`);
      visit(list, birth, nodes + blocks);
    });
  }
}

/** The objects of one birth in `list`, ascending on one line: start, end, start, end... */
export async function readDeadRuns(view: ReadView, list: number, birth: number): Promise<number[]> {
  const runs: number[] = [];
  await eachInRange(view, deadKey(list, birth, 0, 0), deadKey(list, birth + 1, 0, 0), ([key, value]) => {
    const { kind, start } = parseDeadKey(key);
    const from = kind * BLOCKS_FROM + start;
    runs.push(from, from + decodeDead(key, value, `dead list ${list}`));
  });
  return runs;
}

async function eachInRange(
  view: ReadView,
  from: Uint8Array,
  to: Uint8Array,
  visit: (pair: KeyValuePair) => void,
): Promise<void> {
  for (let low = from; ;) {
    const slice = await view.range(low, to, RECORDS_PER_SLICE);
    for (const pair of slice) visit(pair);
    if (slice.length < RECORDS_PER_SLICE) return;
    low = keyAfter(slice.at(-1)![0]);
  }
}
