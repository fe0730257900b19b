// Dead lists: what a version stopped referencing while an ancestor still uses it, as records (list, birth, kind, start) -> length,
// with the sums per (list, birth) beside them.
//
// Only heads gain entries, one by one and synchronously; they go to LevelDB with the next commit. Whatever reads a list (reclaim)
// first waits for a commit. The sums of lists in use are in memory.
//
// What a list names is freed one day, so no record of it may be missing, or be there again. The sums therefore hold what the checksums of the records
// add up to, and a total for each list what those of its sums add up to; totals are covered by the ledger (store/ledger.ts).
// INVARIANT: the records, sums and total of a list fit together in each commit (checked by checkForest).

import { CorruptionError } from '../errors/index.ts';
import {
  DEAD_BLOCKS,
  DEAD_NODE,
  type DeadSum,
  SPACE,
  addToSum,
  deadKey,
  deadSumKey,
  deadTotalKey,
  decodeDeadSum,
  decodeDeadTotal,
  encodeDead,
  encodeDeadSum,
  encodeDeadTotal,
  idOfKey,
  parseDeadSumKey,
  recordSum,
} from '../format/index.ts';
import { type Batch, type Reads, eachRecord } from '../store/index.ts';

/** A sum in memory: objects as of now, records as of the last capture. */
interface OpenSum extends DeadSum {
  /** What the sum's own record adds to the total of its list; 0 where there is none. */
  stored: number;
  /** The capture that changed `records` last, and what it was before. */
  capture: number;
  before: number;
}

/** One record of a list. */
export interface DeadRecord {
  birth: number;
  kind: number;
  start: number;
  length: number;
}

/** `#pending` holds five numbers a record: list, birth, kind, start, length; a negative length takes the record away. */
const FIELDS = 5;

export class DeadLists {
  readonly #kv: Reads;
  readonly #sums = new Map<number, Map<number, OpenSum>>();
  /** Of every list that is not empty, as of the last capture; undefined where the store is damaged, and they may be missing. */
  readonly #totals: Map<number, number> | undefined;
  readonly #dirtySums = new Map<number, Set<number>>();
  /** How many need the sums of a list in memory: the head that adds to it, and whoever reads or changes it in the background. */
  readonly #holders = new Map<number, number>();
  /** Lists whose sums may leave memory with the next commit, and those that the commit under way lets go. */
  #released = new Set<number>();
  #leaving = new Set<number>();
  readonly #changes = new Map<number, number>();
  #changeCount = 0;
  #pending: number[] = [];
  /** From here on pending records may grow. */
  #growsFrom = 0;
  #captures = 0;
  #inFlight = false;

  private constructor(kv: Reads, totals: Map<number, number> | undefined) {
    this.#kv = kv;
    this.#totals = totals;
  }

  /** The lists of a store, with their totals. */
  static async load(kv: Reads): Promise<DeadLists> {
    const totals = new Map<number, number>();
    await eachRecord(kv, SPACE.deadTotal, (key, value) => {
      const list = idOfKey(key);
      totals.set(list, decodeDeadTotal(key, value, `total of dead list ${list}`));
    });
    return new DeadLists(kv, totals);
  }

  /** The lists of a damaged store, to be read as far as they can be. */
  static unverified(kv: Reads): DeadLists {
    return new DeadLists(kv, undefined);
  }

  /** Starts the list of a new version, which holds its sums in memory until {@link release}. */
  start(list: number): void {
    this.#sums.set(list, new Map());
    this.#holders.set(list, 1);
  }

  /**
   * The sums of `list`, held in memory until {@link release} was called as often as this. Rejects with CorruptionError where they are not those that
   * were stored last; then there is nothing to be released.
   */
  async loadSums(list: number): Promise<ReadonlyMap<number, DeadSum>> {
    return this.#load(list, false);
  }

  /** As {@link loadSums}, whatever they are: for a repair, which sets them right. */
  async loadSumsAsTheyAre(list: number): Promise<ReadonlyMap<number, DeadSum>> {
    return this.#load(list, true);
  }

  async #load(list: number, asTheyAre: boolean): Promise<ReadonlyMap<number, DeadSum>> {
    this.#hold(list);
    const loaded = this.#sums.get(list);
    if (loaded !== undefined) return loaded;
    try {
      const { sums, areWhole } = await this.#read(list);
      if (!areWhole && !asTheyAre)
        throw new CorruptionError(`sums of dead list ${list}`, 'they are not those that were stored last');
      // Somebody else may have loaded them meanwhile, and changed them since.
      const other = this.#sums.get(list);
      if (other !== undefined) return other;
      this.#sums.set(list, sums);
      return sums;
    } catch (error) {
      this.release(list);
      throw error;
    }
  }

  /** The sums of `list` as they are stored, and whether these are those that were stored last. Not for lists that change. */
  readSums(list: number): Promise<{ sums: ReadonlyMap<number, DeadSum>; areWhole: boolean }> {
    return this.#read(list);
  }

  async #read(list: number): Promise<{ sums: Map<number, OpenSum>; areWhole: boolean }> {
    const sums = new Map<number, OpenSum>();
    const expected = this.#totals?.get(list);
    // The list is empty, as those of many thousand clones may be: there is nothing to read.
    if (this.#totals !== undefined && expected === undefined) return { sums, areWhole: true };
    for (const [key, value] of await this.#kv.range(deadSumKey(list, 0), deadSumKey(list + 1, 0))) {
      const sum = decodeDeadSum(key, value, `sums of dead list ${list}`);
      sums.set(parseDeadSumKey(key).birth, { ...sum, stored: recordSum(key, value), capture: 0, before: 0 });
    }
    return { sums, areWhole: this.#totals === undefined || totalOf(sums) === expected };
  }

  #hold(list: number): void {
    this.#holders.set(list, (this.#holders.get(list) ?? 0) + 1);
  }

  /** The sum of one birth in `list`, which need not be in memory; undefined where the list holds nothing of it. */
  sumOf(list: number, birth: number): DeadSum | undefined {
    const loaded = this.#sums.get(list);
    if (loaded !== undefined) return loaded.get(birth);
    const key = deadSumKey(list, birth);
    const value = this.#kv.get(key);
    return value === undefined ? undefined : decodeDeadSum(key, value, `sums of dead list ${list}`);
  }

  /** The other end of {@link start} or {@link loadSums}: without a holder, sums leave memory once LevelDB has them. */
  release(list: number): void {
    const holders = this.#holders.get(list)! - 1;
    if (holders > 0) this.#holders.set(list, holders);
    else this.#holders.delete(list);
    if (holders === 0) this.#released.add(list);
  }

  /** Whoever holds the sums of `from` holds those of `to` instead: two versions exchange their lists. */
  moveHolder(from: number, to: number): void {
    this.#hold(to);
    this.release(from);
  }

  /** Adds `length` nodes or blocks from `start` on to `list`, whose sums are in memory. */
  add(list: number, birth: number, kind: number, start: number, length: number): void {
    this.#count(list, birth, kind, length);
    const last = this.#pending.length - FIELDS;
    const pending = this.#pending;
    if (
      last >= this.#growsFrom &&
      kind === DEAD_BLOCKS &&
      pending[last] === list &&
      pending[last + 1] === birth &&
      pending[last + 2] === DEAD_BLOCKS &&
      pending[last + 4]! > 0 &&
      pending[last + 3]! + pending[last + 4]! === start
    ) {
      pending[last + 4]! += length;
      return;
    }
    pending.push(list, birth, kind, start, length);
  }

  /** Adds a part of a record that was taken out. Whoever took it out may hold on to the part: it stays a record of its own. */
  putBack(list: number, { birth, kind, start, length }: DeadRecord): void {
    this.#count(list, birth, kind, length);
    this.#pending.push(list, birth, kind, start, length);
    this.#growsFrom = this.#pending.length;
  }

  /** Takes a record that was read out of `list` away. */
  remove(list: number, record: DeadRecord): void {
    this.#count(list, record.birth, record.kind, -record.length);
    this.#pending.push(list, record.birth, record.kind, record.start, -record.length);
  }

  /** Sets the sums of `list`, which are in memory, to what its records say. For repairs. */
  setSums(list: number, right: ReadonlyMap<number, DeadSum>): void {
    const sums = this.#sums.get(list)!;
    this.#totals?.set(list, totalOf(sums));
    for (const birth of new Set([...sums.keys(), ...right.keys()])) {
      const { nodes, blocks, records } = right.get(birth) ?? { nodes: 0, blocks: 0, records: 0 };
      // Marks the birth as changed, whatever the sum was.
      this.#count(list, birth, DEAD_NODE, nodes - (sums.get(birth)?.nodes ?? 0));
      this.#count(list, birth, DEAD_BLOCKS, blocks - (sums.get(birth)?.blocks ?? 0));
      sums.get(birth)!.records = records;
    }
  }

  #count(list: number, birth: number, kind: number, delta: number): void {
    const sums = this.#sums.get(list)!;
    let sum = sums.get(birth);
    if (sum === undefined) {
      sum = { nodes: 0, blocks: 0, records: 0, stored: 0, capture: 0, before: 0 };
      sums.set(birth, sum);
    }
    this.#changes.set(list, ++this.#changeCount);
    if (kind === DEAD_NODE) sum.nodes += delta;
    else sum.blocks += delta;
    let dirty = this.#dirtySums.get(list);
    if (dirty === undefined) {
      dirty = new Set();
      this.#dirtySums.set(list, dirty);
    }
    dirty.add(birth);
  }

  /**
   * What the committed records of `list` add up to, by birth: of one birth or of all. While a commit is under way there are two answers, that of
   * before it and that of after. The sums of the list are in memory, and whoever took records out of it has waited for a commit since: a birth
   * of which the last record goes with the commit under way is not told of.
   */
  recordSums(list: number, birth: number | undefined): Map<number, number[]> {
    const found = new Map<number, number[]>();
    for (const [born, { records, before, capture }] of this.#sums.get(list)!) {
      if (birth !== undefined && born !== birth) continue;
      const mayBeBefore = this.#inFlight && capture === this.#captures;
      found.set(born, mayBeBefore ? [records, before] : [records]);
    }
    return found;
  }

  /** Tells whether `list` changed since an earlier look: a number that was never given before for it, if so. */
  changesOf(list: number): number {
    return this.#changes.get(list) ?? 0;
  }

  /** The list is empty and its version gone; whoever held its sums need not release them. */
  forget(list: number): void {
    this.#holders.delete(list);
    this.#released.add(list);
    this.#changes.delete(list);
  }

  capture(batch: Batch): void {
    this.#captures++;
    this.#inFlight = true;
    const pending = this.#pending;
    for (let at = 0; at < pending.length; at += FIELDS) {
      const [list, birth, length] = [pending[at]!, pending[at + 1]!, pending[at + 4]!];
      const key = deadKey(list, birth, pending[at + 2]!, pending[at + 3]!);
      const value = encodeDead(key, Math.abs(length));
      if (length < 0) batch.delete(key);
      else batch.put(key, value);
      this.#addRecord(this.#sums.get(list)!.get(birth)!, Math.sign(length) * recordSum(key, value));
    }
    this.#pending = [];
    this.#growsFrom = 0;
    for (const [list, births] of this.#dirtySums) this.#captureSums(batch, list, births);
    this.#dirtySums.clear();
    this.#leaving = this.#released;
    this.#released = new Set();
  }

  #addRecord(sum: OpenSum, more: number): void {
    if (sum.capture !== this.#captures) {
      sum.before = sum.records;
      sum.capture = this.#captures;
    }
    sum.records = addToSum(sum.records, more);
  }

  #captureSums(batch: Batch, list: number, births: Set<number>): void {
    const sums = this.#sums.get(list)!;
    let total = this.#totals?.get(list) ?? 0;
    for (const birth of births) {
      const sum = sums.get(birth)!;
      const key = deadSumKey(list, birth);
      total = addToSum(total, -sum.stored);
      if (sum.nodes === 0 && sum.blocks === 0) {
        if (sum.records !== 0)
          throw new CorruptionError(`dead list ${list}`, 'what was taken out of it is not what was put in');
        sums.delete(birth);
        batch.delete(key);
      } else {
        const value = encodeDeadSum(key, sum);
        batch.put(key, value);
        sum.stored = recordSum(key, value);
        total = addToSum(total, sum.stored);
      }
    }
    this.#captureTotal(batch, list, sums.size === 0 ? undefined : total);
  }

  #captureTotal(batch: Batch, list: number, total: number | undefined): void {
    if (total === undefined) {
      this.#totals?.delete(list);
      batch.delete(deadTotalKey(list));
    } else {
      this.#totals?.set(list, total);
      const key = deadTotalKey(list);
      batch.put(key, encodeDeadTotal(key, total));
    }
  }

  /** The batch of the last capture is durable: sums that were released before it may leave memory, since LevelDB has them now. */
  durable(): void {
    this.#inFlight = false;
    // One that was held and released again since may have changed: it leaves with a later commit.
    for (const list of this.#leaving)
      if (!this.#holders.has(list) && !this.#released.has(list)) this.#sums.delete(list);
    this.#leaving.clear();
  }
}

/** What the stored sums of a list add up to. */
function totalOf(sums: ReadonlyMap<number, OpenSum>): number {
  let total = 0;
  for (const { stored } of sums.values()) total = addToSum(total, stored);
  return total;
}
