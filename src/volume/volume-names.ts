// The volumes by their names. A mount shows in the mount table the name that its volume had when it was mounted, and the kernel lets nobody
// change that: until it is unmounted, no other volume gets the name, for commands with a path in the mount would change that one.

import { FsError } from '../errors/index.ts';
import { checkVolumeName } from './names.ts';
import type { Volume } from './volume.ts';

/** A name that a volume had before. */
interface FormerName {
  readonly volume: Volume;
  /** Whether a mount still shows it. */
  readonly isShown: () => boolean;
}

export class VolumeNames {
  readonly #volumes = new Map<string, Volume>();
  /** Of a damaged store: those that can't be shown, and why. */
  readonly #unreadable = new Map<string, string>();
  readonly #former = new Map<string, FormerName>();

  get size(): number {
    return this.#volumes.size;
  }

  /** All volumes, in no order that means anything. */
  all(): IterableIterator<Volume> {
    return this.#volumes.values();
  }

  /** The volume `name`. Throws ENOENT where there is none. */
  get(name: string): Volume {
    const volume = this.#volumes.get(name);
    if (volume !== undefined) return volume;
    const former = this.#shownFormer(name);
    if (former !== undefined) {
      throw new FsError(
        'ENOENT',
        'volume-renamed',
        `volume "${name}" is called "${former.name}" now, but its mount still shows the old name; ` +
          `write STORE:${former.name}, or unmount it and mount it again`,
      );
    }
    const unreadable = this.#unreadable.get(name);
    if (unreadable !== undefined)
      throw new FsError('EIO', 'volume-unreadable', `volume "${name}" can't be shown: ${unreadable}`);
    throw new FsError(
      'ENOENT',
      'volume-unknown',
      `there is no volume "${name}"; "amberfs volume list" shows those that there are`,
    );
  }

  /** There is such a volume, but it can't be shown. */
  noteUnreadable(name: string, why: string): void {
    this.#unreadable.set(name, why);
  }

  add(volume: Volume): void {
    this.#volumes.set(volume.name, volume);
  }

  remove(volume: Volume): void {
    this.#volumes.delete(volume.name);
  }

  /** Throws EINVAL where no volume can have the name, EEXIST where one has, or shows it. `except` may take back a name of its own. */
  assertFree(name: string, except?: Volume): void {
    checkVolumeName(name);
    if (this.#volumes.has(name))
      throw new FsError('EEXIST', 'volume-name-taken', `there is already a volume "${name}"`);
    const former = this.#shownFormer(name);
    if (former === undefined || former === except) return;
    throw new FsError(
      'EEXIST',
      'volume-name-shown',
      `"${name}" is what a mount of volume "${former.name}" shows, since that was its name before; unmount it first`,
    );
  }

  /** Gives the volume a name that is free. */
  rename(volume: Volume, name: string): void {
    this.#volumes.delete(volume.name);
    volume.record.name = name;
    this.#volumes.set(name, volume);
  }

  /** Nobody else gets the name `old`, which `volume` had, as long as a mount shows it: `isShown` tells. */
  keepFormer(old: string, volume: Volume, isShown: () => boolean): void {
    if (isShown()) this.#former.set(old, { volume, isShown });
  }

  #shownFormer(name: string): Volume | undefined {
    const former = this.#former.get(name);
    if (former === undefined || former.isShown()) return former?.volume;
    this.#former.delete(name);
    return undefined;
  }
}
