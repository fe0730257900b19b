// Which blocks of the data file are in use: one bitmap per region, all in memory, stored under the region's key by each commit.
//
// What a commit refers to is never overwritten: a block that it may refer to and that is freed is given out again only when the
// commit that frees it is durable. The same holds for what only the journal refers to. A fresh block (allocated, and nothing refers to
// it yet) that is freed is reusable at once. The states of a block are drawn up in region.ts.
//
// Runs never cross a region's border. A search starts where the last run ended, so what is written in sequence lies in sequence; it
// prefers a whole run anywhere to a part of one nearby, and a grown file to a part. Regions that can't hold the run are passed
// over by their longestRun, so nearly full regions cost a comparison each.
// INVARIANT: allocatedBlocks, pendingBlocks equal the sums over all regions (checked by assertConsistent).

import { CorruptionError, FsError } from '../errors/index.ts';
import {
  REGION_BLOCKS,
  REGION_WORDS,
  SPACE,
  decodeRegion,
  encodeRegion,
  regionKey,
  spaceKey,
} from '../format/index.ts';
import { assert, get32 } from '../util/index.ts';
import { nextClear, nextSet } from './bitmap.ts';
import type { Batch, Reads } from './kv.ts';
import { Region } from './region.ts';

/** A file of ext4 ends at 16 TiB less a block (with 4 KiB blocks); a whole region less is the most we use. */
const DATA_BLOCKS_MAX = 2 ** 32 - REGION_BLOCKS;
/** Regions that `load` reads at a time: 1 MiB of records. */
const LOAD_SLICE = 256;

export interface AllocatorLimits {
  /** How far the data file may grow, in blocks: a multiple of REGION_BLOCKS. DATA_BLOCKS_MAX by default. */
  maxBlocks?: number;
}

/** Is told of blocks that nothing refers to any more and that may be given out again from now on. */
type ReusableHook = (start: number, count: number) => void;

export class BlockAllocator {
  /** Called with every run that becomes available, from `durable`, and from `free` for fresh blocks. Must not allocate or free. */
  onReusable: ReusableHook | undefined;
  /** The length of the run that `allocate` gave last. */
  lastLength = 0;

  readonly #regions: Region[] = [];
  readonly #maxRegions: number;
  #dirtyRegions: number[] = [];
  /** The regions of the capture whose commit is under way. */
  #capturedRegions: number[] | undefined;
  #allocatedBlocks = 0;
  #pendingBlocks = 0;
  /** No region has a longer available run: spares searches that find nothing. */
  #longestRun = REGION_BLOCKS;
  /** Where the next search starts. */
  #cursorRegion = 0;
  #cursorBlock = 0;
  readonly #scratch = new Int32Array(REGION_WORDS);

  private constructor(maxRegions: number) {
    this.#maxRegions = maxRegions;
  }

  /** Reads the bitmaps of a store. Throws CorruptionError where one is damaged, and what `kv.range` throws. */
  static async load(kv: Reads, limits: AllocatorLimits = {}): Promise<BlockAllocator> {
    const allocator = BlockAllocator.#ofLimits(limits);
    const end = spaceKey(SPACE.region, true);
    for (let from = regionKey(0); ;) {
      const slice = await kv.range(from, end, LOAD_SLICE);
      for (const [key, record] of slice) {
        const words = new Int32Array(REGION_WORDS);
        const region = get32(key, 1);
        decodeRegion(region, record, words);
        allocator.#addStored(region, words);
      }
      if (slice.length < LOAD_SLICE) return allocator;
      from = regionKey(allocator.#regions.length);
    }
  }

  /**
   * Reads the bitmaps of a store of which nothing but reading is wanted: those of `regionCount` regions. One that can't be read counts as full.
   */
  static loadDamaged(kv: Reads, regionCount: number, limits: AllocatorLimits = {}): BlockAllocator {
    const allocator = BlockAllocator.#ofLimits(limits);
    for (let region = 0; region < Math.min(regionCount, allocator.#maxRegions); region++) {
      const words = new Int32Array(REGION_WORDS);
      try {
        const record = kv.get(regionKey(region));
        if (record !== undefined) decodeRegion(region, record, words);
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        words.fill(-1);
      }
      allocator.#addStored(region, words);
    }
    return allocator;
  }

  static #ofLimits({ maxBlocks = DATA_BLOCKS_MAX }: AllocatorLimits): BlockAllocator {
    assert(maxBlocks > 0 && maxBlocks % REGION_BLOCKS === 0, 'maxBlocks is a multiple of REGION_BLOCKS');
    return new BlockAllocator(maxBlocks / REGION_BLOCKS);
  }

  #addStored(region: number, words: Int32Array): void {
    // A region without a record is free all through.
    while (this.#regions.length < region) this.#regions.push(new Region(new Int32Array(REGION_WORDS)));
    const added = new Region(words);
    this.#regions.push(added);
    this.#allocatedBlocks += added.allocatedBlocks;
  }

  /** Blocks that users see as allocated: those that are freed, durably or not, don't count. */
  get allocatedBlocks(): number {
    return this.#allocatedBlocks;
  }

  /** Freed blocks that wait for a commit before they can be given out again. */
  get pendingBlocks(): number {
    return this.#pendingBlocks;
  }

  /** How far the data file may grow, in blocks. */
  get maxBlocks(): number {
    return this.#maxRegions * REGION_BLOCKS;
  }

  /** One more than the highest block that is allocated or pending; 0 where there is none. */
  get endBlock(): number {
    for (let index = this.#regions.length - 1; index >= 0; index--) {
      const used = this.#regions[index]!.used;
      for (let word = REGION_WORDS - 1; word >= 0; word--) {
        if (used[word] !== 0) return index * REGION_BLOCKS + word * 32 + 32 - Math.clz32(used[word]!);
      }
    }
    return 0;
  }

  /**
   * Allocates up to `count` blocks (at least 1) in one run. Gives its first block; `lastLength` is its length.
   * Throws FsError ENOSPC when no block is left.
   */
  allocate(count: number): number {
    assert(count >= 1, 'at least one block is asked for');
    const wanted = Math.min(count, REGION_BLOCKS);
    let length = wanted;
    if (!this.#find(length) && !this.#grow()) {
      // No whole run is left: the longest of half its length, and so on.
      do length = Math.min(length >>> 1, this.#longestRun);
      while (length > 0 && !this.#find(length));
      if (length === 0) throw this.#noSpace();
    }
    const index = this.#cursorRegion;
    const start = this.#cursorBlock;
    const region = this.#regions[index]!;
    if (length < wanted) length = this.#extend(region, start, wanted);
    if (!region.dirty) this.#dirtyRegions.push(index);
    region.allocate(start, length);
    this.#allocatedBlocks += length;
    this.#cursorBlock = start + length;
    this.lastLength = length;
    return index * REGION_BLOCKS + start;
  }

  /** Moves the cursor to the next available run of `wanted` blocks; whether there is one. */
  #find(wanted: number): boolean {
    if (wanted > this.#longestRun) return false;
    const count = this.#regions.length;
    const here = this.#regions[this.#cursorRegion];
    if (here !== undefined && here.longestRun >= wanted) {
      const start = here.findRun(this.#cursorBlock, wanted);
      if (start >= 0) {
        this.#cursorBlock = start;
        return true;
      }
    }
    for (let step = 0, index = this.#cursorRegion; step < count; step++) {
      const region = this.#regions[index]!;
      // longestRun is a bound: findRun tightens it where it was too high, so no region is searched in vain twice.
      const start = region.longestRun >= wanted ? region.findRun(0, wanted) : -1;
      if (start >= 0) {
        this.#cursorRegion = index;
        this.#cursorBlock = start;
        return true;
      }
      if (++index === count) index = 0;
    }
    this.#longestRun = wanted - 1;
    return false;
  }

  /** Adds a region and moves the cursor there; whether the file may grow. */
  #grow(): boolean {
    if (this.#regions.length >= this.#maxRegions) return false;
    this.#cursorRegion = this.#regions.push(new Region(new Int32Array(REGION_WORDS))) - 1;
    this.#cursorBlock = 0;
    this.#longestRun = REGION_BLOCKS;
    return true;
  }

  #extend(region: Region, start: number, wanted: number): number {
    return nextSet(region.used, start, Math.min(REGION_BLOCKS, start + wanted)) - start;
  }

  #noSpace(): FsError {
    return new FsError(
      'ENOSPC',
      'data-blocks-exhausted',
      `all ${this.maxBlocks} blocks of the store are in use (${this.#pendingBlocks} of them are freed by the next commit)`,
    );
  }

  /**
   * Frees a run of allocated blocks: fresh ones become available at once, the others when the commit that follows is durable.
   * Throws AssertionError where users see one of them as free.
   */
  free(start: number, count: number): void {
    assert(start >= 0 && count >= 1, 'a run starts in the file and has a block');
    const end = start + count;
    for (let block = start; block < end;) {
      const index = Math.floor(block / REGION_BLOCKS);
      const region = this.#regions[index];
      assert(region !== undefined, 'only allocated blocks are freed');
      const first = block - index * REGION_BLOCKS;
      const length = Math.min(end - block, REGION_BLOCKS - first);
      const wasDirty = region.dirty;
      const released = region.free(first, length);
      if (region.longestRun > this.#longestRun) this.#longestRun = region.longestRun;
      if (!wasDirty) this.#dirtyRegions.push(index);
      this.#allocatedBlocks -= length;
      this.#pendingBlocks += length - released;
      if (released === length) this.onReusable?.(block, length);
      else if (released > 0 && this.onReusable !== undefined) this.forEachAvailableRun(block, length, this.onReusable);
      block += length;
    }
  }

  /**
   * What was allocated just now holds what it is to hold, and the journal is to refer to it: freed, it waits for a commit like any other.
   * A run of the last `allocate`.
   */
  settle(start: number, count: number): void {
    const index = Math.floor(start / REGION_BLOCKS);
    this.#regions[index]!.settle(start - index * REGION_BLOCKS, count);
  }

  /** Allocates exactly this run, which the journal refers to. Throws CorruptionError where a part of it is in use or beyond the limit. */
  claim(start: number, count: number): void {
    const index = Math.floor(start / REGION_BLOCKS);
    const first = start - index * REGION_BLOCKS;
    if (index >= this.#maxRegions || first + count > REGION_BLOCKS || !this.#isAvailable(index, first, count)) {
      throw new CorruptionError(
        `blocks ${start} to ${start + count}`,
        'the journal refers to them, but they are in use',
      );
    }
    while (this.#regions.length <= index) {
      this.#regions.push(new Region(new Int32Array(REGION_WORDS)));
      this.#longestRun = REGION_BLOCKS;
    }
    const region = this.#regions[index]!;
    if (!region.dirty) this.#dirtyRegions.push(index);
    region.allocate(first, count);
    region.settle(first, count);
    this.#allocatedBlocks += count;
  }

  #isAvailable(index: number, first: number, count: number): boolean {
    const region = this.#regions[index];
    return region === undefined || nextSet(region.used, first, first + count) === first + count;
  }

  /** Whether every block of the run was allocated since the last capture, so that no commit refers to it. */
  isFresh(start: number, count: number): boolean {
    const end = start + count;
    for (let block = start; block < end;) {
      const index = Math.floor(block / REGION_BLOCKS);
      const first = block - index * REGION_BLOCKS;
      const length = Math.min(end - block, REGION_BLOCKS - first);
      if (this.#regions[index]?.isFresh(first, length) !== true) return false;
      block += length;
    }
    return true;
  }

  /** Puts the bitmaps that changed since the last capture into `batch`, as users see them now. `durable` has to follow. */
  capture(batch: Batch): void {
    assert(this.#capturedRegions === undefined, 'one capture is in flight at a time');
    for (const index of this.#dirtyRegions) {
      const region = this.#regions[index]!;
      region.copyAllocated(this.#scratch);
      if (region.allocatedBlocks === 0) batch.delete(regionKey(index));
      else batch.put(regionKey(index), encodeRegion(index, this.#scratch));
      region.capture();
    }
    this.#capturedRegions = this.#dirtyRegions;
    this.#dirtyRegions = [];
  }

  /** The batch of the last capture is durable: what was freed before it may be given out again. */
  durable(): void {
    const captured = this.#capturedRegions;
    assert(captured !== undefined, 'a capture is in flight');
    this.#capturedRegions = undefined;
    for (const index of captured) {
      const region = this.#regions[index]!;
      const pendingBefore = region.pendingBlocks;
      const leaving = region.durable();
      if (leaving === undefined) continue;
      if (region.longestRun > this.#longestRun) this.#longestRun = region.longestRun;
      this.#pendingBlocks -= pendingBefore - region.pendingBlocks;
      if (this.onReusable !== undefined) forEachRun(leaving, index * REGION_BLOCKS, this.onReusable);
    }
  }

  /** Whether users see `block` as allocated. */
  isAllocated(block: number): boolean {
    const region = this.#regions[Math.floor(block / REGION_BLOCKS)];
    return region !== undefined && region.isAllocated(block % REGION_BLOCKS);
  }

  /** Calls `callback` with each run of blocks that users see as allocated, ascending; runs end at the borders of regions. */
  forEachAllocatedRun(callback: (start: number, count: number) => void): void {
    const words = new Int32Array(REGION_WORDS);
    for (let index = 0; index < this.#regions.length; index++) {
      this.#regions[index]!.copyAllocated(words);
      forEachRun(words, index * REGION_BLOCKS, callback);
    }
  }

  /** Calls `callback` with each part of the run that is available at this moment. What is beyond the regions in memory is left out. */
  forEachAvailableRun(start: number, count: number, callback: (start: number, count: number) => void): void {
    const end = Math.min(start + count, this.#regions.length * REGION_BLOCKS);
    for (let block = start; block < end;) {
      const index = Math.floor(block / REGION_BLOCKS);
      const base = index * REGION_BLOCKS;
      const limit = Math.min(end - base, REGION_BLOCKS);
      const used = this.#regions[index]!.used;
      for (let first = nextClear(used, block - base, limit); first < limit;) {
        const last = nextSet(used, first, limit);
        callback(base + first, last - first);
        first = nextClear(used, last, limit);
      }
      block = base + limit;
    }
  }

  /** Throws AssertionError where an invariant of the allocator or of a region does not hold. For tests and `check`. */
  assertConsistent(): void {
    let allocated = 0;
    let pending = 0;
    for (const region of this.#regions) {
      region.assertConsistent();
      allocated += region.allocatedBlocks;
      pending += region.pendingBlocks;
    }
    assert(allocated === this.#allocatedBlocks, 'allocatedBlocks is the sum over the regions');
    assert(pending === this.#pendingBlocks, 'pendingBlocks is the sum over the regions');
    const longest = this.#regions.reduce((bound, region) => Math.max(bound, region.longestRun), 0);
    assert(longest <= this.#longestRun, 'no region has a longer run than #longestRun');
    const dirty = this.#regions.filter((region) => region.dirty).length;
    assert(dirty === this.#dirtyRegions.length, 'each dirty region is listed once');
  }
}

function forEachRun(words: Int32Array, base: number, callback: (start: number, count: number) => void): void {
  for (let start = nextSet(words, 0, REGION_BLOCKS); start < REGION_BLOCKS;) {
    const end = nextClear(words, start, REGION_BLOCKS);
    callback(base + start, end - start);
    start = nextSet(words, end, REGION_BLOCKS);
  }
}
