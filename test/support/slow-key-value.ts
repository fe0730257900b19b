/** An engine in memory whose writes take as long as a test wants, and fail while its host is full. */
import { FsError } from '../../src/errors/index.ts';
import type { Batch } from '../../src/store/index.ts';
import { MemoryKeyValue } from './memory-key-value.ts';

export class SlowKeyValue extends MemoryKeyValue {
  isFull = false;
  /** What a write waits for before it is done. */
  beforeWrite: () => Promise<void> = () => Promise.resolve();
  /** What a write that is done waits for before whoever asked for it is told. */
  afterWrite: () => Promise<void> = () => Promise.resolve();

  override async write(batch: Batch, sync: boolean): Promise<void> {
    await this.beforeWrite();
    if (this.isFull) throw new FsError('ENOSPC', 'test-host-full', 'the host of the test is full');
    await super.write(batch, sync);
    await this.afterWrite();
  }
}
