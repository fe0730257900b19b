// What the records of a LevelDB's log say (db/write_batch.cc there): a batch each, all of it or nothing.

import { LevelReader } from './bytes.ts';

/** Sequence number u64, count of operations u32. */
const HEADER = 12;
const OPERATION = { delete: 0, put: 1 } as const;

/** Calls `put` with each key of a record in order, and with its value, undefined where it is deleted. Throws RangeError where it can't be read. */
export function readBatch(record: Uint8Array, put: (key: Uint8Array, value: Uint8Array | undefined) => void): void {
  const from = new LevelReader(record);
  from.take(HEADER);
  while (!from.isAtEnd) {
    const [operation] = from.take(1);
    const key = from.text();
    if (operation === OPERATION.put) put(key, from.text());
    else if (operation === OPERATION.delete) put(key, undefined);
    else throw new RangeError(`it has an operation of kind ${operation}, which is not known`);
  }
}
