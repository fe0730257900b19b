import type { Batch } from '../../src/store/index.ts';
import { MemoryKeyValue } from '../support/memory-key-value.ts';

/** An engine that tells when a commit takes what is in memory, and when that is durable. */
export class ToldKeyValue extends MemoryKeyValue {
  onCapture: () => void = () => undefined;
  onDurable: () => void = () => undefined;

  override newBatch(): ReturnType<MemoryKeyValue['newBatch']> {
    this.onCapture();
    return super.newBatch();
  }

  override async write(batch: Batch, sync = true): Promise<void> {
    await super.write(batch, sync);
    this.onDurable();
  }

  /** What is durable, in an engine of its own: what a crash leaves behind. */
  async fork(): Promise<ToldKeyValue> {
    const fork = new ToldKeyValue();
    const batch = fork.newBatch();
    for (const [key, value] of await this.range(Uint8Array.of(0), Uint8Array.of(255))) batch.put(key, value);
    await fork.write(batch);
    return fork;
  }
}
