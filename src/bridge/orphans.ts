// Files of a mount that have lost their last name (or have none yet) while the kernel holds them. Each is destroyed
// when the kernel forgets it, which is after the last close, or with the end of the session.

import type { Log } from '../util/index.ts';
import type { View } from '../vfs/index.ts';

export class Orphans {
  readonly #view: View;
  readonly #log: Log;
  readonly #inos = new Set<number>();

  constructor(view: View, log: Log) {
    this.#view = view;
    this.#log = log;
  }

  get size(): number {
    return this.#inos.size;
  }

  /** Inode `ino` has no name (any more). 0 for none is allowed, as the operations that take names away give it. */
  add(ino: number): void {
    if (ino !== 0) this.#inos.add(ino);
  }

  /** Inode `ino` was given a name. */
  named(ino: number): void {
    if (this.#inos.size > 0) this.#inos.delete(ino);
  }

  /** The kernel holds inode `ino` no longer. Never throws: nobody waits for an answer. */
  forgotten(ino: number): void {
    if (this.#inos.size > 0 && this.#inos.delete(ino)) this.#destroy(ino);
  }

  /** The session is over, the kernel holds nothing any more. */
  destroyAll(): void {
    for (const ino of this.#inos) this.#destroy(ino);
    this.#inos.clear();
  }

  /** Those that there were are none of the view's files any more. */
  clear(): void {
    this.#inos.clear();
  }

  /**
   * What can't be destroyed now keeps its mark in the store and is destroyed when the volume is opened the next time: where metadata is damaged
   * nothing becomes durable of what was done by half.
   */
  #destroy(ino: number): void {
    const { filesystem, volumes } = this.#view;
    if (!filesystem.alive) return;
    try {
      volumes.destroyOrphan(filesystem, ino);
    } catch (error) {
      volumes.noteDamage(error, true);
      this.#log.error(
        `inode ${ino}, which has no name, stays for now: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
