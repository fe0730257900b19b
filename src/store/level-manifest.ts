// The MANIFEST of LevelDB: which tables and which log a database consists of (db/version_edit.cc there).

import { LevelReader } from './level-bytes.ts';

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

export interface LevelManifest {
  /** Logs from this number on belong to the database. */
  readonly logNumber: number;
  /** The tables, and how many bytes each has. */
  readonly tables: ReadonlyMap<number, number>;
}

/** What the records of a MANIFEST say together. Throws RangeError where one can't be read. */
export function readManifest(records: readonly Uint8Array[]): LevelManifest {
  let logNumber = 0;
  // A table may move from one level to another: deleted there and new here.
  const tables = new Map<string, [number, number]>();
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
          from.text();
          from.text();
          tables.set(`${level} ${number}`, [number, sizeBytes]);
          break;
        }
        default:
          throw new RangeError(`it has a field of kind ${tag}, which is not known`);
      }
    }
  }
  return { logNumber, tables: new Map(tables.values()) };
}
