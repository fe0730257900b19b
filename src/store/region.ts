// One region of the data file: which of its blocks are in use, and how. All block numbers here count from the region's start.
//
// A block is in one of these states:
//   available                in no bitmap below           allocate may give it out
//   fresh                    used, fresh                  allocated since the last capture: nothing refers to it yet
//   settled                  used                         allocated, and a commit or the journal refers to it or may
//   freed                    used, freed                  freed since the last capture; the last commit refers to it
//   leaving                  used, leaving                freed before the capture whose commit is under way
// Users see fresh and settled blocks as allocated, the others as free.
//
// INVARIANT: fresh, freed and leaving are parts of used, and no block is in two of them (checked by assertConsistent).
// INVARIANT: no available run is longer than longestRun (checked by assertConsistent).

import { REGION_BLOCKS, REGION_WORDS } from '../format/index.ts';
import { assert } from '../util/index.ts';
import {
  areSet,
  clearBits,
  countBits,
  nextClear,
  nextSet,
  popCount,
  previousSet,
  setBits,
  wordMask,
} from './bitmap.ts';

/** How far around freed blocks longestRun is worked out: long enough for any usual request, short enough to cost nothing. */
const NOTE_BLOCKS = 1024;

export class Region {
  readonly used: Int32Array;
  /** These three exist only while they have a bit: most regions lie still most of the time. */
  #fresh: Int32Array | undefined;
  #freed: Int32Array | undefined;
  #leaving: Int32Array | undefined;
  /** Blocks that allocate may give out. */
  availableBlocks: number;
  /** Blocks that are freed or leaving. */
  pendingBlocks = 0;
  /** No available run is longer; often none is as long either. Lets a search pass over the region. */
  longestRun: number;
  /** The state that users see changed since the last capture. */
  dirty = false;

  /** A region whose settled blocks are the set bits of `used`, which it keeps. */
  constructor(used: Int32Array) {
    this.used = used;
    this.availableBlocks = REGION_BLOCKS - countBits(used);
    this.longestRun = this.availableBlocks;
  }

  /** Whether users see block `bit` as allocated. */
  isAllocated(bit: number): boolean {
    return ((this.#allocatedWord(bit >> 5) >>> (bit & 31)) & 1) === 1;
  }

  /** Blocks that users see as allocated. */
  get allocatedBlocks(): number {
    return REGION_BLOCKS - this.availableBlocks - this.pendingBlocks;
  }

  /** The first available run of `wanted` blocks at or after `from`: its start, or -1. */
  findRun(from: number, wanted: number): number {
    const used = this.used;
    let longest = 0;
    for (let at = from; at < REGION_BLOCKS;) {
      const start = nextClear(used, at, REGION_BLOCKS);
      const end = nextSet(used, start, Math.min(REGION_BLOCKS, start + wanted));
      if (end - start === wanted) return start;
      if (end - start > longest) longest = end - start;
      at = end;
    }
    if (from === 0) this.longestRun = longest;
    return -1;
  }

  /** Makes an available run fresh. */
  allocate(start: number, count: number): void {
    setBits(this.used, start, count);
    this.#fresh ??= new Int32Array(REGION_WORDS);
    setBits(this.#fresh, start, count);
    this.availableBlocks -= count;
    if (this.longestRun > this.availableBlocks) this.longestRun = this.availableBlocks;
    this.dirty = true;
  }

  /**
   * Frees an allocated run: fresh blocks become available, settled ones freed. Gives how many became available.
   * Throws AssertionError, having changed nothing, unless users see every block as allocated.
   */
  free(start: number, count: number): number {
    const end = start + count;
    for (let bit = start; bit < end; bit = (bit | 31) + 1) {
      const word = bit >> 5;
      const mask = wordMask(bit & 31, Math.min(32, end - (word << 5)));
      assert((this.#allocatedWord(word) & mask) === mask, 'only allocated blocks are freed, and once');
    }
    let released = 0;
    for (let bit = start; bit < end; bit = (bit | 31) + 1) {
      const word = bit >> 5;
      released += this.#freeInWord(word, wordMask(bit & 31, Math.min(32, end - (word << 5))));
    }
    this.availableBlocks += released;
    this.pendingBlocks += count - released;
    this.dirty = true;
    if (released > 0) this.#noteAvailable(start, end);
    return released;
  }

  #freeInWord(word: number, mask: number): number {
    let fresh = 0;
    if (this.#fresh !== undefined) {
      fresh = this.#fresh[word]! & mask;
      this.#fresh[word] = this.#fresh[word]! & ~fresh;
      this.used[word] = this.used[word]! & ~fresh;
    }
    const settled = mask & ~fresh;
    if (settled !== 0) {
      this.#freed ??= new Int32Array(REGION_WORDS);
      this.#freed[word] = this.#freed[word]! | settled;
    }
    return popCount(fresh);
  }

  /** The blocks of word `word` that users see as allocated. */
  #allocatedWord(word: number): number {
    let bits = this.used[word]!;
    if (this.#freed !== undefined) bits &= ~this.#freed[word]!;
    if (this.#leaving !== undefined) bits &= ~this.#leaving[word]!;
    return bits;
  }

  /** Whether every block of the run is fresh. */
  isFresh(start: number, count: number): boolean {
    return this.#fresh !== undefined && areSet(this.#fresh, start, count);
  }

  /** Writes what users see as allocated into `words`. */
  copyAllocated(words: Int32Array): void {
    for (let word = 0; word < REGION_WORDS; word++) words[word] = this.#allocatedWord(word);
  }

  /** A commit takes the region as it is: fresh blocks become settled, freed ones leaving. */
  capture(): void {
    assert(this.#leaving === undefined, 'a capture follows the end of the one before');
    this.#leaving = this.#freed;
    this.#freed = undefined;
    this.#fresh = undefined;
    this.dirty = false;
  }

  /** Makes a fresh run settled. */
  settle(start: number, count: number): void {
    assert(this.isFresh(start, count), 'only fresh blocks are settled');
    clearBits(this.#fresh!, start, count);
  }

  /** The commit is durable: leaving blocks become available. Gives their bitmap, or undefined where there were none. */
  durable(): Int32Array | undefined {
    const leaving = this.#leaving;
    if (leaving === undefined) return undefined;
    this.#leaving = undefined;
    for (let start = nextSet(leaving, 0, REGION_BLOCKS); start < REGION_BLOCKS;) {
      const end = nextClear(leaving, start, REGION_BLOCKS);
      clearBits(this.used, start, end - start);
      this.availableBlocks += end - start;
      this.pendingBlocks -= end - start;
      this.#noteAvailable(start, end);
      start = nextSet(leaving, end, REGION_BLOCKS);
    }
    return leaving;
  }

  /** Raises longestRun to the runs that touch the blocks from `from` to `to`, some of which became available. */
  #noteAvailable(from: number, to: number): void {
    if (this.longestRun >= this.availableBlocks) return;
    const limit = Math.min(REGION_BLOCKS, to + NOTE_BLOCKS);
    const floor = Math.max(0, from - NOTE_BLOCKS);
    let start = nextClear(this.used, from, to);
    if (start === from) start = previousSet(this.used, from, floor) + 1;
    while (start < to) {
      const end = nextSet(this.used, start, limit);
      // A run that goes on where nobody looked may be as long as there is room.
      const cut = (start === floor && floor > 0) || (end === limit && limit < REGION_BLOCKS);
      const length = cut ? this.availableBlocks : end - start;
      if (length > this.longestRun) this.longestRun = length;
      start = nextClear(this.used, end, to);
    }
  }

  /** Throws AssertionError where an invariant of this file's head does not hold. For tests and `check`. */
  assertConsistent(): void {
    let pending = 0;
    for (let word = 0; word < REGION_WORDS; word++) {
      const fresh = this.#fresh?.[word] ?? 0;
      const freed = this.#freed?.[word] ?? 0;
      const leaving = this.#leaving?.[word] ?? 0;
      assert(((fresh | freed | leaving) & ~this.used[word]!) === 0, 'fresh, freed and leaving blocks are used');
      assert(((fresh & freed) | (fresh & leaving) | (freed & leaving)) === 0, 'a block has one state');
      pending += popCount(freed | leaving);
    }
    assert(pending === this.pendingBlocks, 'pendingBlocks counts the freed and leaving blocks');
    assert(
      this.availableBlocks === REGION_BLOCKS - countBits(this.used),
      'availableBlocks counts the clear bits of used',
    );
    const noted = this.longestRun;
    this.findRun(0, REGION_BLOCKS + 1);
    assert(this.longestRun <= noted, 'no available run is longer than longestRun');
    this.longestRun = noted;
  }
}
