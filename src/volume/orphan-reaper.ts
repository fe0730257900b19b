// Destroys orphans: small ones at once, large ones in slices between other work. While the host is full it waits, as the reclaimer does.

import { FsError } from '../errors/index.ts';
import type { Filesystem } from './filesystem.ts';
import { destroyOrphan } from './orphans.ts';

/** Extents (up to 1 MiB each) that are freed in one stretch: well below a millisecond. */
const EXTENTS_PER_SLICE = 64;

interface Doomed {
  readonly fs: Filesystem;
  readonly ino: number;
  /** Of `fs` when it was found: after a restore `ino` may be a file with a name. */
  readonly generation: number;
}

/** What the reaper needs from around it. */
export interface ReaperHost {
  /** Lets other work run between two slices. */
  breathe(): Promise<void>;
  /** Resolves after a while: the host was full. */
  roomAgain(): Promise<void>;
  /**
   * Inode `ino` can't be destroyed, and the reaper had to stop, perhaps in the midst of a slice: called in the same synchronous stretch, so that
   * no commit takes half of one. What is left is found again when the volume is next opened.
   */
  failed(ino: number, error: unknown): void;
}

export class OrphanReaper {
  readonly #host: ReaperHost;
  /** The one at hand stays at the front until it is gone. */
  readonly #queue: Doomed[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(host: ReaperHost) {
    this.#host = host;
  }

  /**
   * Destroys `ino`, which is marked as an orphan and which nobody holds any more, or begins to; where the host is full it does so later. Throws
   * what {@link destroyOrphan} throws besides.
   */
  destroy(fs: Filesystem, ino: number): void {
    const doomed = { fs, ino, generation: fs.generation };
    if (destroySlice(doomed) === 'gone') return;
    this.#queue.push(doomed);
    this.#running ??= this.#run();
  }

  /** Destroys the orphans `inos` of a filesystem that nobody uses yet, in the background. */
  destroyAll(fs: Filesystem, inos: readonly number[]): void {
    if (inos.length === 0) return;
    for (const ino of inos) this.#queue.push({ fs, ino, generation: fs.generation });
    this.#running ??= this.#run();
  }

  /** Whether orphans wait to be destroyed or are being destroyed: of `fs`, or of any filesystem. */
  isBusy(fs?: Filesystem): boolean {
    return fs === undefined ? this.#queue.length > 0 : this.#queue.some((doomed) => doomed.fs === fs);
  }

  /** Resolves when nothing waits to be destroyed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Stops after the slice at hand, or the wait for room; what is left is found again when the volume is next opened. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // Asynchronous from the start, so that `#running` is set before the first slice.
    await this.#host.breathe();
    for (let next = this.#queue[0]; next !== undefined && !this.#stopped; next = this.#queue[0]) {
      try {
        const outcome = destroySlice(next);
        if (outcome === 'gone') this.#queue.shift();
        await (outcome === 'no-room' ? this.#host.roomAgain() : this.#host.breathe());
      } catch (error) {
        this.#queue.length = 0;
        this.#host.failed(next.ino, error);
      }
    }
    this.#running = undefined;
  }
}

/** What a slice of destroying an orphan led to. For want of room it changed nothing. */
function destroySlice({ fs, ino, generation }: Doomed): 'gone' | 'begun' | 'no-room' {
  if (!fs.alive || fs.generation !== generation) return 'gone';
  try {
    const isGone = destroyOrphan(fs, ino, EXTENTS_PER_SLICE);
    fs.context.recorder.operationEnded();
    return isGone ? 'gone' : 'begun';
  } catch (error) {
    if (error instanceof FsError && error.code === 'ENOSPC') return 'no-room';
    throw error;
  }
}
