// Keeps what a repair replaces: each record of the engine as it was before, one JSON object a line.

import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { Batch, KeyValue } from '../store/index.ts';

/** A batch that remembers the keys that it changes. */
class KeepingBatch implements Batch {
  readonly inner: Batch;
  readonly keys: Uint8Array[] = [];

  constructor(inner: Batch) {
    this.inner = inner;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.keys.push(key.slice());
    this.inner.put(key, value);
  }

  delete(key: Uint8Array): void {
    this.keys.push(key.slice());
    this.inner.delete(key);
  }

  get operations(): number {
    return this.inner.operations;
  }

  get bytes(): number {
    return this.inner.bytes;
  }
}

/**
 * `kv`, with every record that is changed or removed while `isKeeping` appended to `file` before: `{"key","before"}` in hex, `before` null where
 * there was none. The file is made with the first of them, and is on stable storage before the change is.
 */
export function keepRecords(kv: KeyValue, file: string, isKeeping: () => boolean): KeyValue {
  let fd: number | undefined;
  return {
    // Of a damaged store nothing may be changed, nor its journal be emptied.
    ...(kv.damage === undefined ? {} : { damage: kv.damage }),
    get: (key) => kv.get(key),
    range: (from, to, limit) => kv.range(from, to, limit),
    readView: () => kv.readView(),
    newBatch: () => new KeepingBatch(kv.newBatch()),
    write: (batch, sync) => {
      if (!(batch instanceof KeepingBatch)) return kv.write(batch, sync);
      if (isKeeping() && batch.keys.length > 0) {
        fd ??= openSync(file, 'wx', 0o600);
        for (const key of batch.keys) writeSync(fd, `${JSON.stringify({ key: hex(key), before: hex(kv.get(key)) })}\n`);
        fsyncSync(fd);
      }
      return kv.write(batch.inner, sync);
    },
    close: async () => {
      if (fd !== undefined) closeSync(fd);
      await kv.close();
    },
  };
}

function hex(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : Buffer.from(bytes).toString('hex');
}
