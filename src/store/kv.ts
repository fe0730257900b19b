// What the rest of the program needs of an ordered key-value engine. LevelDB implements it; tests bring one in memory and one
// that fails on demand. The contract suite in test/contract/kv.ts holds for each.

import type { CorruptionError } from '../errors/index.ts';

/** A key and its value. */
export type KeyValuePair = [key: Uint8Array, value: Uint8Array];

/** Reads of one state of the engine. Keys sort as byte strings. */
export interface Reads {
  /** The value of `key`, or undefined. Throws StoreError when the engine fails, CorruptionError when it finds damage. */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * The first `limit` pairs (all, where it is left out: only for spaces that are known to be small) with `from <= key < to`,
   * ascending. Throws like `get`.
   */
  range(from: Uint8Array, to: Uint8Array, limit?: number): Promise<KeyValuePair[]>;
}

/** The state at one moment, whatever is written later. To be closed, since the engine keeps old records for it. */
export interface ReadView extends Reads {
  close(): Promise<void>;
}

/** Changes that take effect all at once. Later operations on a key win over earlier ones. */
export interface Batch {
  /** Copies `key` and `value` before it returns: the caller may change them at once. */
  put(key: Uint8Array, value: Uint8Array): void;
  /** Copies `key` before it returns. Deleting what is not there is no error. */
  delete(key: Uint8Array): void;
  readonly operations: number;
  /** Bytes of all keys and values. */
  readonly bytes: number;
}

export interface KeyValue extends Reads {
  /** Why it takes no writes and reads of some keys throw; undefined where all is well. */
  readonly damage?: CorruptionError;
  /** An empty batch, to be filled and given to `write` of this same engine. */
  newBatch(): Batch;
  /**
   * Applies `batch`, all or nothing. With `sync` it is on stable storage when the promise resolves, and with it everything written
   * before; without, it survives the end of this process but not a power cut. A batch is written once.
   *
   * Rejects with FsError ENOSPC when the host has no room: then nothing was written, and the same batch may be tried again.
   * Rejects with StoreError on any other failure: then it is not known what a reopened engine holds of this batch, and no other
   * batch may be written.
   */
  write(batch: Batch, sync: boolean): Promise<void>;
  /** A view of what is in the engine now. */
  readView(): ReadView;
  /** Waits for what is under way, then closes. */
  close(): Promise<void>;
}
