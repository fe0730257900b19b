// The JournalFile contract in memory.

import type { JournalFile, Lane } from '../../src/store/index.ts';

export class MemoryJournalFile implements JournalFile {
  #lanes: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  /** How often what was written was brought to stable storage, calls that had nothing to do left out. */
  syncs = 0;
  #unsynced = false;

  /** A file of its own with what is in this one now. */
  copy(): MemoryJournalFile {
    const copy = new MemoryJournalFile();
    copy.#lanes = [this.read(0), this.read(1)];
    return copy;
  }

  get sizeBytes(): number {
    return this.#lanes[0].length + this.#lanes[1].length;
  }

  read(lane: Lane): Uint8Array {
    return this.#lanes[lane].slice();
  }

  reserve(): void {
    // There is always room.
  }

  write(lane: Lane, bytes: Uint8Array, length: number, at: number): void {
    const there = this.#lanes[lane];
    if (at + length > there.length) {
      this.#lanes[lane] = new Uint8Array(Math.max(at + length, 2 * there.length));
      this.#lanes[lane].set(there);
    }
    this.#lanes[lane].set(bytes.subarray(0, length), at);
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
    this.#lanes = [new Uint8Array(0), new Uint8Array(0)];
  }

  close(): void {
    // Nothing to let go of.
  }
}
