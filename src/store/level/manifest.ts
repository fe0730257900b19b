// The MANIFEST of LevelDB: which tables and which log a database consists of (db/version_edit.cc there).

import { LevelReader } from './bytes.ts';
import { readLevelLog } from './log.ts';

const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const;

/** Behind the key that a user knows: whether it is a value u8, and its sequence number u56, little-endian together. */
export const INTERNAL_BYTES = 8;

export interface TableEntry {
  readonly level: number;
  readonly number: number;
  readonly sizeBytes: number;
  /** Its first key and its last one, as users know them. */
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

export interface LevelManifest {
  /** Logs from this number on belong to the database. */
  readonly logNumber: number;
  /** What is newer comes first: level 0 by number, then one level after the other by key. */
  readonly tables: readonly TableEntry[];
}

/** The name of the MANIFEST that counts, from the contents of CURRENT. Throws RangeError where there is none. */
export function manifestName(current: Uint8Array): string {
  const name = Buffer.from(current).toString('latin1');
  if (!/^MANIFEST-\d{6,}\n$/.test(name)) throw new RangeError('it does not name a MANIFEST');
  return name.trimEnd();
}

/** What a MANIFEST says, with or without a record at its end that is not all there. Throws RangeError where it is damaged. */
export function parseManifest(bytes: Uint8Array): LevelManifest {
  const { records, brokenAt, goesOn } = readLevelLog(bytes);
  if (brokenAt !== undefined && goesOn) throw new RangeError(`it is damaged at byte ${brokenAt}`);
  return readManifest(records);
}

function readManifest(records: readonly Uint8Array[]): LevelManifest {
  let logNumber = 0;
  // A table may move from one level to another: deleted there and new here.
  const tables = new Map<string, TableEntry>();
  for (const record of records) {
    const from = new LevelReader(record);
    while (!from.isAtEnd) {
      const tag = from.varint();
      switch (tag) {
        case TAG.comparator:
          from.text();
          break;
        case TAG.logNumber:
          logNumber = from.varint();
          break;
        case TAG.nextFile:
        case TAG.lastSequence:
        case TAG.previousLog:
          from.varint();
          break;
        case TAG.compactPointer:
          from.varint();
          from.text();
          break;
        case TAG.deletedFile:
          tables.delete(`${from.varint()} ${from.varint()}`);
          break;
        case TAG.newFile: {
          const [level, number, sizeBytes] = [from.varint(), from.varint(), from.varint()];
          tables.set(`${level} ${number}`, {
            level,
            number,
            sizeBytes,
            first: userKey(from.text()),
            last: userKey(from.text()),
          });
          break;
        }
        default:
          throw new RangeError(`it has a field of kind ${tag}, which is not known`);
      }
    }
  }
  return { logNumber, tables: [...tables.values()].sort(newestFirst) };
}

function userKey(internal: Uint8Array): Uint8Array {
  if (internal.length < INTERNAL_BYTES) throw new RangeError('a key is too short');
  return internal.subarray(0, internal.length - INTERNAL_BYTES);
}

function newestFirst(a: TableEntry, b: TableEntry): number {
  if (a.level !== b.level) return a.level - b.level;
  return a.level === 0 ? b.number - a.number : Buffer.compare(a.first, b.first);
}
