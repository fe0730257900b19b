// Destroys orphans: small ones at once, large ones in slices between other work.

import type { Log } from '../util/index.ts';
import type { Filesystem } from './filesystem.ts';
import { destroyOrphan, nextOrphan } from './orphans.ts';

/** Extents (up to 1 MiB each) that are freed in one stretch: well below a millisecond. */
const EXTENTS_PER_SLICE = 64;

interface Doomed {
  readonly fs: Filesystem;
  readonly ino: number;
  /** Of `fs` when it was found: after a restore `ino` may be a file with a name. */
  readonly generation: number;
}

export class OrphanReaper {
  readonly #breathe: () => Promise<void>;
  readonly #log: Log;
  readonly #queue: Doomed[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  /** `breathe` lets other work run between two slices. */
  constructor(breathe: () => Promise<void>, log: Log) {
    this.#breathe = breathe;
    this.#log = log;
  }

  /** Destroys `ino`, which is marked as an orphan and which nobody holds any more. */
  destroy(fs: Filesystem, ino: number): void {
    if (destroyOrphan(fs, ino, EXTENTS_PER_SLICE)) return;
    this.#queue.push({ fs, ino, generation: fs.generation });
    this.#running ??= this.#run();
  }

  /** Destroys all orphans of a filesystem that nobody uses yet. */
  sweep(fs: Filesystem): void {
    let found = 0;
    for (let ino = nextOrphan(fs, 0); ino !== 0; ino = nextOrphan(fs, ino)) {
      this.#queue.push({ fs, ino, generation: fs.generation });
      found++;
    }
    if (found === 0) return;
    this.#log.info(`${found} files without a name, open when the volume was last in use, are being removed`);
    this.#running ??= this.#run();
  }

  /** Resolves when nothing waits to be destroyed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Stops after the slice at hand; what is left is found again when the volume is next opened. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.#breathe();
    for (let next = this.#queue.shift(); next !== undefined && !this.#stopped; next = this.#queue.shift()) {
      await this.#destroyInSlices(next);
    }
    this.#running = undefined;
  }

  async #destroyInSlices({ fs, ino, generation }: Doomed): Promise<void> {
    try {
      const isDone = (): boolean => !fs.alive || fs.generation !== generation || this.#stopped;
      while (!isDone() && !destroyOrphan(fs, ino, EXTENTS_PER_SLICE)) await this.#breathe();
    } catch (error) {
      this.#log.error(`inode ${ino} can't be removed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
