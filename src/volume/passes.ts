// In how many passes the figures of many sets of versions are found.

import { VERSION_STATE } from '../format/index.ts';
import type { Forest, Version } from '../tree/index.ts';

/** Sets that have nothing to do with each other share a pass until it has so many versions: each pass waits for the engine, and takes memory. */
const PASS_MIN = 1024;

/**
 * The numbers of `sets`, those of a pass together. Sets whose versions touch the same nameless ones are in the same pass: around these they
 * see the same objects, so that the same dead lists are read for all of them. Empty sets are left out.
 */
export function passesOver(forest: Forest, sets: readonly (readonly Version[])[]): number[][] {
  const passes: number[][] = [];
  let size = PASS_MIN;
  for (const tangle of tangles(forest, sets)) {
    if (size >= PASS_MIN) {
      passes.push([]);
      size = 0;
    }
    for (const set of tangle) {
      passes.at(-1)!.push(set);
      size += sets[set]!.length;
    }
  }
  return passes;
}

/** The numbers of `sets`, those that nameless versions join together. */
function* tangles(forest: Forest, sets: readonly (readonly Version[])[]): Generator<number[]> {
  const setOf = new Map<Version, number>();
  for (const [set, versions] of sets.entries()) for (const version of versions) setOf.set(version, set);
  const seen = new Set<Version>();
  const placed = new Set<number>();
  for (const [set, versions] of sets.entries()) {
    if (placed.has(set) || versions.length === 0) continue;
    const tangle: number[] = [];
    const open: Version[] = [];
    const place = (joined: number): void => {
      if (placed.has(joined)) return;
      placed.add(joined);
      tangle.push(joined);
      // Those that were deleted meanwhile may have lost their place in the version tree.
      for (const version of sets[joined]!) if (version.label !== undefined) open.push(version);
    };
    place(set);
    for (let version = open.pop(); version !== undefined; version = open.pop()) {
      if (seen.has(version)) continue;
      seen.add(version);
      const joins = isNameless(version);
      for (const other of neighbours(forest, version)) {
        if (isNameless(other)) open.push(other);
        const joined = joins ? setOf.get(other) : undefined;
        if (joined !== undefined) place(joined);
      }
    }
    yield tangle;
  }
}

function* neighbours(forest: Forest, version: Version): Generator<Version> {
  const parent = forest.versions.parentOf(version);
  if (parent !== undefined) yield parent;
  yield* version.children;
}

function isNameless(version: Version): boolean {
  return version.label === undefined && version.state !== VERSION_STATE.head;
}
