// Reading the committed records of a dead list, to free or to move what they name. What was freed by mistake may be overwritten at once, so all
// records are compared with what they have to add up to before the first is given out; and since LevelDB may read them from the disk again, each
// slice is compared with what it was then. Lists may have millions of records, so whoever reads can stop between two slices of either pass.

import { CorruptionError } from '../errors/index.ts';
import { addToSum, deadKey, decodeDead, keyAfter, parseDeadKey, recordSum } from '../format/index.ts';
import type { KeyValuePair, ReadView } from '../store/index.ts';
import type { DeadLists, DeadRecord } from './dead-lists.ts';

const RECORDS_PER_SLICE = 512;

export class DeadReader {
  readonly #view: ReadView;
  readonly #list: number;
  readonly #expected: ReadonlyMap<number, readonly number[]>;
  readonly #end: Uint8Array;
  #from: Uint8Array;
  /** What each slice adds up to, once all were compared. */
  #slices: readonly number[] | undefined;
  #next = 0;

  /**
   * Of one birth in `list`, or of all. `view` was made in the same synchronous stretch, and stays open meanwhile; the sums of the list are in
   * memory.
   */
  constructor(view: ReadView, deadLists: DeadLists, list: number, birth: number | undefined) {
    this.#view = view;
    this.#list = list;
    this.#expected = deadLists.recordSums(list, birth);
    this.#from = deadKey(list, birth ?? 0, 0, 0);
    this.#end = birth === undefined ? deadKey(list + 1, 0, 0, 0) : deadKey(list, birth + 1, 0, 0);
  }

  /**
   * Compares all records; has to end before the first is asked for. False where `goOn`, asked after each slice, says to stop. Throws
   * CorruptionError where the records are not those that were stored.
   */
  async compare(goOn: () => Promise<boolean>): Promise<boolean> {
    const sums = new Map<number, number>();
    const slices: number[] = [];
    let from = this.#from;
    for (;;) {
      const slice = await this.#slice(from);
      if (slice.length === 0) break;
      let ofSlice = 0;
      for (const [key, value] of slice) {
        const { birth } = parseDeadKey(key);
        const sum = recordSum(key, value);
        sums.set(birth, addToSum(sums.get(birth) ?? 0, sum));
        ofSlice = addToSum(ofSlice, sum);
      }
      slices.push(ofSlice);
      from = keyAfter(slice.at(-1)![0]);
      if (!(await goOn())) return false;
    }
    for (const birth of sums.keys()) if (!this.#expected.has(birth)) throw this.#damaged();
    for (const [birth, right] of this.#expected) if (!right.includes(sums.get(birth) ?? 0)) throw this.#damaged();
    this.#slices = slices;
    return true;
  }

  /** The next records in key order; none at the end. Throws CorruptionError where they are not those that were compared. */
  async next(): Promise<DeadRecord[]> {
    if (this.#slices === undefined) throw new Error(`dead list ${this.#list} is read before it was compared`);
    if (this.#next === this.#slices.length) return [];
    const slice = await this.#slice(this.#from);
    if (sumOf(slice) !== this.#slices[this.#next]) throw this.#damaged();
    this.#next++;
    this.#from = keyAfter(slice.at(-1)![0]);
    return slice.map(([key, value]) => {
      const { birth, kind, start } = parseDeadKey(key);
      return { birth, kind, start, length: decodeDead(key, value, `dead list ${this.#list}`) };
    });
  }

  #slice(from: Uint8Array): Promise<KeyValuePair[]> {
    return this.#view.range(from, this.#end, RECORDS_PER_SLICE);
  }

  #damaged(): CorruptionError {
    return new CorruptionError(`dead list ${this.#list}`, 'its records are not those that were stored last');
  }
}

function sumOf(slice: readonly KeyValuePair[]): number {
  return slice.reduce((sum, [key, value]) => addToSum(sum, recordSum(key, value)), 0);
}
