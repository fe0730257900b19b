// A check in the background of an open store: one at a time, for whoever asks how far it is, and ended when nobody does any more.

import { FsError } from '../errors/index.ts';
import { checkOpenVolumes, type CheckReport, type Volumes } from '../volume/index.ts';

/** Who started a check and does not ask for so long is gone. */
const ABANDONED_MS = 30_000;

export interface CheckStatus {
  readonly doing: string;
  /** 0 to 1. */
  readonly done: number;
  /** null while it goes on. */
  readonly report: CheckReport | null;
}

export class CheckRunner {
  readonly #volumes: Volumes;
  #running: Promise<void> | undefined;
  #doing = 'records';
  #done = 0;
  #askedMs = 0;
  #stopped = false;
  #report: CheckReport | undefined;
  #failure: unknown;

  constructor(volumes: Volumes) {
    this.#volumes = volumes;
  }

  /** Begins a check. Throws FsError EBUSY where one is under way. */
  start(data: boolean): void {
    if (this.#running !== undefined)
      throw new FsError('EBUSY', 'check-runs', 'another check of this store is under way; wait until it has ended');
    this.#report = undefined;
    this.#failure = undefined;
    this.#askedMs = Date.now();
    this.#running = this.#run(data).finally(() => {
      this.#running = undefined;
    });
  }

  /** How far it is. Throws what ended it before it was done. */
  poll(): CheckStatus {
    this.#askedMs = Date.now();
    if (this.#failure !== undefined) throw this.#failure as Error;
    return { doing: this.#doing, done: this.#done, report: this.#report ?? null };
  }

  /** Ends it after the slice at hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Never rejects. */
  async #run(data: boolean): Promise<void> {
    try {
      this.#report = await checkOpenVolumes(this.#volumes, {
        data,
        breathe: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          if (this.#stopped || Date.now() - this.#askedMs > ABANDONED_MS)
            throw new FsError('EINTR', 'check-ended', 'the check was ended before it was done');
        },
        progress: (doing, done) => {
          this.#doing = doing;
          this.#done = done;
        },
      });
    } catch (error) {
      this.#failure = error;
    }
  }
}
