// The BlockFile contract in memory. Sparse like a file: what was never written or was punched takes no room.

import { DamagedDataError } from '../../src/errors/index.ts';
import { BLOCK_BYTES } from '../../src/format/index.ts';
import type { BlockFile } from '../../src/store/index.ts';
import { assert } from '../../src/util/index.ts';

export class MemoryBlockFile implements BlockFile {
  readonly #blocks = new Map<number, Uint8Array>();
  #sizeBytes = 0;
  #closed = false;
  /** How often data was brought to stable storage, calls that had nothing to do left out. */
  syncs = 0;
  #unsynced = false;

  /** A file of its own with what is in this one now. */
  copy(): MemoryBlockFile {
    const copy = new MemoryBlockFile();
    for (const [block, bytes] of this.#blocks) copy.#blocks.set(block, bytes.slice());
    copy.#sizeBytes = this.#sizeBytes;
    return copy;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  storedBytes(): number {
    return this.#blocks.size * BLOCK_BYTES;
  }

  readSync(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): void {
    assert(!this.#closed, 'a closed file is not read');
    assert(intoOffset + length <= into.length, 'the buffer has room for what is read');
    if (byteOffset + length > this.#sizeBytes) {
      throw new DamagedDataError(
        `bytes ${byteOffset} to ${byteOffset + length}`,
        `the file ends at ${this.#sizeBytes}`,
      );
    }
    this.#forEachPart(length, byteOffset, (block, inBlock, at, count) => {
      const stored = this.#blocks.get(block);
      if (stored === undefined) into.fill(0, intoOffset + at, intoOffset + at + count);
      else into.set(stored.subarray(inBlock, inBlock + count), intoOffset + at);
    });
  }

  readCached(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): boolean {
    this.readSync(into, intoOffset, length, byteOffset);
    return true;
  }

  async read(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): Promise<void> {
    await Promise.resolve();
    this.readSync(into, intoOffset, length, byteOffset);
  }

  writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    assert(!this.#closed, 'a closed file is not written to');
    assert(fromOffset + length <= from.length, 'the buffer has what is written');
    this.#forEachPart(length, byteOffset, (block, inBlock, at, count) => {
      let stored = this.#blocks.get(block);
      if (stored === undefined) {
        stored = new Uint8Array(BLOCK_BYTES);
        this.#blocks.set(block, stored);
      }
      stored.set(from.subarray(fromOffset + at, fromOffset + at + count), inBlock);
    });
    this.#sizeBytes = Math.max(this.#sizeBytes, byteOffset + length);
    this.#unsynced = true;
  }

  assertRoom(): void {
    // There is always room.
  }

  async write(buffers: readonly Uint8Array[], byteOffset: number): Promise<void> {
    await Promise.resolve();
    let at = byteOffset;
    for (const buffer of buffers) {
      this.writeSync(buffer, 0, buffer.length, at);
      at += buffer.length;
    }
  }

  async sync(): Promise<void> {
    await Promise.resolve();
    if (this.#unsynced) this.syncs++;
    this.#unsynced = false;
  }

  get isSynced(): boolean {
    return !this.#unsynced;
  }

  punch(byteOffset: number, length: number): void {
    assert(byteOffset % BLOCK_BYTES === 0 && length % BLOCK_BYTES === 0, 'whole blocks are punched');
    for (let block = byteOffset / BLOCK_BYTES; block < (byteOffset + length) / BLOCK_BYTES; block++) {
      this.#blocks.delete(block);
    }
  }

  endReads(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#closed = true;
  }

  #forEachPart(
    length: number,
    byteOffset: number,
    part: (block: number, inBlock: number, at: number, count: number) => void,
  ): void {
    for (let at = 0; at < length;) {
      const block = Math.floor((byteOffset + at) / BLOCK_BYTES);
      const inBlock = (byteOffset + at) % BLOCK_BYTES;
      const count = Math.min(length - at, BLOCK_BYTES - inBlock);
      part(block, inBlock, at, count);
      at += count;
    }
  }
}
