// A LevelDB with damaged tables, read by ourselves and never written: what lies outside the damage is there, and what may lie in it is an
// error.
//
// INVARIANT: a key is answered only when everything that is newer than the answer could be read: an older value of it in a deeper level, whose
// checksum is right, must not stand in for one that is damaged (checked by test/unit/store/damaged-database.test.ts, test/crash/rot-engine.test.ts).

import { closeSync, openSync, readSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { CorruptionError, StoreError } from '../../errors/index.ts';
import { hostCode, hostFailure } from '../host-failure.ts';
import type { Batch, KeyValue, KeyValuePair, ReadView } from '../kv.ts';
import { READ_ONLY_REMEDY } from '../read-only.ts';
import type { LevelBlock, LevelEntry } from './block.ts';
import { type ExaminedDatabase, tablePath } from './examine.ts';
import { readBatch } from './log-records.ts';
import type { TableEntry } from './manifest.ts';
import { LevelTable } from './table.ts';

/** Unpacked blocks that are kept, of about 4 KiB each, and of about 50 KiB each for an index. */
const CACHED_BLOCKS = 1024;

export class DamagedDatabase implements KeyValue {
  readonly damage: CorruptionError;
  readonly #path: string;
  readonly #lock: number | undefined;
  readonly #tables: readonly TableEntry[];
  /** What the log says, in the order of keys. */
  readonly #recent: readonly LevelEntry[];
  readonly #blocks = new LRUCache<string, LevelBlock>({ max: CACHED_BLOCKS });

  /** Takes over the lock of `examined`. Throws CorruptionError where the log can't be understood. */
  constructor(path: string, { manifest, batches, damage, isCutShort, lock }: ExaminedDatabase) {
    const { file, why } = damage[0]!;
    const more = damage.length > 1 ? ` (and ${damage.length - 1} more files are damaged)` : '';
    const state = isCutShort ? '; what is shown is the state of before that' : '';
    this.damage = new CorruptionError(file, `${why}${more}${state}; ${READ_ONLY_REMEDY}`);
    this.#path = path;
    this.#lock = lock;
    this.#tables = manifest.tables;
    this.#recent = recentEntries(path, batches);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    for (const source of this.#sources(key, key)) {
      const { value: found } = source.next();
      if (found !== undefined && Buffer.compare(found.key, key) === 0)
        return found.isDeletion ? undefined : found.value;
    }
    return undefined;
  }

  async range(from: Uint8Array, to: Uint8Array, limit = Infinity): Promise<KeyValuePair[]> {
    const found: KeyValuePair[] = [];
    for (const { key, isDeletion, value } of newest(this.#sources(from, to))) {
      if (Buffer.compare(key, to) >= 0 || found.length === limit) break;
      if (!isDeletion) found.push([key, value]);
    }
    return Promise.resolve(found);
  }

  /** What holds keys between `from` and `to`, the newest first; each gives its entries from `from` on. */
  *#sources(from: Uint8Array, to: Uint8Array): Generator<Iterator<LevelEntry, undefined>> {
    yield this.#recentFrom(from);
    const tables = this.#tables.filter((table) => isWithin(table, from, to));
    for (let next = 0; next < tables.length;) {
      const { level } = tables[next]!;
      // In level 0 each is newer than the next one; in each other level they follow each other.
      const count = level === 0 ? 1 : tables.filter((table) => table.level === level).length;
      yield this.#entriesOf(tables.slice(next, next + count), from);
      next += count;
    }
  }

  *#entriesOf(tables: readonly TableEntry[], from: Uint8Array): Generator<LevelEntry, undefined> {
    for (const table of tables) yield* this.#entries(table, from);
    return undefined;
  }

  *#recentFrom(from: Uint8Array): Generator<LevelEntry, undefined> {
    let [low, high] = [0, this.#recent.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare(this.#recent[middle]!.key, from) < 0) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < this.#recent.length; index++) yield this.#recent[index]!;
    return undefined;
  }

  *#entries({ number, sizeBytes }: TableEntry, from: Uint8Array): Generator<LevelEntry> {
    const file = tablePath(this.#path, number);
    const cache = {
      get: (at: number) => this.#blocks.get(`${number} ${at}`),
      set: (at: number, block: LevelBlock) => void this.#blocks.set(`${number} ${at}`, block),
    };
    const table = new LevelTable({ sizeBytes, read: (at, length) => readBytes(file, at, length) }, cache);
    try {
      yield* table.entries(from);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new CorruptionError(file, cause.message, { cause });
    }
  }

  newBatch(): Batch {
    throw this.#readOnly();
  }

  write(): Promise<void> {
    return Promise.reject(this.#readOnly());
  }

  #readOnly(): StoreError {
    return new StoreError(this.damage.message, { cause: this.damage });
  }

  readView(): ReadView {
    return {
      get: (key) => this.get(key),
      range: (from, to, limit) => this.range(from, to, limit),
      close: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    if (this.#lock !== undefined) closeSync(this.#lock);
    return Promise.resolve();
  }
}

function isWithin(table: TableEntry, from: Uint8Array, to: Uint8Array): boolean {
  return Buffer.compare(table.last, from) >= 0 && Buffer.compare(table.first, to) <= 0;
}

function recentEntries(path: string, batches: readonly Uint8Array[]): LevelEntry[] {
  const byKey = new Map<string, LevelEntry>();
  try {
    for (const batch of batches) {
      readBatch(batch, (key, value) => {
        const entry = { key, isDeletion: value === undefined, value: value ?? key };
        byKey.set(Buffer.from(key).toString('latin1'), entry);
      });
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CorruptionError(`the log of ${path}`, cause.message, { cause });
  }
  return [...byKey.values()].sort((a, b) => Buffer.compare(a.key, b.key));
}

/** The entries of all sources in the order of keys: of each key only that of the first source that has one. */
function* newest(sources: Iterable<Iterator<LevelEntry, undefined>>): Generator<LevelEntry> {
  const heads = [...sources].map((source) => ({ source, entry: source.next().value }));
  for (;;) {
    let least: LevelEntry | undefined;
    for (const { entry } of heads) {
      // Where keys are equal the source before wins.
      if (entry !== undefined && (least === undefined || Buffer.compare(entry.key, least.key) < 0)) least = entry;
    }
    if (least === undefined) return;
    yield least;
    for (const head of heads) {
      while (head.entry !== undefined && Buffer.compare(head.entry.key, least.key) === 0)
        head.entry = head.source.next().value;
    }
  }
}

/** The bytes of a file from `at` on. Throws RangeError where they are not there, StoreError when the host fails otherwise. */
function readBytes(file: string, at: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  try {
    const fd = openSync(file, 'r');
    try {
      for (let done = 0; done < length;) {
        const count = readSync(fd, bytes, done, length - done, at + done);
        if (count === 0) throw new RangeError(`it ends at ${at + done}`);
        done += count;
      }
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    if (hostCode(cause) === 'ENOENT') throw new RangeError('it is missing', { cause });
    if (hostCode(cause) === 'EIO') throw new RangeError(`the host fails to read it at ${at}`, { cause });
    throw hostFailure(cause, `reading ${file}`);
  }
  return bytes;
}
