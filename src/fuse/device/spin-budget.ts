// Whether to look for the next request a little longer before going to sleep.
//
// A process that makes one call after the other sends its next request some microseconds after our answer. If we slept meanwhile, on
// another core, waking us costs more than serving the request: 48 us per stat(2) against 15 us while looking on (native-notes/fuse.md).
// Looking costs CPU time, so it is done only while it pays: each success earns credit, each failure costs more of it, and once the credit is
// used up only every now and then one wake-up tries again. At rest, and under requests that are far apart, the cost is next to nothing.

/** Reads of an empty device before giving up: about 25 us. */
export const SPIN_READS = 64;

const CREDIT_MAX = 16;
const COST_OF_FAILURE = 4;
/** Without credit, one wake-up in this many looks on. */
const PROBE_INTERVAL = 32;

export class SpinBudget {
  #credit = CREDIT_MAX;
  #untilProbe = PROBE_INTERVAL;

  /** Whether to look on now that the device is empty. */
  allows(): boolean {
    if (this.#credit > 0) return true;
    if (--this.#untilProbe > 0) return false;
    this.#untilProbe = PROBE_INTERVAL;
    return true;
  }

  /** A request came while looking on. */
  succeeded(): void {
    if (this.#credit < CREDIT_MAX) this.#credit++;
  }

  /** None came. */
  failed(): void {
    this.#credit = Math.max(this.#credit - COST_OF_FAILURE, 0);
  }
}
