// Compares the checksums of all tables of an open database with what the disk has. LevelDB does not when it reads and merges them, so that a
// merge makes a new table, with right checksums, of what the disk changed (native-notes/leveldb.md).
//
// LevelDB goes on meanwhile. A table never changes once the MANIFEST lists it; what a merge replaced is taken from the MANIFEST before it is
// deleted. What was written since the beginning is left out.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CorruptionError } from '../../errors/index.ts';
import { DiskReader } from './disk-reader.ts';
import { MISSING, tablePath, unreadable } from './examine.ts';
import { type LevelManifest, type TableEntry, manifestName, parseManifest } from './manifest.ts';
import { LevelTable } from './table.ts';

const MANIFEST_REMEDY = 'the store will not open again: copy what it holds to a new one while it is mounted';
/** What looks damaged because it is being written is whole after so long. */
const SECOND_LOOK_MS = 100;
/** Others have their turn after so long. */
const SLICE_MS = 4;

interface ScrubbedTable {
  readonly file: string;
  readonly bytes: number;
  /** What is damaged, in words; undefined where nothing is. */
  readonly why: string | undefined;
}

export interface TableScrub {
  /** What all tables have together. */
  readonly totalBytes: number;
  /** Reads one after the other. Throws StoreError when the host fails. */
  readonly tables: AsyncIterable<ScrubbedTable> | Iterable<ScrubbedTable>;
}

/** What there is of a database that has no files. */
export const NO_TABLES: TableScrub = { totalBytes: 0, tables: [] };

/**
 * Begins to look at the tables of the database in directory `path`, which somebody may have open. Rejects with CorruptionError where the list of
 * tables is damaged, StoreError when the host fails.
 */
export async function scrubTables(path: string): Promise<TableScrub> {
  const disk = new DiskReader();
  const { tables } = await manifestOnDisk(path, disk);
  const totalBytes = tables.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { totalBytes, tables: eachTable(path, disk, tables) };
}

async function* eachTable(
  path: string,
  disk: DiskReader,
  tables: readonly TableEntry[],
): AsyncGenerator<ScrubbedTable> {
  for (const table of tables) {
    const file = tablePath(path, table.number);
    yield { file, bytes: table.sizeBytes, why: await sureDamage(path, file, table, disk) };
  }
}

/** As {@link damageOnDisk}, looked at twice before it is called so. */
async function sureDamage(
  path: string,
  file: string,
  table: TableEntry,
  disk: DiskReader,
): Promise<string | undefined> {
  const why = await damageOnDisk(file, table, disk);
  if (why === undefined) return undefined;
  const again = (await isListed(path, table)) ? await damageOnDisk(file, table, disk) : why;
  if (again !== MISSING) return again;
  // A merge replaced it, which is no damage; but where the disk had changed it the merge may have read that.
  if (await isListed(path, table)) return MISSING;
  return why === MISSING ? undefined : why;
}

async function isListed(path: string, table: TableEntry): Promise<boolean> {
  const { tables } = await manifest(path, (name) => readFile(name));
  return tables.some(({ number }) => number === table.number);
}

/** What is damaged in a table, in words; undefined where nothing is. */
async function damageOnDisk(file: string, { sizeBytes }: TableEntry, disk: DiskReader): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await disk.read(file);
  } catch (cause) {
    return unreadable(cause, file);
  }
  if (bytes.length !== sizeBytes) return `it has ${bytes.length} bytes instead of ${sizeBytes}`;
  return inSlices(new LevelTable({ sizeBytes, read: (at, length) => bytes.subarray(at, at + length) }).inspect());
}

/** Does all steps, and lets others have their turn between them. */
async function inSlices<T>(steps: Iterator<unknown, T>): Promise<T> {
  let until = performance.now() + SLICE_MS;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < until) continue;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    until = performance.now() + SLICE_MS;
  }
}

/** The list of tables as the disk has it. What LevelDB appends at this moment may be there in part, in no order: so it is read twice too. */
async function manifestOnDisk(path: string, disk: DiskReader): Promise<LevelManifest> {
  const read = (file: string): Promise<Uint8Array> => disk.read(file);
  try {
    return await manifest(path, read);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    await sleep(SECOND_LOOK_MS);
    return manifest(path, read);
  }
}

async function manifest(path: string, read: (file: string) => Promise<Uint8Array>): Promise<LevelManifest> {
  let file = join(path, 'CURRENT');
  try {
    file = join(path, manifestName(await read(file)));
    return parseManifest(await read(file));
  } catch (cause) {
    throw new CorruptionError(file, `${unreadable(cause, file)}; ${MANIFEST_REMEDY}`, { cause });
  }
}
