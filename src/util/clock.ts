/** A moment: seconds since 1970 (may be negative) and nanoseconds within that second (0 to 999,999,999). */
export interface Timespec {
  sec: number;
  nsec: number;
}

/** Where the time comes from. Injected, so that tests can stop or turn it. */
export interface Clock {
  /** Writes the current time into `into`, which saves an object per call on hot paths. */
  now(into: Timespec): void;
  /** The current time in milliseconds since 1970. */
  nowMs(): number;
}

/**
 * The system's clock in steps of about a microsecond. `Date.now()` has milliseconds only, and two changes within one would look
 * simultaneous to make and rsync: so the monotonic clock counts on from the last millisecond that was seen to begin.
 */
class SystemClock implements Clock {
  #baseMs = 0;
  #baseMonotonicMs = 0;

  now(into: Timespec): void {
    const wallMs = Date.now();
    const monotonicMs = performance.now();
    let ms = this.#baseMs + (monotonicMs - this.#baseMonotonicMs);
    // Within a millisecond of the wall clock the count goes on; a set clock or a long pause starts it anew.
    if (ms < wallMs || ms >= wallMs + 1) {
      this.#baseMs = wallMs;
      this.#baseMonotonicMs = monotonicMs;
      ms = wallMs;
    }
    into.sec = Math.floor(ms / 1000);
    into.nsec = Math.floor((ms - into.sec * 1000) * 1_000_000);
  }

  nowMs(): number {
    return Date.now();
  }
}

export const systemClock: Clock = new SystemClock();
