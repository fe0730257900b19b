// The JournalFile contract in memory.

import type { JournalFile } from '../../src/store/index.ts';

export class MemoryJournalFile implements JournalFile {
  #bytes: Uint8Array = new Uint8Array(0);
  /** How often what was written was brought to stable storage, calls that had nothing to do left out. */
  syncs = 0;
  #unsynced = false;

  /** A file of its own with what is in this one now. */
  copy(): MemoryJournalFile {
    const copy = new MemoryJournalFile();
    copy.#bytes = this.#bytes.slice();
    return copy;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  read(): Uint8Array {
    return this.#bytes.slice();
  }

  reserve(): void {
    // There is always room.
  }

  write(bytes: Uint8Array, length: number, at: number): void {
    if (at + length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(at + length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(0, length), at);
    this.#unsynced = true;
  }

  get canSyncNow(): boolean {
    return true;
  }

  async sync(): Promise<void> {
    await Promise.resolve();
    this.syncNow();
  }

  syncNow(): void {
    if (this.#unsynced) this.syncs++;
    this.#unsynced = false;
  }

  clear(): void {
    this.#bytes = new Uint8Array(0);
  }

  close(): void {
    // Nothing to let go of.
  }
}
