// The oldest snapshots whose deletion frees so much, and no more of them than it takes.

import { type Forest, type Rehearsal, rehearse } from '../tree/index.ts';
import type { Snapshot } from './volume.ts';

/** More than this are not looked at one by one. */
const PRUNE_MAX = 512;

export interface Cheapest {
  readonly snapshots: readonly Snapshot[];
  /** What deleting them together frees: less than was asked for where all of them don't free so much. */
  readonly blocks: number;
}

/**
 * Of `snapshots`, which are given oldest first, the oldest, as few as it takes to free `blocks`, without those among them that need not go.
 * Gives all where they don't free so much. Everything must be committed.
 */
export async function cheapestToFree(
  forest: Forest,
  snapshots: readonly Snapshot[],
  blocks: number,
): Promise<Cheapest> {
  const prefix = await rehearse(forest, versionsOf(snapshots), async (rehearsal): Promise<Cheapest> => {
    const all = await freedBy(rehearsal, snapshots);
    return all < blocks ? { snapshots, blocks: all } : shortestPrefix(rehearsal, snapshots, blocks);
  });
  if (prefix.blocks < blocks || prefix.snapshots.length > PRUNE_MAX) return prefix;
  return rehearse(forest, versionsOf(prefix.snapshots), (rehearsal) => prune(rehearsal, prefix, blocks));
}

/** As few of the oldest as free `blocks`: what a set frees never gets less when another joins it, so halving finds it. */
async function shortestPrefix(rehearsal: Rehearsal, all: readonly Snapshot[], blocks: number): Promise<Cheapest> {
  let tooFew = -1;
  let enough = all.length;
  while (enough - tooFew > 1) {
    const middle = (tooFew + enough) >>> 1;
    if ((await freedBy(rehearsal, all.slice(0, middle))) >= blocks) enough = middle;
    else tooFew = middle;
  }
  const snapshots = all.slice(0, enough);
  return { snapshots, blocks: await freedBy(rehearsal, snapshots) };
}

/** Takes those out again, the youngest first, without which the rest still frees `blocks`. */
async function prune(rehearsal: Rehearsal, prefix: Cheapest, blocks: number): Promise<Cheapest> {
  let chosen = prefix;
  for (const snapshot of prefix.snapshots.toReversed()) {
    const without = chosen.snapshots.filter((other) => other !== snapshot);
    const freed = await freedBy(rehearsal, without);
    if (freed >= blocks) chosen = { snapshots: without, blocks: freed };
  }
  return chosen;
}

function freedBy(rehearsal: Rehearsal, snapshots: readonly Snapshot[]): Promise<number> {
  return rehearsal.freedBy(versionsOf(snapshots));
}

function versionsOf(snapshots: readonly Snapshot[]): Snapshot['version'][] {
  return snapshots.map(({ version }) => version);
}
