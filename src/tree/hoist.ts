// Hoisting (design, section 5): what every child of a nameless branching point has dropped is dropped by the branching point itself, or is
// free if it was born there. Without it, what an origin held would stay for as long as two clones of it live, though neither uses it.
//
// For each birth that all children's dead lists hold, their records are walked side by side in key order, and what they have in common
// moves. Each move is one synchronous stretch, so a commit and a crash find it done or not done.

import type { DeadRecord, DeadLists } from './dead-lists.ts';
import { DeadReader } from './dead-reader.ts';
import type { Forest } from './forest.ts';
import type { Version } from './versions.ts';

/** Others have their turn after so many moves. */
const MOVES_PER_SLICE = 512;

/** What hoisting needs from the reclaimer that runs it. */
export interface HoistHost {
  /** Makes what the lists gained so far readable. */
  commit(): Promise<void>;
  /** Something changed that a commit has to take. */
  markDirty(): void;
  /** Lets other work run; false where the reclaimer is to stop. */
  goOn(): Promise<boolean>;
}

/**
 * Hoists out of the children of `version`, which has no name and two or more of them. Gives whether anything moved to the list of `version`,
 * whose own parent may then have something to hoist.
 */
export async function hoist(forest: Forest, version: Version, host: HoistHost): Promise<boolean> {
  const { deadLists } = forest;
  const lists = [...version.children].map((child) => child.deadList);
  // Before all of them are held: one of many clones that has dropped nothing settles it.
  if ((await commonBirths(deadLists, lists)).length === 0) return false;
  const held = [version.deadList, ...lists];
  await Promise.all(held.map((list) => deadLists.loadSums(list)));
  try {
    const births = await commonBirths(deadLists, lists);
    if (births.length === 0) return false;
    await host.commit();
    return await hoistBirths(forest, version, lists, births, host);
  } finally {
    for (const list of held) deadLists.release(list);
  }
}

async function commonBirths(deadLists: DeadLists, lists: number[]): Promise<number[]> {
  let common: number[] | undefined;
  for (const list of lists) {
    const sums = await deadLists.loadSums(list);
    common = common === undefined ? [...sums.keys()] : common.filter((birth) => sums.has(birth));
    deadLists.release(list);
    if (common.length === 0) break;
  }
  return common ?? [];
}

async function hoistBirths(
  forest: Forest,
  version: Version,
  lists: number[],
  births: number[],
  host: HoistHost,
): Promise<boolean> {
  let moved = false;
  for (const birth of births) {
    const view = forest.kv.readView();
    const walks = lists.map((list) => {
      return new Walk(forest.deadLists, new DeadReader(view, forest.deadLists, list, birth), list, birth);
    });
    try {
      const { hasMoved, isStopped } = await hoistBirth(forest, version, walks, birth, host);
      moved ||= hasMoved;
      if (isStopped) return moved;
    } finally {
      await view.close();
    }
  }
  return moved;
}

async function hoistBirth(
  forest: Forest,
  version: Version,
  walks: Walk[],
  birth: number,
  host: HoistHost,
): Promise<{ hasMoved: boolean; isStopped: boolean }> {
  const own = forest.versions.resolve(birth) === version.id;
  let hasMoved = false;
  for (const walk of walks) if (!(await walk.compare(() => host.goOn()))) return { hasMoved, isStopped: true };
  while (await fill(walks)) {
    const common = nextCommon(walks);
    if (common === undefined) continue;
    for (const walk of walks) walk.cut(common);
    if (own) forest.freeHoisted(version, common);
    else {
      forest.deadLists.add(version.deadList, birth, common.kind, common.start, common.length);
      hasMoved = true;
    }
    host.markDirty();
    if (walks[0]!.pause() && !(await host.goOn())) return { hasMoved, isStopped: true };
  }
  return { hasMoved, isStopped: false };
}

/** Whether each walk has a record at hand, reading on where one has none. */
async function fill(walks: Walk[]): Promise<boolean> {
  for (const walk of walks) if (!(await walk.fill())) return false;
  return true;
}

/** What the records at hand have in common, or nothing: then the ones that lie before are passed over. */
function nextCommon(walks: Walk[]): DeadRecord | undefined {
  let { kind, start } = walks[0]!.head;
  for (const { head } of walks) {
    if (head.kind > kind || (head.kind === kind && head.start > start)) ({ kind, start } = head);
  }
  let end = Infinity;
  let behind = false;
  for (const walk of walks) {
    const { head } = walk;
    if (head.kind < kind || head.start + head.length <= start) {
      walk.pass();
      behind = true;
    } else end = Math.min(end, head.start + head.length);
  }
  return behind ? undefined : { birth: walks[0]!.birth, kind, start, length: end - start };
}

/** One dead list's records of one birth, in key order. */
class Walk {
  readonly #deadLists: DeadLists;
  readonly #reader: DeadReader;
  readonly #list: number;
  readonly birth: number;
  #records: DeadRecord[] = [];
  #cuts = 0;

  constructor(deadLists: DeadLists, reader: DeadReader, list: number, birth: number) {
    this.#deadLists = deadLists;
    this.#reader = reader;
    this.#list = list;
    this.birth = birth;
  }

  /** Compares the whole list before the first record; false where it was stopped. */
  compare(goOn: () => Promise<boolean>): Promise<boolean> {
    return this.#reader.compare(goOn);
  }

  /** The record at hand. */
  get head(): DeadRecord {
    return this.#records.at(-1)!;
  }

  async fill(): Promise<boolean> {
    if (this.#records.length === 0) this.#records = (await this.#reader.next()).reverse();
    return this.#records.length > 0;
  }

  pass(): void {
    this.#records.pop();
  }

  /** Takes `common`, which lies inside the record at hand, out of the list; what is left behind it is at hand next. */
  cut(common: DeadRecord): void {
    const record = this.#records.pop()!;
    const { birth, kind, start, length } = record;
    this.#deadLists.remove(this.#list, record);
    const before = common.start - start;
    if (before > 0) this.#deadLists.putBack(this.#list, { birth, kind, start, length: before });
    const after = start + length - common.start - common.length;
    if (after > 0) {
      const rest = { birth, kind, start: common.start + common.length, length: after };
      this.#deadLists.putBack(this.#list, rest);
      this.#records.push(rest);
    }
    this.#cuts++;
  }

  /** Whether it is time to let other work run. */
  pause(): boolean {
    return this.#cuts % MOVES_PER_SLICE === 0;
  }
}
