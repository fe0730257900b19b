// What gives space back while a store is in use: files that have lost their last name are destroyed, and what deleted versions held is freed.
// Both go on in slices between other work, and are taken up again by the next opening.

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { CommitParticipant, Committer } from '../store/index.ts';
import { type Forest, Reclaimer, type Version } from '../tree/index.ts';
import type { Log } from '../util/index.ts';
import type { Filesystem } from './filesystem.ts';
import { OrphanReaper } from './orphan-reaper.ts';
import { LIMITS } from './volumes-options.ts';

/** The orphans of one filesystem. */
export interface Leftovers {
  readonly fs: Filesystem;
  readonly inos: readonly number[];
}

export class Background implements CommitParticipant {
  readonly #reclaimer: Reclaimer;
  readonly #reaper: OrphanReaper;
  readonly #committer: () => Committer;
  readonly #log: Log;
  /** How many of the two wait for room on the host: until there is some, nothing is to be hoped for from them. */
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `noteDamage` is told what ended the work of either, before `log` is, and whether it was changing files. */
  constructor(
    forest: Forest,
    committer: () => Committer,
    noteDamage: (error: unknown, changing: boolean) => void,
    log: Log,
  ) {
    const roomAgain = async (): Promise<void> => {
      this.#waiting++;
      await sleep(LIMITS.roomPauseMs);
      this.#waiting--;
    };
    const failed = (what: string, error: unknown, changing: boolean): void => {
      noteDamage(error, changing);
      log.error(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    };
    this.#reclaimer = new Reclaimer(forest, {
      commit: () => committer().commit(),
      markDirty: () => {
        committer().markDirty();
      },
      breathe: nextTurn,
      roomAgain,
      failed: (error) => {
        failed("space can't be reclaimed", error, false);
      },
    });
    this.#reaper = new OrphanReaper({
      breathe: nextTurn,
      roomAgain,
      failed: (ino, error) => {
        failed(`inode ${ino}, which has no name, can't be removed`, error, true);
      },
    });
    this.#committer = committer;
    this.#log = log;
  }

  /** Takes up what was left undone when the store was last in use. */
  resume(leftovers: readonly Leftovers[]): void {
    this.#reclaimer.resume();
    for (const each of leftovers) this.sweep(each);
  }

  /** Destroys the orphans of a filesystem that nobody uses yet. */
  sweep({ fs, inos }: Leftovers): void {
    if (inos.length > 0)
      this.#log.info(`${inos.length} files without a name, open when the volume was last in use, are being removed`);
    this.#reaper.destroyAll(fs, inos);
  }

  /** Destroys one orphan; see {@link OrphanReaper.destroy}. */
  destroy(fs: Filesystem, ino: number): void {
    this.#reaper.destroy(fs, ino);
  }

  /** Frees what the frozen version, which lost its name, held alone. */
  reclaim(version: Version): void {
    this.#reclaimer.enqueue(version);
  }

  /** Versions whose space is still to be freed. */
  get reclaiming(): number {
    return this.#reclaimer.pending;
  }

  /** Whether files of `fs` are being destroyed. */
  isReaping(fs: Filesystem): boolean {
    return this.#waiting === 0 && this.#reaper.isBusy(fs);
  }

  /** Looks whether space is on its way back: of files that are being destroyed, or of what deleted versions held. */
  findSpace(): boolean {
    if (this.#waiting > 0) return false;
    this.#reclaimer.revisit();
    return this.#reaper.isBusy() || this.#reclaimer.pending > 0;
  }

  /** Resolves when the files that are being destroyed at the moment are gone, or after a while. */
  async reaped(): Promise<void> {
    await within(this.#reaper.idle());
  }

  /** Resolves when no space is on its way back any more, or after a while. */
  async settled(): Promise<void> {
    if (this.#waiting > 0) return;
    await within(this.idle().catch(() => undefined));
  }

  capture(): void {
    // Nothing of its own is stored.
  }

  /** Some time after a commit it is looked at what volumes have dropped since. */
  durable(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#committer().poisoned === undefined) this.#reclaimer.revisit();
    }, LIMITS.revisitMs).unref();
  }

  /** Resolves when nothing is left to do; rejects with what stopped the reclaimer, where something did. */
  async idle(): Promise<void> {
    await this.#reaper.idle();
    this.#reclaimer.revisit();
    await this.#reclaimer.idle();
  }

  /** Stops after what is at hand; where the host is full, both wait for room at the same time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all([this.#reaper.stop(), this.#reclaimer.stop()]);
  }
}

async function within(work: Promise<void>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, sleep(LIMITS.roomWaitMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
}
