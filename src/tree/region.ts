// The part of the version tree that deleting some versions touches: those versions, the nameless ones around them, and right below these
// the versions that stay. A row per version, parents before children, copied at one moment.
//
// A cut says which rows go. Its frontier are the versions that stay right below one that goes: whatever was born above them in versions
// that go is seen by nobody else. They are numbered so that those below one row follow each other.

import { VERSION_STATE } from '../format/index.ts';
import type { Forest } from './forest.ts';
import type { Version } from './versions.ts';

/** What a set of versions that go leaves behind; for each row of the region. */
export interface Cut {
  /** 1 where it goes: the set, and all that is nameless. */
  readonly goes: Uint8Array;
  /** The topmost row above it that only rows that go lie between; itself where its parent stays. */
  readonly top: Int32Array;
  /** How many versions of the frontier are in it or below. */
  readonly frontier: Int32Array;
  /** The number of the first of these. */
  readonly first: Int32Array;
}

export class Region {
  readonly versions: readonly Version[];
  /** Objects in use that were born in the row. */
  readonly born: readonly number[];
  readonly #rows = new Map<number, number>();
  /** The row of the parent, where that may go; else -1. */
  readonly #parents: Int32Array;
  readonly #nameless: Uint8Array;

  /** The region around the named, frozen `versions`; those that were deleted meanwhile are left out. */
  constructor(forest: Forest, versions: readonly Version[]) {
    const mayGo = gather(forest, versions);
    const all = new Set(mayGo);
    for (const version of mayGo) for (const child of version.children) all.add(child);
    // A version is older than its children, and has the lower id.
    this.versions = [...all].sort((a, b) => a.id - b.id);
    this.born = this.versions.map((version) => version.bornNodes + version.bornBlocks);
    this.#nameless = Uint8Array.from(this.versions, (version) => (isNameless(version) ? 1 : 0));
    for (const [row, { id }] of this.versions.entries()) this.#rows.set(id, row);
    this.#parents = Int32Array.from(this.versions, ({ parent }) => {
      const row = this.#rows.get(parent);
      return row !== undefined && mayGo.has(this.versions[row]!) ? row : -1;
    });
  }

  /** The row of version `id`; undefined where it is outside. */
  rowOf(id: number): number | undefined {
    return this.#rows.get(id);
  }

  /** The rows whose dead lists matter: what is above the others stays. */
  *below(): Generator<number> {
    for (const [row, parent] of this.#parents.entries()) if (parent >= 0) yield row;
  }

  /** What is left where `versions` go, which are some of those that the region was made around. */
  cut(versions: Iterable<Version>): Cut {
    const size = this.versions.length;
    const goes = Uint8Array.from(this.#nameless);
    for (const { id } of versions) {
      const row = this.#rows.get(id);
      if (row !== undefined) goes[row] = 1;
    }
    const frontier = new Int32Array(size);
    for (let row = size - 1; row >= 0; row--) {
      if (goes[row] === 0) frontier[row] = 1;
      const parent = this.#parents[row]!;
      if (parent >= 0 && goes[parent] === 1) frontier[parent]! += frontier[row]!;
    }
    return { goes, frontier, ...this.#number(goes, frontier) };
  }

  #number(goes: Uint8Array, frontier: Int32Array): Pick<Cut, 'top' | 'first'> {
    const size = goes.length;
    const top = new Int32Array(size);
    const first = new Int32Array(size);
    const next = new Int32Array(size);
    for (let row = 0; row < size; row++) {
      const parent = this.#parents[row]!;
      const joined = parent >= 0 && goes[parent] === 1;
      top[row] = joined ? top[parent]! : row;
      first[row] = joined ? next[parent]! : 0;
      next[row] = first[row]!;
      if (joined) next[parent]! += frontier[row]!;
    }
    return { top, first };
  }
}

/** `versions`, and the nameless ones that touch them or one another. */
function gather(forest: Forest, versions: readonly Version[]): Set<Version> {
  const found = new Set<Version>();
  const open = versions.filter(({ id, state }) => forest.versions.has(id) && state !== VERSION_STATE.merging);
  for (let version = open.pop(); version !== undefined; version = open.pop()) {
    if (found.has(version)) continue;
    found.add(version);
    const parent = forest.versions.parentOf(version);
    if (parent !== undefined && isNameless(parent)) open.push(parent);
    for (const child of version.children) if (isNameless(child)) open.push(child);
  }
  return found;
}

function isNameless(version: Version): boolean {
  return version.label === undefined && version.state !== VERSION_STATE.head;
}
