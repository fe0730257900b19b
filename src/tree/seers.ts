// Who sees what was born in a region: its named versions and heads, numbered so that those below one row follow each other. Each belongs to
// one of several sets of versions that may be deleted, or stays.

import type { Region } from './region.ts';
import type { Version } from './versions.ts';

/** No set, but nobody at all. */
const NOBODY = -1;
/** No set: seers of several, or some that stay. */
const SEVERAL = -2;

/** For each row of `region` the row right above it, where that may go; else -1. To be called when the region is made: versions change. */
export function parentRows(region: Region): Int32Array {
  const parents = new Int32Array(region.versions.length).fill(-1);
  for (const row of region.below()) parents[row] = region.rowOf(region.versions[row]!.parent)!;
  return parents;
}

export class Seers {
  /** For each row of the region: the number of the first seer in it or below, and the number after the last. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  /** How many seers the largest of the sets has at most. */
  readonly largestSet: number;
  /** By the number of the seer: its set, or SEVERAL where it stays. */
  readonly #owner: Int32Array;
  /** By the number of the seer: the next one with another owner. */
  readonly #sameUntil: Int32Array;

  /** The seers of `region`, whose rows are below `parents`; `sets` are those that may be deleted. */
  constructor(region: Region, parents: Int32Array, sets: readonly (readonly Version[])[]) {
    const { versions } = region;
    const nameless = region.cut([]).goes;
    const counts = Int32Array.from(nameless, (isNameless) => 1 - isNameless);
    for (let row = counts.length - 1; row >= 0; row--) if (parents[row]! >= 0) counts[parents[row]!]! += counts[row]!;
    this.first = new Int32Array(versions.length);
    this.end = new Int32Array(versions.length);
    const next = new Int32Array(versions.length);
    let roots = 0;
    for (const [row, parent] of parents.entries()) {
      const count = counts[row]!;
      const first = parent < 0 ? roots : next[parent]!;
      if (parent < 0) roots += count;
      else next[parent] = first + count;
      this.first[row] = first;
      this.end[row] = first + count;
      // Its own number comes before those below it.
      next[row] = first + 1 - nameless[row]!;
    }
    this.#owner = new Int32Array(roots).fill(SEVERAL);
    this.largestSet = sets.reduce((largest, set) => Math.max(largest, set.length), 0);
    for (const [set, members] of sets.entries()) {
      for (const { id } of members) {
        const row = region.rowOf(id);
        // Those that were deleted meanwhile see nothing any more.
        if (row !== undefined && nameless[row] === 0) this.#owner[this.first[row]!] = set;
      }
    }
    this.#sameUntil = new Int32Array(roots);
    for (let seer = roots - 1; seer >= 0; seer--) {
      const isSame = seer + 1 < roots && this.#owner[seer] === this.#owner[seer + 1];
      this.#sameUntil[seer] = isSame ? this.#sameUntil[seer + 1]! : seer + 1;
    }
  }

  /** How many are in row `row` or below. */
  count(row: number): number {
    return this.end[row]! - this.first[row]!;
  }

  /**
   * The set (0 or more) to which all seers below row `from` belong that are not below one of the rows `hidden`, which are given by their first
   * seers ascending. Less than 0: there is no such set.
   */
  ownerOf(from: number, hidden: readonly number[]): number {
    let owner = NOBODY;
    let at = this.first[from]!;
    for (let next = 0; next <= hidden.length; next++) {
      const to = next < hidden.length ? this.first[hidden[next]!]! : this.end[from]!;
      if (at < to) {
        const here = this.#owner[at]!;
        if (here === SEVERAL || this.#sameUntil[at]! < to || (owner !== NOBODY && owner !== here)) return SEVERAL;
        owner = here;
      }
      if (next < hidden.length) at = Math.max(at, this.end[hidden[next]!]!);
    }
    return owner;
  }
}
