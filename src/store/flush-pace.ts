// Whether the next flush may hold up the thread. On a fast disk a flush takes about as long as the way through the thread pool and back, and
// who calls fsync after each write would wait for both (native-notes/data-file.md). On a slow or busy one everybody else would wait
// for it. So flushes are timed, and the thread waits only while they have been quick of late.

/** What counts as quick. */
const QUICK_MS = 0.4;
/** A flush that took so long, with the thread waiting for it, was a mistake. */
const STALL_MS = 4;
/** After that so many are done in the background. */
const PENALTY = 500;
/** How much the last flush counts in the average. */
const WEIGHT = 1 / 8;

export class FlushPace {
  #averageMs = Infinity;
  #penalty = 0;

  /** Whether the thread may wait for the next flush. */
  allows(): boolean {
    if (this.#penalty > 0) {
      this.#penalty--;
      return false;
    }
    return this.#averageMs < QUICK_MS;
  }

  /** A flush took so long; `held`: with the thread waiting for it. */
  took(ms: number, held: boolean): void {
    if (held && ms > STALL_MS) this.#penalty = PENALTY;
    this.#averageMs = this.#averageMs === Infinity ? ms : this.#averageMs + (ms - this.#averageMs) * WEIGHT;
  }
}
