// What deleting versions would free, exactly, without deleting anything (design, section 5, "Space").
//
// An object born in version b is free once no version that stays sees it. Those that could are the frontier below b (region.ts). A version
// that dropped the object hides it from the part of the frontier below itself, and no path holds two that did, so these parts don't
// overlap: the object is free exactly if they add up to the whole frontier below b. Hence:
// - nothing of the frontier is below b: all that was born in b is free, as its counter says;
// - what one version dropped hides it from all of it: the sums of dead lists tell;
// - only where several lists have to come together are records read, of the births that these lists hold between them.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ReadView } from '../store/index.ts';
import { type Drops, readDrops } from './drops.ts';
import type { Forest } from './forest.ts';
import { freedByEach } from './freed-by-each.ts';
import { readDeadRuns } from './read-dead.ts';
import { type Cut, Region } from './region.ts';
import { parentRows } from './seers.ts';
import type { Version } from './versions.ts';

/** How many blocks of 4 KiB (a node counts for one) deleting the named, frozen `versions` together would free; see {@link rehearse}. */
export function rehearseDelete(forest: Forest, versions: readonly Version[]): Promise<number> {
  return rehearse(forest, versions, (rehearsal) => rehearsal.freedBy(versions));
}

/**
 * Calls `ask` with what it takes to tell what deleting any of `versions` (named, frozen) would free, and gives what that gives. Everything
 * must be committed; what happens meanwhile is not seen.
 */
export async function rehearse<T>(
  forest: Forest,
  versions: readonly Version[],
  ask: (rehearsal: Rehearsal) => Promise<T>,
): Promise<T> {
  const view = forest.kv.readView();
  try {
    const region = new Region(forest, versions);
    const parents = parentRows(region);
    return await ask(new Rehearsal(view, region, parents, await readDrops(forest, view, region)));
  } finally {
    await view.close();
  }
}

export class Rehearsal {
  readonly #view: ReadView;
  readonly #region: Region;
  readonly #parents: Int32Array;
  readonly #drops: Drops;
  /** Records that were read, by the number of their drop. */
  readonly #runs = new Map<number, number[]>();
  #freedAnyway: number | undefined;

  constructor(view: ReadView, region: Region, parents: Int32Array, drops: Drops) {
    this.#view = view;
    this.#region = region;
    this.#parents = parents;
    this.#drops = drops;
  }

  /** How many blocks deleting `versions` together would free, besides what is being freed anyway: some of those rehearsed, or all. */
  async freedBy(versions: Iterable<Version>): Promise<number> {
    this.#freedAnyway ??= await this.#unseen([]);
    return (await this.#unseen(versions)) - this.#freedAnyway;
  }

  /**
   * For each of `sets`, which are of the versions rehearsed and hold none twice, how many blocks deleting that set alone would free, besides
   * what is being freed anyway. One pass for all of them.
   */
  freedByEach(sets: readonly (readonly Version[])[]): Promise<number[]> {
    return freedByEach(this.#view, this.#region, this.#parents, this.#drops, sets);
  }

  /** How many blocks that were born in the region nobody sees where `versions` go. */
  async #unseen(versions: Iterable<Version>): Promise<number> {
    await nextTurn();
    const cut = this.#region.cut(versions);
    const { goes, top, frontier } = cut;
    let freed = 0;
    for (const [row, count] of this.#region.born.entries()) if (goes[row] === 1 && frontier[row] === 0) freed += count;
    const parted = new Map<number, number[]>();
    const { by, born, birth, count } = this.#drops;
    for (let drop = 0; drop < by.length; drop++) {
      const from = born[drop]!;
      const to = by[drop]!;
      if (goes[from] === 0 || frontier[to] === 0 || top[from] !== top[to]) continue;
      if (frontier[from] === frontier[to]) freed += count[drop]!;
      else {
        const others = parted.get(birth[drop]!);
        if (others === undefined) parted.set(birth[drop]!, [drop]);
        else others.push(drop);
      }
    }
    for (const drops of parted.values()) if (this.#mayCover(cut, drops)) freed += await this.#countCovered(cut, drops);
    return freed;
  }

  /** Whether `drops`, all of one birth, are on every way from it to the frontier. */
  #mayCover({ first, frontier }: Cut, drops: number[]): boolean {
    const { by, born } = this.#drops;
    const from = born[drops[0]!]!;
    let reached = first[from]!;
    for (const row of drops.map((drop) => by[drop]!).sort((a, b) => first[a]! - first[b]!)) {
      if (first[row]! > reached) return false;
      reached = Math.max(reached, first[row]! + frontier[row]!);
    }
    return reached === first[from]! + frontier[from]!;
  }

  /** How many objects the whole frontier has lost through `drops`, all of one birth. */
  async #countCovered({ frontier }: Cut, drops: number[]): Promise<number> {
    const edges: { at: number; hidden: number }[] = [];
    for (const drop of drops) {
      const hidden = frontier[this.#drops.by[drop]!]!;
      for (const [index, at] of (await this.#runsOf(drop)).entries()) {
        edges.push({ at, hidden: index % 2 === 0 ? hidden : -hidden });
      }
    }
    edges.sort((a, b) => a.at - b.at);
    const whole = frontier[this.#drops.born[drops[0]!]!]!;
    let covered = 0;
    let hidden = 0;
    for (let i = 0; i < edges.length; i++) {
      if (hidden === whole) covered += edges[i]!.at - edges[i - 1]!.at;
      hidden += edges[i]!.hidden;
    }
    return covered;
  }

  async #runsOf(drop: number): Promise<number[]> {
    let runs = this.#runs.get(drop);
    if (runs === undefined) {
      runs = await readDeadRuns(this.#view, this.#drops.list[drop]!, this.#drops.birth[drop]!);
      this.#runs.set(drop, runs);
    }
    return runs;
  }
}
