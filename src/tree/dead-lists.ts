// Dead lists: what a version stopped referencing while an ancestor still uses it, as records (list, birth, kind, start) -> length,
// with the sums per (list, birth) beside them.
//
// Only heads gain entries, one by one and synchronously; they go to LevelDB with the next commit. Whatever reads a list (reclaim)
// first waits for a commit. The sums of lists in use are in memory.

import {
  DEAD_BLOCKS,
  DEAD_NODE,
  deadKey,
  deadSumKey,
  decodeDead,
  decodeDeadSum,
  encodeDead,
  encodeDeadSum,
  parseDeadKey,
  parseDeadSumKey,
} from '../format/index.ts';
import type { Batch, Reads } from '../store/index.ts';

/** How many objects a list holds of one birth. */
export interface DeadSum {
  nodes: number;
  blocks: number;
}

/** One record of a list. */
export interface DeadRecord {
  birth: number;
  kind: number;
  start: number;
  length: number;
}

/** `#pending` holds five numbers a record: list, birth, kind, start, length; length 0 deletes. */
const FIELDS = 5;

export class DeadLists {
  readonly #kv: Reads;
  readonly #sums = new Map<number, Map<number, DeadSum>>();
  readonly #dirtySums = new Map<number, Set<number>>();
  /** How many need the sums of a list in memory: the head that adds to it, and whoever reads or changes it in the background. */
  readonly #holders = new Map<number, number>();
  /** Lists whose sums may leave memory with the next commit, and those that the commit under way lets go. */
  #released = new Set<number>();
  #leaving = new Set<number>();
  readonly #changes = new Map<number, number>();
  #changeCount = 0;
  #pending: number[] = [];

  constructor(kv: Reads) {
    this.#kv = kv;
  }

  /** Starts the list of a new version, which holds its sums in memory until {@link release}. */
  start(list: number): void {
    this.#sums.set(list, new Map());
    this.#holders.set(list, 1);
  }

  /** The sums of `list`, held in memory until {@link release} was called as often as this. */
  async loadSums(list: number): Promise<ReadonlyMap<number, DeadSum>> {
    this.#holders.set(list, (this.#holders.get(list) ?? 0) + 1);
    const loaded = this.#sums.get(list);
    if (loaded !== undefined) return loaded;
    const sums = new Map<number, DeadSum>();
    for (const [key, value] of await this.#kv.range(deadSumKey(list, 0), deadSumKey(list + 1, 0))) {
      sums.set(parseDeadSumKey(key).birth, decodeDeadSum(value, `sums of dead list ${list}`));
    }
    // Somebody else may have loaded them meanwhile, and changed them since.
    const other = this.#sums.get(list);
    if (other !== undefined) return other;
    this.#sums.set(list, sums);
    return sums;
  }

  /** The sum of one birth in `list`, which need not be in memory; undefined where the list holds nothing of it. */
  sumOf(list: number, birth: number): DeadSum | undefined {
    const loaded = this.#sums.get(list);
    if (loaded !== undefined) return loaded.get(birth);
    const value = this.#kv.get(deadSumKey(list, birth));
    return value === undefined ? undefined : decodeDeadSum(value, `sums of dead list ${list}`);
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
    this.#holders.set(to, (this.#holders.get(to) ?? 0) + 1);
    this.release(from);
  }

  /** Adds `length` nodes or blocks from `start` on to `list`, whose sums are in memory. */
  add(list: number, birth: number, kind: number, start: number, length: number): void {
    this.#count(list, birth, kind, length);
    const last = this.#pending.length - FIELDS;
    const pending = this.#pending;
    if (
      last >= 0 &&
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

  /** Takes a record that was read out of `list` away. */
  remove(list: number, record: DeadRecord): void {
    this.#count(list, record.birth, record.kind, -record.length);
    this.#pending.push(list, record.birth, record.kind, record.start, 0);
  }

  /** Sets the sums of `list`, which are in memory, to what its records say. For repairs. */
  setSums(list: number, right: ReadonlyMap<number, DeadSum>): void {
    const sums = this.#sums.get(list)!;
    for (const birth of new Set([...sums.keys(), ...right.keys()])) {
      const { nodes, blocks } = right.get(birth) ?? { nodes: 0, blocks: 0 };
      // Marks the birth as changed, whatever the sum was.
      this.#count(list, birth, DEAD_NODE, nodes - (sums.get(birth)?.nodes ?? 0));
      this.#count(list, birth, DEAD_BLOCKS, blocks - (sums.get(birth)?.blocks ?? 0));
    }
  }

  #count(list: number, birth: number, kind: number, delta: number): void {
    const sums = this.#sums.get(list)!;
    let sum = sums.get(birth);
    if (sum === undefined) {
      sum = { nodes: 0, blocks: 0 };
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

  /** The next records of `list` from `from` on, at most `limit`, of one birth or of all. Only what was committed. */
  async read(
    list: number,
    from: DeadRecord | undefined,
    birth: number | undefined,
    limit: number,
  ): Promise<DeadRecord[]> {
    const low =
      from === undefined ? deadKey(list, birth ?? 0, 0, 0) : deadKey(list, from.birth, from.kind, from.start + 1);
    const high = birth === undefined ? deadKey(list + 1, 0, 0, 0) : deadKey(list, birth + 1, 0, 0);
    const records: DeadRecord[] = [];
    for (const [key, value] of await this.#kv.range(low, high, limit)) {
      const { birth: born, kind, start } = parseDeadKey(key);
      records.push({ birth: born, kind, start, length: decodeDead(value, `dead list ${list}`) });
    }
    return records;
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
    const pending = this.#pending;
    for (let at = 0; at < pending.length; at += FIELDS) {
      const key = deadKey(pending[at]!, pending[at + 1]!, pending[at + 2]!, pending[at + 3]!);
      const length = pending[at + 4]!;
      if (length === 0) batch.delete(key);
      else batch.put(key, encodeDead(length));
    }
    this.#pending = [];
    for (const [list, births] of this.#dirtySums) this.#captureSums(batch, list, births);
    this.#dirtySums.clear();
    this.#leaving = this.#released;
    this.#released = new Set();
  }

  /** The batch of the last capture is durable: sums that were released before it may leave memory, since LevelDB has them now. */
  durable(): void {
    for (const list of this.#leaving) if (!this.#holders.has(list)) this.#sums.delete(list);
    this.#leaving.clear();
  }

  #captureSums(batch: Batch, list: number, births: Set<number>): void {
    const sums = this.#sums.get(list)!;
    for (const birth of births) {
      const sum = sums.get(birth)!;
      if (sum.nodes === 0 && sum.blocks === 0) {
        sums.delete(birth);
        batch.delete(deadSumKey(list, birth));
      } else {
        batch.put(deadSumKey(list, birth), encodeDeadSum(sum.nodes, sum.blocks));
      }
    }
  }
}
