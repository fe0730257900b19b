// Data blocks as the rooms above see them: the data file, and in front of it the blocks that are kept in memory until the next commit.
//
// What is written in small pieces is kept here and goes into the journal, so that it needs neither a write of its own nor a flush of the
// data file. A kept block may be changed in place, again and again; a commit's capture ends that, and the commit brings it to the file.
// INVARIANT: a block of the data file is written once between two commits that free it. So what the journal says of a block's contents
// stays true until the journal is no longer needed (checked by test/crash/crash.test.ts).

import { BLOCK_BYTES } from '../format/index.ts';
import { allEnded, assert } from '../util/index.ts';
import type { BlockFile } from './block-file.ts';

/** Buffers that wait for the next block. */
const SPARE_MAX = 8192;
/** Blocks that one system call writes, at most (IOV_MAX is 1024). */
const RUN_BLOCKS_MAX = 256;

export class Blocks {
  readonly #file: BlockFile;
  readonly #isAllocated: (block: number) => boolean;
  /** By block number: may be changed in place. */
  #kept = new Map<number, Uint8Array>();
  /** Captured by the commit under way: never changes again, and is in the file soon. */
  #leaving = new Map<number, Uint8Array>();
  readonly #spare: Uint8Array[] = [];

  /** `isAllocated` says whether anything still refers to a block: what was freed meanwhile need not be written. */
  constructor(file: BlockFile, isAllocated: (block: number) => boolean) {
    this.#file = file;
    this.#isAllocated = isAllocated;
  }

  /** Bytes in memory that only a commit can write and so let go of. */
  get keptBytes(): number {
    return (this.#kept.size + this.#leaving.size) * BLOCK_BYTES;
  }

  /** Keeps a block in memory until the next commit: gives the 4 KiB to be filled, of undefined contents. */
  keep(block: number): Uint8Array {
    let bytes = this.#kept.get(block);
    if (bytes !== undefined) return bytes;
    bytes = this.#spare.pop() ?? new Uint8Array(BLOCK_BYTES);
    this.#kept.set(block, bytes);
    return bytes;
  }

  /** As {@link BlockFile.assertRoom}: to be asked before a block is kept. */
  assertRoom(length: number): void {
    this.#file.assertRoom(length);
  }

  /** The contents of a kept block, to be changed in place; undefined for any other. */
  kept(block: number): Uint8Array | undefined {
    return this.#kept.get(block);
  }

  /** As {@link BlockFile.writeSync}, for whole blocks that are not kept. */
  writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    this.#file.writeSync(from, fromOffset, length, byteOffset);
  }

  /** As {@link BlockFile.readSync}, for whole blocks. */
  readSync(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): void {
    for (let at = 0; at < length;) {
      const run = this.#stored(byteOffset + at, length - at);
      if (run > 0) this.#file.readSync(into, intoOffset + at, run, byteOffset + at);
      at += run + this.#copy(into, intoOffset + at + run, length - at - run, byteOffset + at + run);
    }
  }

  /** As {@link BlockFile.readCached}, for whole blocks. */
  readCached(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): boolean {
    for (let at = 0; at < length;) {
      const run = this.#stored(byteOffset + at, length - at);
      if (run > 0 && !this.#file.readCached(into, intoOffset + at, run, byteOffset + at)) return false;
      at += run + this.#copy(into, intoOffset + at + run, length - at - run, byteOffset + at + run);
    }
    return true;
  }

  /** As {@link BlockFile.read}, for whole blocks. When it ends, also by failing, nothing writes to `into` any more. */
  async read(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): Promise<void> {
    assert(intoOffset + length <= into.length, 'the buffer has room for what is read');
    const reads: Promise<void>[] = [];
    for (let at = 0; at < length;) {
      const run = this.#stored(byteOffset + at, length - at);
      if (run > 0) reads.push(this.#file.read(into, intoOffset + at, run, byteOffset + at));
      at += run + this.#copy(into, intoOffset + at + run, length - at - run, byteOffset + at + run);
    }
    await allEnded(reads);
  }

  /** How many of `length` bytes from `byteOffset` on are in the file, before the first block that is in memory. */
  #stored(byteOffset: number, length: number): number {
    if (this.#kept.size === 0 && this.#leaving.size === 0) return length;
    let run = 0;
    for (let block = byteOffset / BLOCK_BYTES; run < length && this.#inMemory(block) === undefined; block++) {
      run += BLOCK_BYTES;
    }
    return run;
  }

  /** Copies the blocks from `byteOffset` on that are in memory, at most `length` bytes; gives how many bytes. */
  #copy(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): number {
    let done = 0;
    while (done < length) {
      const bytes = this.#inMemory((byteOffset + done) / BLOCK_BYTES);
      if (bytes === undefined) break;
      into.set(bytes, intoOffset + done);
      done += BLOCK_BYTES;
    }
    return done;
  }

  #inMemory(block: number): Uint8Array | undefined {
    return this.#kept.get(block) ?? this.#leaving.get(block);
  }

  /** A commit takes what is kept as it is; {@link sync} has to follow. */
  capture(): void {
    assert(this.#leaving.size === 0, 'one capture is in flight at a time');
    for (const [block, bytes] of this.#kept) if (!this.#isAllocated(block)) this.#drop(this.#kept, block, bytes);
    [this.#leaving, this.#kept] = [this.#kept, this.#leaving];
  }

  durable(): void {
    assert(this.#leaving.size === 0, 'what was captured is in the file when its commit is durable');
  }

  /**
   * Brings what was captured to the file, and all of the file to stable storage. Rejects with FsError ENOSPC when the host has no room,
   * and can then be tried again; with StoreError when it fails.
   */
  async sync(): Promise<void> {
    const blocks = [...this.#leaving.keys()].sort((a, b) => a - b);
    for (let from = 0; from < blocks.length;) {
      let to = from + 1;
      while (to < blocks.length && to - from < RUN_BLOCKS_MAX && blocks[to] === blocks[to - 1]! + 1) to++;
      await this.#writeRun(blocks.slice(from, to));
      from = to;
    }
    await this.#file.sync();
  }

  async #writeRun(blocks: number[]): Promise<void> {
    const buffers = blocks.map((block) => this.#leaving.get(block)!);
    await this.#file.write(buffers, blocks[0]! * BLOCK_BYTES);
    for (const [i, block] of blocks.entries()) this.#drop(this.#leaving, block, buffers[i]!);
  }

  #drop(from: Map<number, Uint8Array>, block: number, bytes: Uint8Array): void {
    from.delete(block);
    if (this.#spare.length < SPARE_MAX) this.#spare.push(bytes);
  }

  /** Brings what was written to the file to stable storage; what is kept is in the journal. Rejects like {@link BlockFile.sync}. */
  syncWritten(): Promise<void> {
    return this.#file.sync();
  }

  /** Whether {@link syncWritten} would cost nothing. */
  get isSynced(): boolean {
    return this.#file.isSynced;
  }
}
