// Whether the files of a LevelDB are as they were written: looked at before LevelDB opens them.
//
// LevelDB leaves out what is damaged in a log and goes on behind it, takes damage near the end of a MANIFEST for its end, and does not
// look at the checksums of tables (native-notes/leveldb.md). All of that can bring an older value of a record back, whose own checksum is
// right. And opening writes anew what it read, so that the damage could not be told any more. So LevelDB does not open a database with
// damage. Where that is in its tables, `DamagedDatabase` reads around it.

import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptionError } from '../../errors/index.ts';
import { hostCode, hostFailure } from '../host-failure.ts';
import { DatabaseLockedError } from '../leveldb.ts';
import { tryLock } from '../libc.ts';
import { readLevelLog } from './log.ts';
import { type LevelManifest, type TableEntry, manifestName, parseManifest } from './manifest.ts';
import { LevelTable } from './table.ts';

const REMEDY = 'nothing was changed; restore the store from a backup';

interface DamagedFile {
  readonly file: string;
  readonly why: string;
}

/** What the files of a database say. */
export interface ExaminedDatabase {
  readonly manifest: LevelManifest;
  /** The batches that are in no table yet, in order; up to the first that is damaged. */
  readonly batches: readonly Uint8Array[];
  /** Logs and tables that are damaged. */
  readonly damage: readonly DamagedFile[];
  /** Batches are missing: with those that are left the database is as it was once. */
  readonly isCutShort: boolean;
  /** The lock that LevelDB takes, so that nobody writes meanwhile. Closing the descriptor ends it. */
  readonly lock: number | undefined;
}

/**
 * Looks at all files of the LevelDB in directory `path`, which nobody has open. The caller closes `lock`. Throws CorruptionError, which
 * names the file, where the list of tables can't be had; DatabaseLockedError where another process has the database open; StoreError when
 * the host fails.
 */
export function examineDatabase(path: string): ExaminedDatabase {
  const lock = takeLock(join(path, 'LOCK'));
  try {
    const manifest = checkManifest(path);
    const { batches, broken } = checkLogs(path, manifest.logNumber);
    const damagedTables = manifest.tables.flatMap((table) => {
      const file = tablePath(path, table.number);
      const why = damageOf(file, table);
      return why === undefined ? [] : [{ file, why }];
    });
    const damage = broken === undefined ? damagedTables : [broken, ...damagedTables];
    return { manifest, batches, damage, isCutShort: broken !== undefined, lock };
  } catch (error) {
    if (lock !== undefined) closeSync(lock);
    throw error;
  }
}

/** What is damaged in a table, in words; undefined where nothing is. Throws StoreError when the host fails. */
function damageOf(file: string, { sizeBytes }: TableEntry): string | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    return unreadable(cause, file);
  }
  if (bytes.length !== sizeBytes) return `it has ${bytes.length} bytes instead of ${sizeBytes}`;
  return new LevelTable({ sizeBytes, read: (at, length) => bytes.subarray(at, at + length) }).damage();
}

export const MISSING = 'it is missing';

/** What `cause`, which reading `file` threw, means for the file, in words. Throws StoreError where it means nothing for it: the host fails. */
export function unreadable(cause: unknown, file: string): string {
  if (cause instanceof RangeError) return cause.message;
  if (hostCode(cause) === 'ENOENT') return MISSING;
  if (hostCode(cause) === 'EIO') return 'the host fails to read it';
  throw hostFailure(cause, `reading ${file}`);
}

function takeLock(file: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r+');
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT') return undefined;
    throw hostFailure(cause, file);
  }
  if (tryLock(fd) === 0) return fd;
  closeSync(fd);
  throw new DatabaseLockedError(`${file}: another process holds the lock`);
}

function checkManifest(path: string): LevelManifest {
  let file = join(path, 'CURRENT');
  try {
    file = join(path, manifestName(read(file)));
    return parseManifest(read(file));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw damaged(file, cause.message);
  }
}

/** The batches of the logs. Only where the last log ends one may be incomplete: the host lost power, or the process was killed, while it was written. */
function checkLogs(path: string, firstNumber: number): { batches: Uint8Array[]; broken: DamagedFile | undefined } {
  const numbers = readdirSync(path)
    .filter((name) => /^\d+\.log$/.test(name))
    .map((name) => parseInt(name, 10))
    .filter((number) => number >= firstNumber)
    .sort((a, b) => a - b);
  // The MANIFEST that names it is synced after the directory. It is missing too where the MANIFEST lost its last record.
  if (firstNumber > 0 && numbers[0] !== firstNumber)
    return { batches: [], broken: { file: logPath(path, firstNumber), why: 'it is missing' } };
  const batches: Uint8Array[] = [];
  let torn: DamagedFile | undefined;
  for (const number of numbers) {
    const file = logPath(path, number);
    const { records, brokenAt, goesOn } = readLevelLog(read(file));
    if (torn !== undefined && records.length > 0) return { batches, broken: torn };
    batches.push(...records);
    if (brokenAt === undefined) continue;
    torn = { file, why: `it is damaged at byte ${brokenAt}` };
    if (goesOn) return { batches, broken: torn };
  }
  return { batches, broken: undefined };
}

/** Where a table lies. */
export function tablePath(path: string, number: number): string {
  return join(path, `${String(number).padStart(6, '0')}.ldb`);
}

function logPath(path: string, number: number): string {
  return join(path, `${String(number).padStart(6, '0')}.log`);
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT') throw damaged(file, 'it is missing', cause);
    throw hostFailure(cause, `reading ${file}`);
  }
}

function damaged(file: string, why: string, cause?: unknown): CorruptionError {
  return new CorruptionError(file, `${why}; ${REMEDY}`, { cause });
}
