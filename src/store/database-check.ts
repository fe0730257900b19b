// Whether the files of a LevelDB are as they were written: looked at before LevelDB opens them.
//
// LevelDB leaves out what is damaged in a log and goes on behind it, takes damage near the end of a MANIFEST for its end, and does not
// look at the checksums of tables (native-notes/leveldb.md). All of that can bring an older value of a record back, whose own checksum is
// right. And opening writes anew what it read, so that the damage could not be told any more. So a database with damage is not opened.

import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptionError } from '../errors/index.ts';
import { hostCode, hostFailure } from './host-failure.ts';
import { DatabaseLockedError } from './leveldb.ts';
import { readLevelLog } from './level-log.ts';
import { type LevelManifest, readManifest } from './level-manifest.ts';
import { tableDamage } from './level-table.ts';
import { tryLock } from './libc.ts';

const REMEDY = 'nothing was changed; restore the store from a backup';

/**
 * Looks at all files of the LevelDB in directory `path`, which nobody has open. Throws CorruptionError, which names the file, where one is
 * damaged or missing; DatabaseLockedError where another process has the database open; StoreError when the host fails.
 */
export function requireIntact(path: string): void {
  const lock = takeLock(join(path, 'LOCK'));
  try {
    const manifest = checkManifest(path);
    checkLogs(path, manifest.logNumber);
    for (const [number, sizeBytes] of manifest.tables) checkTable(path, number, sizeBytes);
  } finally {
    if (lock !== undefined) closeSync(lock);
  }
}

/** The lock that LevelDB takes, so that nobody writes meanwhile. Closing the descriptor ends it. */
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
  const current = join(path, 'CURRENT');
  const name = read(current).toString('latin1');
  if (!/^MANIFEST-\d{6,}\n$/.test(name)) throw damaged(current, 'it does not name a MANIFEST');
  const file = join(path, name.trimEnd());
  const { records, brokenAt, goesOn } = readLevelLog(read(file));
  if (brokenAt !== undefined && goesOn) throw damaged(file, `it is damaged at byte ${brokenAt}`);
  try {
    return readManifest(records);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw damaged(file, cause.message);
  }
}

/** Only where the last log ends a record may be incomplete: the host lost power, or the process was killed, while it was written. */
function checkLogs(path: string, firstNumber: number): void {
  const numbers = readdirSync(path)
    .filter((name) => /^\d+\.log$/.test(name))
    .map((name) => parseInt(name, 10))
    .filter((number) => number >= firstNumber)
    .sort((a, b) => a - b);
  // The MANIFEST that names it is synced after the directory. It is missing too where the MANIFEST lost its last record.
  if (firstNumber > 0 && numbers[0] !== firstNumber) throw damaged(logPath(path, firstNumber), 'it is missing');
  let broken: { file: string; at: number } | undefined;
  for (const number of numbers) {
    const file = logPath(path, number);
    const { records, brokenAt, goesOn } = readLevelLog(read(file));
    if (broken !== undefined && records.length > 0) throw damaged(broken.file, `it is damaged at byte ${broken.at}`);
    if (brokenAt === undefined) continue;
    if (goesOn) throw damaged(file, `it is damaged at byte ${brokenAt}`);
    broken = { file, at: brokenAt };
  }
}

function checkTable(path: string, number: number, sizeBytes: number): void {
  const file = join(path, `${String(number).padStart(6, '0')}.ldb`);
  const table = read(file);
  if (table.length !== sizeBytes) throw damaged(file, `it has ${table.length} bytes instead of ${sizeBytes}`);
  const damage = tableDamage(table);
  if (damage !== undefined) throw damaged(file, damage);
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
