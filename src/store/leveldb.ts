// LevelDB behind the KeyValue interface: the only file that knows the `level` package. What it relies on, and the measurements
// behind the options, are in native-notes/leveldb.md.
//
// A failed write ends the engine for good: LevelDB goes on after a record that it could not write whole, and its recovery then
// drops what follows. So a write starts only where the host has room for it, and any other failure is a StoreError.

import { Level } from 'level';
import { CorruptionError, FsError, StoreError } from '../errors/index.ts';
import { assert } from '../util/index.ts';
import { hostCode } from './host-failure.ts';
import type { HostSpace } from './host-space.ts';
import type { Batch, KeyValue, KeyValuePair, ReadView } from './kv.ts';
import { readWithoutMaps } from './level/no-maps.ts';

type Database = Level<Uint8Array, Uint8Array>;
type Snapshot = ReturnType<Database['snapshot']>;
type ChainedBatch = ReturnType<Database['batch']> & object;

readWithoutMaps();

const OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  // Node pages of names and numbers: about 40 % smaller on disk for 1 us more per read.
  compression: true,
  // A table of 8 MiB less often than one of 2 MiB: fewer files to open; a log of 8 MiB is replayed in about 60 ms.
  writeBufferSize: 8 * 1024 * 1024,
  maxFileSize: 8 * 1024 * 1024,
  // The tree caches its nodes itself; this holds index blocks and what bitmaps and lists are read from.
  cacheSize: 4 * 1024 * 1024,
} as const;

/** What a write takes on the host: its record in the log, and the same again in the table that the log becomes. */
const COPIES = 2;
/** How much an iterator reads ahead: the default of 16 KiB would fetch four nodes a time. */
const ITERATOR_BYTES = 1024 * 1024;
/** No record has this key. */
const NO_KEY = Uint8Array.of(0);

export interface LevelOptions {
  /** Makes the database, which must not exist; otherwise it must. */
  create?: boolean;
  /** How much of the host may be filled; without it, all. */
  space?: HostSpace;
}

/** Another process (or this one) has the database open. */
export class DatabaseLockedError extends Error {
  override readonly name = 'DatabaseLockedError';
}

/**
 * Opens the LevelDB in directory `path`. Throws DatabaseLockedError where someone has it open, CorruptionError where LevelDB
 * finds it damaged, StoreError on any other failure. A path must be given in one spelling within a process: the lock is known by it.
 */
export async function openLevel(path: string, options: LevelOptions = {}): Promise<KeyValue> {
  const create = options.create === true;
  const db: Database = new Level(path, { ...OPTIONS, createIfMissing: create, errorIfExists: create });
  try {
    await db.open();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (hostCode(cause) === 'LEVEL_LOCKED') throw new DatabaseLockedError(messageOf(cause), { cause });
    throw engineFailure(cause, `opening ${path}`);
  }
  return new LevelKeyValue(db, path, options.space);
}

class LevelKeyValue implements KeyValue {
  readonly #db: Database;
  readonly #path: string;
  readonly #space: HostSpace | undefined;
  /** The last thing in the log is a batch of ours. */
  #wrote = false;

  constructor(db: Database, path: string, space: HostSpace | undefined) {
    this.#db = db;
    this.#path = path;
    this.#space = space;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.#db.getSync(key);
    } catch (cause) {
      throw readFailure(cause, `reading ${hex(key)} of ${this.#path}`);
    }
  }

  range(from: Uint8Array, to: Uint8Array, limit = -1): Promise<KeyValuePair[]> {
    return this.#range(from, to, limit, undefined);
  }

  async #range(
    from: Uint8Array,
    to: Uint8Array,
    limit: number,
    snapshot: Snapshot | undefined,
  ): Promise<KeyValuePair[]> {
    const view = snapshot === undefined ? {} : { snapshot };
    try {
      return await this.#db.iterator({ gte: from, lt: to, limit, highWaterMarkBytes: ITERATOR_BYTES, ...view }).all();
    } catch (cause) {
      throw readFailure(cause, `reading ${hex(from)} to ${hex(to)} of ${this.#path}`);
    }
  }

  newBatch(): Batch {
    return new LevelBatch(this.#db);
  }

  async write(batch: Batch, sync: boolean): Promise<void> {
    assert(batch instanceof LevelBatch && batch.db === this.#db, 'a batch is written to the engine that made it');
    if (batch.operations === 0) return;
    if (this.#space !== undefined && this.#space.forCommit() < COPIES * batch.bytes) {
      throw new FsError(
        'ENOSPC',
        'host-full-for-commit',
        `${this.#path}: the host's filesystem has no room for a commit of ${batch.bytes} bytes; free space on the host`,
      );
    }
    try {
      await batch.write(sync);
      this.#wrote = true;
    } catch (cause) {
      this.#wrote = false;
      throw engineFailure(cause, `writing ${batch.operations} records to ${this.#path}`);
    }
  }

  readView(): ReadView {
    const snapshot = this.#db.snapshot();
    return {
      get: (key) => {
        try {
          return this.#db.getSync(key, { snapshot });
        } catch (cause) {
          throw readFailure(cause, `reading ${hex(key)} of a view of ${this.#path}`);
        }
      },
      range: (from, to, limit = -1) => this.#range(from, to, limit, snapshot),
      close: () => snapshot.close(),
    };
  }

  async close(): Promise<void> {
    try {
      // With something behind it, damage in the last batch can be told from a write that was cut short (level/examine.ts).
      try {
        if (this.#wrote) await this.#db.del(NO_KEY);
      } finally {
        await this.#db.close();
      }
    } catch (cause) {
      throw engineFailure(cause, `closing ${this.#path}`);
    }
  }
}

/** A chained batch of LevelDB: it copies at each put, into native memory (measured against an array: native-notes/leveldb.md). */
class LevelBatch implements Batch {
  readonly db: Database;
  /** Made with the first operation: the database holds on to each until it is written. */
  #chained: ChainedBatch | undefined;
  operations = 0;
  bytes = 0;

  constructor(db: Database) {
    this.db = db;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#chained ??= this.db.batch();
    this.#chained.put(key, value);
    this.operations++;
    this.bytes += key.length + value.length;
  }

  delete(key: Uint8Array): void {
    this.#chained ??= this.db.batch();
    this.#chained.del(key);
    this.operations++;
    this.bytes += key.length;
  }

  async write(sync: boolean): Promise<void> {
    // LevelDB's own option of that name; the type of the abstract batch does not list it.
    const options: object = { sync };
    await this.#chained?.write(options);
  }
}

/** What can't be read is as good as damaged: whatever began to change something and needs it can't come to an end. */
function readFailure(cause: unknown, doing: string): Error {
  // A synchronous read has no code for it, only what LevelDB's Status says (binding.cc, ThrowError).
  if (!messageOf(cause).startsWith('IO error: ')) return engineFailure(cause, doing);
  return new CorruptionError(doing, `the host fails to read it: ${messageOf(cause)}`, { cause });
}

function engineFailure(cause: unknown, doing: string): Error {
  if (hostCode(cause) === 'LEVEL_CORRUPTION') return new CorruptionError(doing, messageOf(cause), { cause });
  return new StoreError(`${doing}: ${messageOf(cause)}`, { cause });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
