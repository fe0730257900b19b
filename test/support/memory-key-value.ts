// The KeyValue contract in memory: for tests of what is above the store, and as the base of one that fails on demand.

import type { CorruptionError } from '../../src/errors/index.ts';
import type { Batch, KeyValue, KeyValuePair, ReadView } from '../../src/store/index.ts';
import { assert, compareBytes } from '../../src/util/index.ts';

/** Records by key, as Latin-1 text: JavaScript compares such strings like bytes. */
type Records = Map<string, Uint8Array>;

export class MemoryKeyValue implements KeyValue {
  readonly damage?: CorruptionError;
  #records: Records = new Map();
  #closed = false;
  /** How many writes asked to be on stable storage. */
  syncs = 0;

  /** How many records there are. */
  get size(): number {
    return this.#records.size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    assert(!this.#closed, 'a closed engine is not read');
    return get(this.#records, key);
  }

  range(from: Uint8Array, to: Uint8Array, limit?: number): Promise<KeyValuePair[]> {
    assert(!this.#closed, 'a closed engine is not read');
    return Promise.resolve(range(this.#records, from, to, limit));
  }

  newBatch(): MemoryBatch {
    return new MemoryBatch();
  }

  async write(batch: Batch, sync = false): Promise<void> {
    assert(!this.#closed, 'a closed engine is not written to');
    assert(batch instanceof MemoryBatch && !batch.written, 'a batch is written once, to the engine that made it');
    batch.written = true;
    if (sync) this.syncs++;
    // As with a real engine, nothing is visible before the caller has gone on.
    await Promise.resolve();
    for (const [key, value] of batch.changes) {
      if (value === undefined) this.#records.delete(key);
      else this.#records.set(key, value);
    }
  }

  /** An engine of its own with what is in this one now. */
  copy(): MemoryKeyValue {
    return this.copyInto(new MemoryKeyValue());
  }

  /** Gives `other` what is in this one now. */
  copyInto<Other extends MemoryKeyValue>(other: Other): Other {
    other.#records = new Map(this.#records);
    return other;
  }

  readView(): ReadView {
    const records: Records = new Map(this.#records);
    return {
      get: (key) => get(records, key),
      range: (from, to, limit) => Promise.resolve(range(records, from, to, limit)),
      close: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}

export class MemoryBatch implements Batch {
  readonly changes: [key: string, value: Uint8Array | undefined][] = [];
  bytes = 0;
  written = false;

  get operations(): number {
    return this.changes.length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    assert(!this.written, 'a batch does not change after it was written');
    this.changes.push([text(key), Uint8Array.from(value)]);
    this.bytes += key.length + value.length;
  }

  delete(key: Uint8Array): void {
    assert(!this.written, 'a batch does not change after it was written');
    this.changes.push([text(key), undefined]);
    this.bytes += key.length;
  }
}

function get(records: Records, key: Uint8Array): Uint8Array | undefined {
  const value = records.get(text(key));
  return value === undefined ? undefined : Uint8Array.from(value);
}

function range(records: Records, from: Uint8Array, to: Uint8Array, limit = Infinity): KeyValuePair[] {
  const first = text(from);
  const end = text(to);
  const found: KeyValuePair[] = [];
  for (const [key, value] of records) {
    if (key >= first && key < end) found.push([Uint8Array.from(Buffer.from(key, 'latin1')), Uint8Array.from(value)]);
  }
  return found.sort((a, b) => compareBytes(a[0], b[0])).slice(0, limit);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
