// Gives freed space of the data file back to the host, in the background.
//
// Blocks are reusable before they are punched. That is safe, because looking whether a block is still available and punching it is
// one synchronous stretch: no allocation comes between. So a punch never waits for anything and nothing waits for a punch.
// Short runs are left to the allocator: a punch costs more than writing a few blocks (native-notes/data-file.md), and churn
// reuses them soon. A run that is forgotten (too many at once, or the process ended) costs space on the host until it is reused;
// openStore therefore punches all available runs when the file takes far more than the store uses.

import { BLOCK_BYTES } from '../format/index.ts';
import { noLog, type Log } from '../util/index.ts';
import type { BlockAllocator } from './block-allocator.ts';
import type { BlockFile } from './block-file.ts';

export interface PunchOptions {
  /** Shorter runs stay with the store. */
  minBlocks?: number;
  /** How long after a run came up the punching starts, so that what is reused soon is not punched. */
  delayMs?: number;
  /** The pause between two slices of work. */
  pauseMs?: number;
  /** Runs that wait; more are forgotten. */
  queueMax?: number;
  log?: Log;
}

/** Blocks that one system call frees, at most: the host drops their cached pages meanwhile (about 0.3 ms for 1 MiB). */
const PIECE_BLOCKS = 256;
/** How long one slice may hold up the event loop. */
const SLICE_MS = 2;

export class HolePuncher {
  readonly #allocator: BlockAllocator;
  readonly #blocks: BlockFile;
  readonly #minBlocks: number;
  readonly #delayMs: number;
  readonly #pauseMs: number;
  readonly #queueMax: number;
  readonly #log: Log;
  #starts: number[] = [];
  #counts: number[] = [];
  /** The first entry of the two arrays that is still to do. */
  #head = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #punchedBlocks = 0;
  #forgottenBlocks = 0;

  constructor(allocator: BlockAllocator, blocks: BlockFile, options: PunchOptions = {}) {
    this.#allocator = allocator;
    this.#blocks = blocks;
    this.#minBlocks = options.minBlocks ?? 16;
    this.#delayMs = options.delayMs ?? 1000;
    this.#pauseMs = options.pauseMs ?? 10;
    this.#queueMax = options.queueMax ?? 65_536;
    this.#log = options.log ?? noLog;
  }

  /** Blocks given back to the host so far. */
  get punchedBlocks(): number {
    return this.#punchedBlocks;
  }

  /** Blocks that were not noted, because too many runs waited. */
  get forgottenBlocks(): number {
    return this.#forgottenBlocks;
  }

  /** Notes a run that became available. */
  add(start: number, count: number): void {
    if (count < this.#minBlocks || this.#stopped) return;
    if (this.#starts.length - this.#head >= this.#queueMax) {
      this.#forgottenBlocks += count;
      return;
    }
    this.#starts.push(start);
    this.#counts.push(count);
    this.#timer ??= this.#schedule(this.#delayMs);
  }

  /** Notes every available run before block `end`. */
  addAll(end: number): void {
    this.#allocator.forEachAvailableRun(0, end, (start, count) => {
      this.add(start, count);
    });
  }

  /** Punches for `budgetMs` at most what waits to be, since the host has no room left. */
  hurry(budgetMs: number): void {
    if (!this.#stopped) this.#work(budgetMs);
  }

  /** Works for `budgetMs` on what is left, then forgets the rest. Nothing is punched afterwards. */
  stop(budgetMs: number): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#work(budgetMs);
  }

  #schedule(delayMs: number): NodeJS.Timeout {
    // Unreferenced: a process need not stay for it.
    return setTimeout(() => {
      this.#timer = this.#work(SLICE_MS) ? undefined : this.#schedule(this.#pauseMs);
    }, delayMs).unref();
  }

  /** Punches for about `budgetMs`; whether nothing is left. */
  #work(budgetMs: number): boolean {
    const endMs = performance.now() + budgetMs;
    try {
      while (this.#head < this.#starts.length) {
        if (performance.now() >= endMs) {
          this.#starts.splice(0, this.#head);
          this.#counts.splice(0, this.#head);
          this.#head = 0;
          return false;
        }
        this.#punchPiece();
      }
    } catch (error) {
      // Freed space is no reason to stop a filesystem; a host that fails here will fail a read or a commit too.
      this.#stopped = true;
      this.#log.error(`freed space is not given back to the host any more: ${String(error)}`);
    }
    this.#starts = [];
    this.#counts = [];
    this.#head = 0;
    return true;
  }

  /** Punches what is still available of the next piece. */
  #punchPiece(): void {
    const start = this.#starts[this.#head]!;
    const left = this.#counts[this.#head]!;
    const count = Math.min(left, PIECE_BLOCKS);
    if (count === left) {
      this.#head++;
    } else {
      this.#starts[this.#head] = start + count;
      this.#counts[this.#head] = left - count;
    }
    this.#allocator.forEachAvailableRun(start, count, (from, length) => {
      // A short run is left alone, unless it is the end of a longer one that was cut into pieces.
      const cut = from === start || from + length === start + count;
      if (length < this.#minBlocks && !cut) return;
      this.#blocks.punch(from * BLOCK_BYTES, length * BLOCK_BYTES);
      this.#punchedBlocks += length;
    });
  }
}
