// An engine in which damage was found: what it holds is read, and nothing is written any more.

import { type CorruptionError, StoreError } from '../errors/index.ts';
import type { KeyValue } from './kv.ts';

/** What can be done about an engine that is only read. */
export const READ_ONLY_REMEDY =
  'what is not affected can be read, and nothing can be changed; copy it to a new store, or restore the store from a backup';

/** `kv`, which takes no writes because of `damage`. */
export function readOnly(kv: KeyValue, damage: CorruptionError): KeyValue {
  const refusal = (): StoreError => new StoreError(damage.message, { cause: damage });
  return {
    damage,
    get: (key) => kv.get(key),
    range: (from, to, limit) => kv.range(from, to, limit),
    readView: () => kv.readView(),
    newBatch: () => {
      throw refusal();
    },
    write: () => Promise.reject(refusal()),
    close: () => kv.close(),
  };
}
