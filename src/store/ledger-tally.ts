// What the ledger says of the records that it counts: how many there are, and the sum of their checksums (FORMAT.md, "Ledger").

import { CorruptionError } from '../errors/index.ts';
import { SPACE, addToSum, decodeLedger, encodeLedger } from '../format/index.ts';

/** Nodes are vouched for by what points at them, dead lists and their sums by their totals, which are counted. */
const LEFT_OUT: readonly number[] = [SPACE.node, SPACE.dead, SPACE.deadSum, SPACE.ledger];

/** The key spaces whose records are counted: all that are read when a store is opened. */
export const LEDGER_SPACES: readonly number[] = Object.values(SPACE).filter((space) => !LEFT_OUT.includes(space));

/** The ledger of some records, counted one by one. */
export class LedgerTally {
  #records: number;
  #sum: number;

  constructor(records = 0, sum = 0) {
    this.#records = records;
    this.#sum = sum;
  }

  get records(): number {
    return this.#records;
  }

  copy(): LedgerTally {
    return new LedgerTally(this.#records, this.#sum);
  }

  /** There is one more record. `sum` is its `recordSum`. */
  add(sum: number): void {
    this.#records++;
    this.#sum = addToSum(this.#sum, sum);
  }

  /** A record that was counted is gone. */
  remove(sum: number): void {
    this.#records--;
    this.#sum = addToSum(this.#sum, -sum);
  }

  /** The ledger as it is stored. */
  encode(): Uint8Array {
    return encodeLedger(this.#records, this.#sum);
  }

  /** Why the ledger that is stored (undefined: none is) is not that of these records; undefined where it is. */
  mismatch(stored: Uint8Array | undefined): string | undefined {
    if (stored === undefined)
      return this.#records === 0 ? undefined : `it is missing, and there are ${this.#records} records to be in it`;
    try {
      const { records, sum } = decodeLedger(stored);
      if (records !== this.#records) return `it counts ${records} records, and there are ${this.#records}`;
      return sum === this.#sum ? undefined : 'the sum over the records is another';
    } catch (error) {
      if (error instanceof CorruptionError) return error.message;
      throw error;
    }
  }
}
