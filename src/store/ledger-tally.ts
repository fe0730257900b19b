// What the ledger says of the records that it counts, of each key space by itself: how many there are, and what they add up to (FORMAT.md, "Ledger").

import { CorruptionError } from '../errors/index.ts';
import { type LedgerEntry, SPACE, addToSum, decodeLedger, encodeLedger } from '../format/index.ts';

/** Nodes are vouched for by what points at them, dead lists and their sums by their totals, which are counted. */
const LEFT_OUT: readonly number[] = [SPACE.node, SPACE.dead, SPACE.deadSum, SPACE.ledger];

/** The key spaces whose records are counted: all that are read when a store is opened. */
export const LEDGER_SPACES: readonly number[] = Object.values(SPACE).filter((space) => !LEFT_OUT.includes(space));

/** The ledger of some records, counted one by one. */
export class LedgerTally {
  readonly #entries: Map<number, LedgerEntry>;

  constructor(entries: Iterable<readonly [number, LedgerEntry]> = []) {
    this.#entries = new Map(entries);
  }

  copy(): LedgerTally {
    return new LedgerTally(this.#entries);
  }

  /** There is one more record in `space`. `sum` is its `recordSum`. */
  add(space: number, sum: number): void {
    this.#change(space, 1, sum);
  }

  /** A record of `space` that was counted is gone. */
  remove(space: number, sum: number): void {
    this.#change(space, -1, -sum);
  }

  #change(space: number, records: number, sum: number): void {
    const entry = this.#entries.get(space) ?? NONE;
    this.#entries.set(space, { records: entry.records + records, sum: addToSum(entry.sum, sum) });
  }

  /** The ledger as it is stored. */
  encode(): Uint8Array {
    return encodeLedger([...this.#entries].filter(([, { records }]) => records > 0));
  }

  /**
   * Why the ledger that is stored (undefined: none is) is not that of these records, of which all in `spaces` were counted; undefined where it is.
   */
  mismatch(stored: Uint8Array | undefined, spaces = LEDGER_SPACES): string | undefined {
    let ledger: ReadonlyMap<number, LedgerEntry>;
    try {
      ledger = stored === undefined ? new Map<number, LedgerEntry>() : decodeLedger(stored);
    } catch (error) {
      if (error instanceof CorruptionError) return error.message;
      throw error;
    }
    for (const space of spaces) {
      const [said, found] = [ledger.get(space) ?? NONE, this.#entries.get(space) ?? NONE];
      if (stored === undefined && found.records > 0)
        return `it is missing, and there are ${found.records} ${nameOf(space)} records to be in it`;
      if (said.records !== found.records)
        return `it counts ${said.records} ${nameOf(space)} records, and there are ${found.records}`;
      if (said.sum !== found.sum) return `the sum over the ${nameOf(space)} records is another`;
    }
    return undefined;
  }
}

const NONE: LedgerEntry = { records: 0, sum: 0 };

function nameOf(space: number): string {
  return Object.keys(SPACE).find((name) => SPACE[name as keyof typeof SPACE] === space)!;
}
