// What deleting each of many sets of versions alone would free, all of them in one pass: a listing asks for each volume and each snapshot,
// and around a branching point that thousands of them share a rehearsal of each would read the dead lists of all the others every time.
//
// An object is freed with a set if those who see it all belong to the set, and there are some. Who could see what was born in a version are
// the seers below it (seers.ts), less those below the versions that dropped it. Hence, as in rehearsal.ts:
// - what nobody dropped goes with the set that has all seers below its birth;
// - of what one version dropped on a way down nobody else there has dropped it, too: the sums of dead lists tell;
// - only where lists of several branches may hold the same object are records read, each of them once.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ReadView } from '../store/index.ts';
import type { Drops } from './drops.ts';
import { readDeadRuns } from './read-dead.ts';
import type { Region } from './region.ts';
import { Seers } from './seers.ts';
import type { Version } from './versions.ts';

/** So many lists are read at a time: what is asked of the engine together is one wait. */
const READ_TOGETHER = 256;
/** So many births end the thread's turn. */
const BIRTHS_PER_SLICE = 4096;

/** What {@link Rehearsal.freedByEach} gives. */
export async function freedByEach(
  view: ReadView,
  region: Region,
  parents: Int32Array,
  drops: Drops,
  sets: readonly (readonly Version[])[],
): Promise<number[]> {
  const freed = sets.map(() => 0);
  await new Count(view, region, new Seers(region, parents, sets), drops, freed).run();
  return freed;
}

class Count {
  readonly #view: ReadView;
  readonly #region: Region;
  readonly #seers: Seers;
  readonly #drops: Drops;
  /** By the number of the set. */
  readonly #freed: number[];

  constructor(view: ReadView, region: Region, seers: Seers, drops: Drops, freed: number[]) {
    this.#view = view;
    this.#region = region;
    this.#seers = seers;
    this.#drops = drops;
    this.#freed = freed;
  }

  async run(): Promise<void> {
    for (const [row, count] of this.#region.born.entries()) {
      const owner = this.#seers.ownerOf(row, []);
      if (owner >= 0) this.#freed[owner]! += count;
    }
    let births = 0;
    for (const drops of this.#byBirth().values()) {
      if (++births % BIRTHS_PER_SLICE === 0) await nextTurn();
      await this.#countBirth(drops);
    }
  }

  /** The drops of each birth that hide something, in the order of the seers below them. */
  #byBirth(): Map<number, number[]> {
    const { by, born, birth } = this.#drops;
    const { first, end } = this.#seers;
    const found = new Map<number, number[]>();
    for (let drop = 0; drop < by.length; drop++) {
      const from = born[drop]!;
      const to = by[drop]!;
      if (this.#seers.count(to) === 0 || first[to]! < first[from]! || end[to]! > end[from]!) continue;
      const others = found.get(birth[drop]!);
      if (others === undefined) found.set(birth[drop]!, [drop]);
      else others.push(drop);
    }
    // Where one is below another, the upper one comes first.
    for (const drops of found.values()) {
      drops.sort((a, b) => first[by[a]!]! - first[by[b]!]! || end[by[b]!]! - end[by[a]!]!);
    }
    return found;
  }

  async #countBirth(drops: readonly number[]): Promise<void> {
    const { by, born, count } = this.#drops;
    const { first, end } = this.#seers;
    const from = born[drops[0]!]!;
    const whole = this.#seers.ownerOf(from, []);
    const last = first[by[drops.at(-1)!]!]!;
    let parted = 0;
    // A drop that all later ones are below: no path holds two, so none of them has what it has.
    for (; parted < drops.length; parted++) {
      const row = by[drops[parted]!]!;
      if (last >= end[row]!) break;
      this.#move(count[drops[parted]!]!, whole, this.#seers.ownerOf(from, [row]));
    }
    const rest = drops.slice(parted);
    const least = this.#seers.ownerOf(
      from,
      rest.map((drop) => by[drop]!),
    );
    // Even what all of them dropped stays with those who had it.
    if (rest.length > 0 && least !== whole) await this.#countParted(rest, whole);
  }

  /** `count` objects of a birth have other owners than those that nobody dropped. */
  #move(count: number, whole: number, owner: number): void {
    if (whole >= 0) this.#freed[whole]! -= count;
    if (owner >= 0) this.#freed[owner]! += count;
  }

  /** Counts what `drops`, all of one birth and on several branches, hold, by who is left to see it. */
  async #countParted(drops: readonly number[], whole: number): Promise<void> {
    const { by, born } = this.#drops;
    const from = born[drops[0]!]!;
    // More left than any set has are several owners, as for what nobody dropped; and where one set has all, only what nobody sees counts.
    const leftMax = whole >= 0 ? 0 : this.#seers.largestSet;
    const edges = await this.#edgesOf(drops, this.#seers.count(from) - leftMax);
    this.#sweep(edges, drops, (count, hidden, holding) => {
      if (this.#seers.count(from) - hidden > leftMax) return;
      // Places are in the order that ownerOf wants.
      const rows = [...holding].sort((a, b) => a - b).map((place) => by[drops[place]!]!);
      this.#move(count, whole, this.#seers.ownerOf(from, rows));
    });
    await nextTurn();
  }

  /**
   * Where the runs of `drops` begin and end, ascending; ends before beginnings, since a run may follow another in the same list. Nothing, once
   * enough is read to tell that no object is hidden from `hiddenMin` seers: of lists by the thousand, few have to be read then.
   */
  async #edgesOf(drops: readonly number[], hiddenMin: number): Promise<Edge[]> {
    const edges: Edge[] = [];
    let at = 0;
    for (let until = READ_TOGETHER; at < drops.length; until *= 2) {
      for (; at < Math.min(until, drops.length); at += READ_TOGETHER) {
        const together = drops.slice(at, at + READ_TOGETHER);
        const runs = await Promise.all(
          together.map((drop) => readDeadRuns(this.#view, this.#drops.list[drop]!, this.#drops.birth[drop]!)),
        );
        for (const [index, bounds] of runs.entries()) {
          for (const [edge, bound] of bounds.entries())
            edges.push({ at: bound, place: at + index, starts: edge % 2 === 0 });
        }
      }
      edges.sort((a, b) => a.at - b.at || Number(a.starts) - Number(b.starts));
      let hiddenMost = 0;
      this.#sweep(edges, drops, (_, hidden) => {
        hiddenMost = Math.max(hiddenMost, hidden);
      });
      if (hiddenMost + this.#hiddenAtMost(drops.slice(at)) < hiddenMin) return [];
    }
    return edges;
  }

  /** Calls `visit` for each stretch of objects that the same `drops` hold: how many, from how many seers they are hidden, and by which. */
  #sweep(
    edges: readonly Edge[],
    drops: readonly number[],
    visit: (count: number, hidden: number, holding: ReadonlySet<number>) => void,
  ): void {
    const holding = new Set<number>();
    let hidden = 0;
    let before = 0;
    for (const { at, place, starts } of edges) {
      if (at > before && holding.size > 0) visit(at - before, hidden, holding);
      const below = this.#seers.count(this.#drops.by[drops[place]!]!);
      if (starts) holding.add(place);
      else holding.delete(place);
      hidden += starts ? below : -below;
      before = at;
    }
  }

  /** From how many seers `drops` hide all that any of them may hold. */
  #hiddenAtMost(drops: readonly number[]): number {
    const { first, end } = this.#seers;
    let hidden = 0;
    let reached = 0;
    for (const drop of drops) {
      const row = this.#drops.by[drop]!;
      hidden += Math.max(0, end[row]! - Math.max(reached, first[row]!));
      reached = Math.max(reached, end[row]!);
    }
    return hidden;
  }
}

interface Edge {
  readonly at: number;
  /** Whose run it is: a place in the list of drops. */
  readonly place: number;
  readonly starts: boolean;
}
