// The ledger: one record, written with every commit, that tells whether the records read at opening are those of one moment.
//
// LevelDB does not compare checksums while it reads and merges tables (native-notes/leveldb.md). A key that the disk changed can therefore
// bring an older version of a record back, or hide one, and a merge makes that lasting: each record is right by itself then, and the tables
// have right checksums too. Only the ledger knows that they don't belong together.
//
// INVARIANT: each batch that changes a counted record holds the ledger of all records as they are after it (checked by openLedger,
// checkOpenVolumes, test/unit/store/ledger.test.ts).

import { CorruptionError } from '../errors/index.ts';
import { SPACE, recordSum, spaceKey } from '../format/index.ts';
import { assert, equalBytes } from '../util/index.ts';
import { eachRecord } from './each-record.ts';
import type { Batch, KeyValue, KeyValuePair, ReadView } from './kv.ts';
import { LEDGER_SPACES, LedgerTally } from './ledger-tally.ts';
import { readOnly } from './read-only.ts';

export interface LedgerOptions {
  /** The directory of the database, for messages. */
  readonly database: string;
  /** Where the ledger does not match: shows what there is, read-only, instead of failing. */
  readonly rewind?: boolean;
}

const LEDGER_KEY = spaceKey(SPACE.ledger);
const COUNTED: ReadonlySet<number | undefined> = new Set(LEDGER_SPACES);

const MIXED =
  'some of its records are of an older time than others, or lost (the disk changed the database while it was open)';
const REMEDY =
  'no record was changed; restore the store from a backup, or mount it with -o rewind to see what it holds, read-only, ' +
  'though some of that may be of an older time';
const UNSURE =
  'of some records it can not be told whether they are of the same time as the others, so what is shown may be of an older time in parts';
const REWOUND =
  'what is shown may be of an older time in parts, and nothing can be changed; ' +
  'copy what is needed to a new store, or restore the store from a backup';

/**
 * Compares the records of `kv` with its ledger, and gives an engine that is `kv` but for its batches, which keep the ledger. Batches are
 * written to it one after another, and to `kv` by it alone. Of an engine that knows of damage those key spaces are compared that can be read
 * whole; its `damage` says where there are others.
 *
 * Throws CorruptionError, which names the database, where the ledger does not match; with `rewind` gives an engine with that as `damage`,
 * which takes no writes. Throws like `kv.range`.
 */
export async function openLedger(kv: KeyValue, { database, rewind = false }: LedgerOptions): Promise<KeyValue> {
  const tally = new LedgerTally();
  const sums: Sums = new Map();
  const whole: number[] = [];
  for (const space of LEDGER_SPACES) if (await count(kv, space, tally, sums)) whole.push(space);
  const stored = readLedger(kv);
  const mismatch = stored === 'unreadable' ? undefined : tally.mismatch(stored, whole);
  if (mismatch !== undefined) {
    const why = `${MIXED}: of the ledger, ${mismatch}`;
    if (rewind) return readOnly(kv, new CorruptionError(database, `${why}; ${REWOUND}`));
    throw new CorruptionError(database, `${why}; ${REMEDY}`);
  }
  if (kv.damage === undefined) return new LedgerKeyValue(kv, tally, sums);
  if (stored !== 'unreadable' && whole.length === LEDGER_SPACES.length) return kv;
  const { record, why } = kv.damage;
  return readOnly(kv, new CorruptionError(record, `${why}; ${UNSURE}`));
}

/** Counts the records of a key space; false where not all can be read, which is an error where nothing is known to be damaged. */
async function count(kv: KeyValue, space: number, tally: LedgerTally, sums: Sums): Promise<boolean> {
  try {
    await eachRecord(kv, space, (key, value) => {
      const sum = recordSum(key, value);
      tally.add(space, sum);
      if (space !== SPACE.alias) sums.set(nameOf(key), sum | 0);
    });
    return true;
  } catch (error) {
    if (kv.damage === undefined || !(error instanceof CorruptionError)) throw error;
    return false;
  }
}

function readLedger(kv: KeyValue): Uint8Array | 'unreadable' | undefined {
  try {
    return kv.get(LEDGER_KEY);
  } catch (error) {
    if (kv.damage === undefined || !(error instanceof CorruptionError)) throw error;
    return 'unreadable';
  }
}

/**
 * What each record that can be changed adds to the ledger, by its key as Latin-1 text: a signed number, which takes no object of its own.
 * Aliases, which only become more, are left out: what one adds is read where a batch changes it.
 */
type Sums = Map<string, number>;

class LedgerKeyValue implements KeyValue {
  readonly #kv: KeyValue;
  readonly #sums: Sums;
  #tally: LedgerTally;
  #isWriting = false;

  constructor(kv: KeyValue, tally: LedgerTally, sums: Sums) {
    this.#kv = kv;
    this.#tally = tally;
    this.#sums = sums;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#kv.get(key);
  }

  range(from: Uint8Array, to: Uint8Array, limit?: number): Promise<KeyValuePair[]> {
    return this.#kv.range(from, to, limit);
  }

  readView(): ReadView {
    return this.#kv.readView();
  }

  newBatch(): Batch {
    return new LedgerBatch(this, this.#kv.newBatch());
  }

  async write(batch: Batch, sync: boolean): Promise<void> {
    assert(batch instanceof LedgerBatch && batch.engine === this, 'a batch is written to the engine that made it');
    assert(!this.#isWriting, 'batches are written one after another');
    this.#isWriting = true;
    try {
      const after = this.#tallyAfter(batch.changes);
      if (batch.changes.size > 0) batch.putLedger(after.encode());
      await this.#kv.write(batch.inner, sync);
      // Only now: one that was not written is tried again.
      this.#tally = after;
      this.#note(batch.changes);
    } finally {
      this.#isWriting = false;
    }
  }

  close(): Promise<void> {
    return this.#kv.close();
  }

  #tallyAfter(changes: Changes): LedgerTally {
    const after = this.#tally.copy();
    for (const [name, sum] of changes) {
      const before = this.#sumOf(name);
      const space = name.charCodeAt(0);
      if (before !== undefined) after.remove(space, before);
      if (sum !== undefined) after.add(space, sum);
    }
    return after;
  }

  /** What the record adds to the ledger now; undefined where there is none. */
  #sumOf(name: string): number | undefined {
    if (!isAlias(name)) {
      const sum = this.#sums.get(name);
      return sum === undefined ? undefined : sum >>> 0;
    }
    const key = Buffer.from(name, 'latin1');
    const value = this.#kv.get(key);
    return value === undefined ? undefined : recordSum(key, value);
  }

  #note(changes: Changes): void {
    for (const [name, sum] of changes) {
      if (sum === undefined) this.#sums.delete(name);
      else if (!isAlias(name)) this.#sums.set(name, sum | 0);
    }
  }
}

/** What a batch makes of counted records: what each will add to the ledger, undefined for one that it deletes. */
type Changes = ReadonlyMap<string, number | undefined>;

/** A batch that remembers which counted records it changes. */
class LedgerBatch implements Batch {
  readonly engine: LedgerKeyValue;
  readonly inner: Batch;
  readonly #changes = new Map<string, number | undefined>();
  #ledger: Uint8Array | undefined;

  constructor(engine: LedgerKeyValue, inner: Batch) {
    this.engine = engine;
    this.inner = inner;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.inner.put(key, value);
    if (COUNTED.has(key[0])) this.#changes.set(nameOf(key), recordSum(key, value));
  }

  delete(key: Uint8Array): void {
    this.inner.delete(key);
    if (COUNTED.has(key[0])) this.#changes.set(nameOf(key), undefined);
  }

  get changes(): Changes {
    return this.#changes;
  }

  /** Puts the ledger as it is after the batch: once, however often the batch is tried, unless another one was written in between. */
  putLedger(ledger: Uint8Array): void {
    if (this.#ledger !== undefined && equalBytes(this.#ledger, ledger)) return;
    this.inner.put(LEDGER_KEY, ledger);
    this.#ledger = ledger;
  }

  get operations(): number {
    return this.inner.operations;
  }

  get bytes(): number {
    return this.inner.bytes;
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

function isAlias(name: string): boolean {
  return name.charCodeAt(0) === SPACE.alias;
}
