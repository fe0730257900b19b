/** An engine in memory that knows what each record was before, and can bring that back: as LevelDB does where the disk changed a key. */
import type { Batch } from '../../src/store/index.ts';
import { assert } from '../../src/util/index.ts';
import { MemoryBatch, MemoryKeyValue } from './memory-key-value.ts';

/** A value that a key had; undefined where it had none. */
type State = Uint8Array | undefined;

export class RememberingKeyValue extends MemoryKeyValue {
  /** By key, as Latin-1 text: its states, the latest last. */
  readonly #states = new Map<string, State[]>();

  override async write(batch: Batch, sync?: boolean): Promise<void> {
    assert(batch instanceof MemoryBatch, 'a batch is written to the engine that made it');
    for (const [key, value] of batch.changes) {
      const states = this.#states.get(key) ?? [undefined];
      states.push(value);
      this.#states.set(key, states);
    }
    await super.write(batch, sync);
  }

  /** The keys that had other states than they have now, of one key space. */
  changedKeys(space: number): Uint8Array[] {
    const changed: Uint8Array[] = [];
    for (const [text, states] of this.#states) {
      const key = Buffer.from(text, 'latin1');
      if (key[0] === space && states.some((state) => !isSame(state, states.at(-1)))) changed.push(key);
    }
    return changed;
  }

  /** The states that `key` had and has no more, each once. */
  earlierStates(key: Uint8Array): State[] {
    const states = this.#states.get(Buffer.from(key).toString('latin1'))!;
    const earlier: State[] = [];
    for (const state of states) {
      if (!isSame(state, states.at(-1)) && !earlier.some((other) => isSame(other, state))) earlier.push(state);
    }
    return earlier;
  }

  /** An engine with what is in this one now, that knows nothing of before, in which `key` is as it was once. */
  async copyWith(key: Uint8Array, state: State): Promise<MemoryKeyValue> {
    const copy = this.copy();
    await bringBack(copy, key, state);
    return copy;
  }
}

/** Makes `key` of `kv` what it was once, behind the back of whoever uses it. */
export async function bringBack(kv: MemoryKeyValue, key: Uint8Array, state: State): Promise<void> {
  const batch = kv.newBatch();
  if (state === undefined) batch.delete(key);
  else batch.put(key, state);
  await kv.write(batch);
}

function isSame(a: State, b: State): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
