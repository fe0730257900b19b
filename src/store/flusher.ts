// Flushes that several callers share: whoever asks while one is under way waits for the next, and one serves all of them.
// INVARIANT: after a failed flush none succeeds. The kernel forgets pages that it failed to write, so a second attempt could
// succeed without them (checked by test/unit/store/block-file.test.ts).

export class Flusher {
  readonly #flush: () => Promise<void>;
  /** Counts writes; the second one those of before the last flush that succeeded. */
  #written = 0;
  #flushed = 0;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;

  /** `flush` brings everything written before it was called to stable storage. */
  constructor(flush: () => Promise<void>) {
    this.#flush = flush;
  }

  /** To be called with each write, when it is done (or in the same synchronous stretch). */
  wrote(): void {
    this.#written++;
  }

  /** Everything written before the call is on stable storage when this resolves; costs nothing where it is already. */
  async sync(): Promise<void> {
    const wanted = this.#written;
    while (this.#flushed < wanted) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#running ??= this.#run();
      await this.#running;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Whether nothing waits to be flushed, and no flush has failed. */
  get isFlushed(): boolean {
    return this.#flushed === this.#written && this.#failure === undefined;
  }

  /** Whether a flush is under way. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** As {@link sync}, by `flush` and without letting go of the thread. Only while none is under way. Throws what `flush` throws, for ever. */
  syncNow(flush: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.isFlushed) return;
    const covered = this.#written;
    try {
      flush();
      this.#flushed = covered;
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      throw this.#failure;
    }
  }

  async #run(): Promise<void> {
    // Before the call: what is written while it runs needs another one.
    const covered = this.#written;
    try {
      await this.#flush();
      this.#flushed = covered;
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      throw this.#failure;
    } finally {
      this.#running = undefined;
    }
  }
}
