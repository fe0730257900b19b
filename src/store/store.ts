// Opening a store: everything that the rooms above need of it, or one error that says what is wrong.
//
// All I/O on a store goes through the KeyValue, the BlockFile and the JournalFile opened here; each can be replaced, so that tests can
// fail them.

import { accessSync, closeSync, constants, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptionError, FsError } from '../errors/index.ts';
import { BLOCK_BYTES, REGION_BLOCKS, type StoreFormat, decodeStoreFormat } from '../format/index.ts';
import { noLog, type Log } from '../util/index.ts';
import { BlockAllocator } from './block-allocator.ts';
import type { BlockFile } from './block-file.ts';
import { Blocks } from './blocks.ts';
import { openDataFile } from './data-file.ts';
import { HolePuncher, type PunchOptions } from './hole-puncher.ts';
import { hostCode } from './host-failure.ts';
import { hostSpace } from './host-space.ts';
import { type JournalFile, openJournalFile } from './journal-file.ts';
import { Journal } from './journal.ts';
import type { KeyValue } from './kv.ts';
import { DamagedDatabase, NO_TABLES, type TableScrub, examineDatabase, scrubTables } from './level/index.ts';
import { openLedger } from './ledger.ts';
import { DatabaseLockedError, openLevel } from './leveldb.ts';
import { READ_ONLY_REMEDY, readOnly } from './read-only.ts';
import { claimHere, releaseHere, removeOwner, storeInUse, writeOwner } from './store-owner.ts';
import { STORE_NAMES, formatLost, hasDatabase, inspectDirectory, pathFailure } from './store-path.ts';

export interface OpenOptions {
  /** How far the data file may grow, in blocks (see AllocatorLimits). */
  maxBlocks?: number;
  /** Instead of LevelDB in the directory `path`; `open` opens that. */
  keyValue?: (path: string, open: () => Promise<KeyValue>) => Promise<KeyValue>;
  /** Instead of the file `path`; `open` opens that. */
  blockFile?: (path: string, open: () => BlockFile) => BlockFile;
  /** Instead of the file `path`; `open` opens that. */
  journalFile?: (path: string, open: () => JournalFile) => JournalFile;
  punch?: PunchOptions;
  /** Instead of failing: where the log is damaged shows the state of before; where its ledger does not match, what is there. */
  rewind?: boolean;
  log?: Log;
}

/** Blocks and what says which of them are in use: always of the same moment. */
export type StoredBlocks = Pick<OpenStore, 'blocks' | 'allocator'>;

/** An open store. Whoever opened it closes it, after its committer. */
export interface OpenStore {
  readonly kv: KeyValue;
  readonly blocks: Blocks;
  readonly allocator: BlockAllocator;
  readonly journal: Journal;
  readonly format: StoreFormat;
  /** The real path of its directory. */
  readonly path: string;
  /**
   * The data blocks, and which of them are in use, as the last commit in `kv` says: without what was done to {@link blocks} and
   * {@link allocator} in memory since.
   */
  loadBlocks(kv: KeyValue): Promise<StoredBlocks>;
  /** What a crash left in the journal was done again: what is free now may be given back to the host. */
  recovered(): void;
  /** Gives what is free back to the host without waiting for a good moment, as far as that is done quickly. */
  giveBack(): void;
  /** Begins to compare the tables of the database on the disk with their checksums; see {@link scrubTables}. */
  scrubTables(): Promise<TableScrub>;
  close(): Promise<void>;
}

const CUT_SHORT_REMEDY =
  'nothing was changed; restore the store from a backup, or mount it with -o rewind to see what it held before that';
/** Free space is punched after opening when the file takes so much more than the store uses: runs were forgotten. */
const UNPUNCHED_BYTES_MAX = 64 * 1024 * 1024;
/** How long closing may take for giving freed space back. */
const CLOSE_PUNCH_MS = 200;
/** And how long somebody who waits for room may hold up all others: so long punching some 150 MiB takes. */
const HURRIED_PUNCH_MS = 50;

/**
 * Opens the store at `path` for this process alone. Throws FsError with a message for people: ENOENT (nothing there, or parts
 * missing), EINVAL (not a store), EOPNOTSUPP (another format), EBUSY (in use), EACCES, EROFS; CorruptionError where what it
 * finds is damaged; StoreError when the host or the engine fails.
 */
export async function openStore(path: string, options: OpenOptions = {}): Promise<OpenStore> {
  const log = options.log ?? noLog;
  const directory = requireStore(path);
  const format = readFormat(directory);
  claimHere(directory);
  const undo: (() => unknown)[] = [() => releaseHere(directory)];
  try {
    const engine = await openDatabase(directory, options);
    undo.push(() => engine.close());
    const kv = await openLedger(engine, {
      database: join(directory, STORE_NAMES.database),
      rewind: options.rewind === true,
    });
    writeOwner(directory);
    undo.push(() => removeOwner(directory));
    const file = openBlocks(directory, options, log);
    undo.push(() => file.close());
    undo.push(() => file.endReads());
    const journal = openJournal(directory, options);
    undo.push(() => journal.close());
    const loadBlocks = async (from: KeyValue): Promise<StoredBlocks> => {
      const loaded = await loadAllocator(from, file, options);
      return { allocator: loaded, blocks: new Blocks(file, (block) => loaded.isAllocated(block)) };
    };
    const { blocks, allocator } = await loadBlocks(kv);
    // Of a damaged store what can be read shall be read, whatever is missing.
    if (kv.damage === undefined) requireData(directory, allocator, file);
    let puncher: HolePuncher | undefined;
    const recovered = (): void => {
      const started = startPuncher(allocator, file, { log, ...options.punch });
      puncher = started;
      undo.push(() => {
        allocator.onReusable = undefined;
        started.stop(CLOSE_PUNCH_MS);
      });
    };
    const giveBack = (): void => puncher?.hurry(HURRIED_PUNCH_MS);
    const tables = async (): Promise<TableScrub> =>
      // What stands in for LevelDB has no files there.
      options.keyValue === undefined ? scrubTables(join(directory, STORE_NAMES.database)) : NO_TABLES;
    const actions = { loadBlocks, recovered, giveBack, scrubTables: tables, close: () => unwind(undo) };
    return { kv, blocks, allocator, journal, format, path: directory, ...actions };
  } catch (error) {
    // What went wrong first is what the caller hears about.
    await unwind(undo).catch((second: unknown) => {
      log.error(`closing ${directory} after that: ${String(second)}`);
    });
    throw error;
  }
}

/**
 * `store` as one that is damaged, in the state of its last commit: what is not there, or not right, was found by reading it. Its journal must not
 * have begun to record. What `store` holds in memory is of no use any more.
 */
export async function damagedStore(store: OpenStore, cause: CorruptionError): Promise<OpenStore> {
  const damage = new CorruptionError(cause.record, `${cause.why}; ${READ_ONLY_REMEDY}`, { cause });
  const kv = readOnly(store.kv, damage);
  return { ...store, kv, ...(await store.loadBlocks(kv)) };
}

/** Runs the steps, last one first, all of them; throws what failed first. */
async function unwind(steps: (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** The real path of the store at `path`. */
function requireStore(path: string): string {
  switch (inspectDirectory(path)) {
    case 'store':
      break;
    case 'missing':
      throw new FsError('ENOENT', 'store-missing', `${path} does not exist; create a store with: amberfs init ${path}`);
    case 'formatless':
      throw formatLost(path);
    case 'unfinished':
      throw new FsError(
        'EINVAL',
        'store-unfinished',
        `${path}: creating this store was cut short; nothing was stored in it: remove it and run: amberfs init ${path}`,
      );
    case 'empty':
    case 'other':
      throw new FsError('EINVAL', 'not-a-store', `${path} is not a store (it has no ${STORE_NAMES.format})`);
  }
  const directory = realpathSync(path);
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw pathFailure(cause, directory);
  }
  return directory;
}

function readFormat(directory: string): StoreFormat {
  const file = join(directory, STORE_NAMES.format);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw pathFailure(cause, file);
  }
  return decodeStoreFormat(text, file);
}

async function openDatabase(directory: string, options: OpenOptions): Promise<KeyValue> {
  const path = join(directory, STORE_NAMES.database);
  const open = async (): Promise<KeyValue> => {
    if (!hasDatabase(directory)) {
      throw new FsError(
        'ENOENT',
        'store-database-missing',
        `${path}: the database of the store is missing; restore it from a backup`,
      );
    }
    try {
      return openDamaged(path, options.rewind === true) ?? (await openLevel(path, { space: hostSpace(directory) }));
    } catch (error) {
      throw error instanceof DatabaseLockedError ? storeInUse(directory, error) : error;
    }
  };
  return options.keyValue === undefined ? open() : options.keyValue(path, open);
}

/** The database if it is damaged, for reading; undefined where it is whole and LevelDB may open it. */
function openDamaged(path: string, rewind: boolean): KeyValue | undefined {
  const examined = examineDatabase(path);
  const { damage, isCutShort, lock } = examined;
  const isReadable = damage.length > 0 && (!isCutShort || rewind);
  try {
    if (isReadable) return new DamagedDatabase(path, examined);
  } catch (error) {
    if (lock !== undefined) closeSync(lock);
    throw error;
  }
  // LevelDB takes the lock itself, and a second descriptor of the file must not be closed then.
  if (lock !== undefined) closeSync(lock);
  if (isCutShort) throw new CorruptionError(damage[0]!.file, `${damage[0]!.why}; ${CUT_SHORT_REMEDY}`);
  return undefined;
}

function openBlocks(directory: string, options: OpenOptions, log: Log): BlockFile {
  const path = join(directory, STORE_NAMES.data);
  const open = (): BlockFile => {
    try {
      return openDataFile(path, { space: hostSpace(directory), log });
    } catch (cause) {
      if (hostCode(cause) === 'ENOENT') {
        throw new FsError(
          'ENOENT',
          'store-data-missing',
          `${path}: the data file of the store is missing; restore it from a backup`,
          {
            cause,
          },
        );
      }
      throw pathFailure(cause, path);
    }
  };
  return options.blockFile === undefined ? open() : options.blockFile(path, open);
}

function openJournal(directory: string, options: OpenOptions): Journal {
  const path = join(directory, STORE_NAMES.journal);
  const open = (): JournalFile => {
    try {
      return openJournalFile(path, { space: hostSpace(directory) });
    } catch (cause) {
      if (hostCode(cause) !== 'ENOENT') throw pathFailure(cause, path);
      throw new FsError(
        'ENOENT',
        'store-journal-missing',
        `${path}: the store's journal is missing; restore it from a backup`,
        { cause },
      );
    }
  };
  return new Journal(options.journalFile === undefined ? open() : options.journalFile(path, open));
}

async function loadAllocator(kv: KeyValue, file: BlockFile, { maxBlocks }: OpenOptions): Promise<BlockAllocator> {
  const limits = maxBlocks === undefined ? {} : { maxBlocks };
  if (kv.damage === undefined) return BlockAllocator.load(kv, limits);
  return BlockAllocator.loadDamaged(kv, Math.ceil(file.sizeBytes / BLOCK_BYTES / REGION_BLOCKS), limits);
}

function requireData(directory: string, allocator: BlockAllocator, blocks: BlockFile): void {
  const needed = allocator.endBlock * BLOCK_BYTES;
  if (needed <= blocks.sizeBytes) return;
  throw new CorruptionError(
    join(directory, STORE_NAMES.data),
    `the file has ${blocks.sizeBytes} bytes, but the store uses blocks up to byte ${needed}; was it copied or restored in part?`,
  );
}

function startPuncher(allocator: BlockAllocator, blocks: BlockFile, options: PunchOptions): HolePuncher {
  const puncher = new HolePuncher(allocator, blocks, options);
  allocator.onReusable = (start, count) => {
    puncher.add(start, count);
  };
  if (blocks.storedBytes() > allocator.allocatedBlocks * BLOCK_BYTES + UNPUNCHED_BYTES_MAX) {
    puncher.addAll(Math.ceil(blocks.sizeBytes / BLOCK_BYTES));
  }
  return puncher;
}
