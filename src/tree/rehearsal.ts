// What deleting versions would free, exactly, without deleting anything: the reclaimer's moves on copies of what they touch.
//
// Sums of dead lists are enough as long as versions are merged into their only child. Only at a branching point, where what all children
// dropped has to be found, are records read, and only those of the births that all of them hold.

import { VERSION_STATE } from '../format/index.ts';
import type { DeadLists } from './dead-lists.ts';
import type { Forest } from './forest.ts';
import type { Version } from './versions.ts';

/** A run of nodes or blocks, as one number line: nodes below, blocks above `BLOCKS_FROM`. */
interface Run {
  start: number;
  end: number;
}

const BLOCKS_FROM = 2 ** 49;

/** A dead list in the rehearsal: the stored lists that it is made of, how much of each birth, and runs where they were needed. */
interface List {
  sources: number[];
  sums: Map<number, number>;
  runs: Map<number, Run[]>;
}

/** A version in the rehearsal. */
interface Actor {
  id: number;
  parent: number;
  children: Set<number>;
  nameless: boolean;
  /** Objects in use that were born in it. */
  born: number;
  list: List | undefined;
  deadList: number;
}

/**
 * How many blocks of 4 KiB (a node counts for one) deleting the named, frozen `versions` together would free. Everything must be
 * committed; what happens between two slices of reading is not seen.
 */
export async function rehearseDelete(forest: Forest, versions: readonly Version[]): Promise<number> {
  const stage = new Stage(forest);
  for (const version of versions) stage.actor(version.id).nameless = true;
  for (const version of versions) await stage.settle(version.id);
  return stage.freed;
}

class Stage {
  readonly #forest: Forest;
  readonly #actors = new Map<number, Actor>();
  readonly #aliases = new Map<number, number>();
  freed = 0;

  constructor(forest: Forest) {
    this.#forest = forest;
  }

  /** The copy of version `id`, made when it is first needed. */
  actor(id: number): Actor {
    let actor = this.#actors.get(id);
    if (actor === undefined) {
      const version = this.#forest.versions.get(id);
      actor = {
        id,
        parent: version.parent,
        children: new Set([...version.children].map((child) => child.id)),
        nameless: version.label === undefined && version.state !== VERSION_STATE.head,
        born: version.bornNodes + version.bornBlocks,
        list: undefined,
        deadList: version.deadList,
      };
      this.#actors.set(id, actor);
    }
    return actor;
  }

  #resolve(birth: number): number {
    let id = this.#forest.versions.resolve(birth);
    for (let next = this.#aliases.get(id); next !== undefined; next = this.#aliases.get(id)) id = next;
    return id;
  }

  /** Does to version `id` what the reclaimer would do. */
  async settle(id: number): Promise<void> {
    if (this.#aliases.has(id)) return;
    const actor = this.actor(id);
    if (!actor.nameless) return;
    if (actor.children.size === 0) {
      this.freed += actor.born;
      if (actor.parent === 0) return;
      this.actor(actor.parent).children.delete(id);
      await this.settle(actor.parent);
    } else if (actor.children.size === 1) await this.#merge(actor);
    else await this.#hoist(actor);
  }

  async #merge(actor: Actor): Promise<void> {
    const child = this.actor(actor.children.values().next().value!);
    const [from, to] = [await this.#listOf(actor), await this.#listOf(child)];
    child.born += actor.born;
    for (const [birth, sum] of [...to.sums]) {
      if (this.#resolve(birth) !== actor.id) continue;
      this.freed += sum;
      child.born -= sum;
      to.sums.delete(birth);
      to.runs.delete(birth);
    }
    for (const [birth, sum] of from.sums) await this.#join(from, to, birth, sum);
    to.sources.push(...from.sources);
    this.#aliases.set(actor.id, child.id);
    child.parent = actor.parent;
    if (actor.parent === 0) return;
    const parent = this.actor(actor.parent);
    parent.children.delete(actor.id);
    parent.children.add(child.id);
    if (parent.nameless && parent.children.size > 1) await this.#hoist(parent);
  }

  /** Adds what `from` holds of `birth` to `to`, as runs where either side has them. */
  async #join(from: List, to: List, birth: number, sum: number): Promise<void> {
    if (from.runs.has(birth) || to.runs.has(birth)) {
      const runs = [...(await this.#runsOf(from, birth)), ...(await this.#runsOf(to, birth))];
      to.runs.set(
        birth,
        runs.sort((a, b) => a.start - b.start),
      );
    }
    to.sums.set(birth, (to.sums.get(birth) ?? 0) + sum);
  }

  /** Moves what all children of `actor` have dropped to `actor`, or frees it, and then looks at its parent. */
  async #hoist(actor: Actor): Promise<void> {
    const lists: List[] = [];
    for (const child of actor.children) lists.push(await this.#listOf(this.actor(child)));
    const [first, ...others] = lists;
    const own = await this.#listOf(actor);
    let moved = false;
    for (const birth of [...first!.sums.keys()].filter((b) => others.every((list) => list.sums.has(b)))) {
      let common = await this.#runsOf(first!, birth);
      for (const list of others) common = intersect(common, await this.#runsOf(list, birth));
      const size = sizeOf(common);
      if (size === 0) continue;
      for (const list of lists) this.#take(list, birth, common, size);
      if (this.#resolve(birth) === actor.id) {
        this.freed += size;
        actor.born -= size;
      } else {
        await this.#runsOf(own, birth);
        await this.#join({ sources: [], sums: new Map(), runs: new Map([[birth, common]]) }, own, birth, size);
        moved = true;
      }
    }
    if (!moved || actor.parent === 0) return;
    const parent = this.actor(actor.parent);
    if (parent.nameless && parent.children.size > 1) await this.#hoist(parent);
  }

  #take(list: List, birth: number, common: Run[], size: number): void {
    list.runs.set(birth, subtract(list.runs.get(birth)!, common));
    const left = list.sums.get(birth)! - size;
    if (left === 0) list.sums.delete(birth);
    else list.sums.set(birth, left);
  }

  async #listOf(actor: Actor): Promise<List> {
    if (actor.list !== undefined) return actor.list;
    const { deadLists } = this.#forest;
    const sums = new Map<number, number>();
    for (const [birth, sum] of await deadLists.loadSums(actor.deadList)) {
      if (sum.nodes + sum.blocks > 0) sums.set(birth, sum.nodes + sum.blocks);
    }
    deadLists.release(actor.deadList);
    actor.list = { sources: [actor.deadList], sums, runs: new Map() };
    return actor.list;
  }

  async #runsOf(list: List, birth: number): Promise<Run[]> {
    let runs = list.runs.get(birth);
    if (runs === undefined) {
      runs = await readRuns(this.#forest.deadLists, list.sources, birth);
      list.runs.set(birth, runs);
    }
    return runs;
  }
}

async function readRuns(deadLists: DeadLists, sources: number[], birth: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (const source of sources) {
    for (const { kind, start, length } of await deadLists.read(source, undefined, birth, Number.MAX_SAFE_INTEGER)) {
      const from = kind * BLOCKS_FROM + start;
      runs.push({ start: from, end: from + length });
    }
  }
  return runs.sort((a, b) => a.start - b.start);
}

function sizeOf(runs: Run[]): number {
  return runs.reduce((sum, run) => sum + run.end - run.start, 0);
}

/** What two ascending lists of runs have in common. */
function intersect(a: Run[], b: Run[]): Run[] {
  const common: Run[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const start = Math.max(a[i]!.start, b[j]!.start);
    const end = Math.min(a[i]!.end, b[j]!.end);
    if (start < end) common.push({ start, end });
    if (a[i]!.end < b[j]!.end) i++;
    else j++;
  }
  return common;
}

/** What of the ascending runs `a` is not in the ascending runs `b`. */
function subtract(a: Run[], b: Run[]): Run[] {
  const left: Run[] = [];
  let j = 0;
  for (const run of a) {
    let { start } = run;
    while (j < b.length && b[j]!.end <= start) j++;
    for (let k = j; k < b.length && b[k]!.start < run.end; k++) {
      if (b[k]!.start > start) left.push({ start, end: b[k]!.start });
      start = Math.max(start, b[k]!.end);
    }
    if (start < run.end) left.push({ start, end: run.end });
  }
  return left;
}
