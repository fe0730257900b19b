// Volumes with filled files, a naive copy of each of their versions, and random changes that are made to both. What a change works on is
// chosen at random from what there is, and each is one synchronous stretch.

import type { Snapshot, Volume, Volumes } from '../../src/volume/index.ts';
import { type FilledFiles, UNITS_PER_BLOCK, fileDifferences, fillUnits, removeFile } from './filled-files.ts';

/** Gives a whole number from 0 to below `limit`. */
export type Random = (limit: number) => number;

const IMAGE = 'image';
/** One in which every second block is rewritten has a dead list of several slices of the background. */
const IMAGE_BLOCKS = 2000;
const RUN_BLOCKS = 100;

interface FilledVolume {
  live: FilledFiles;
  readonly snapshots: Map<string, FilledFiles>;
  /** The block of the image that comes next. */
  place: number;
  /** Whether its image is written in long runs, or every second block of it. */
  isInOrder: boolean;
}

/** What a history writes. */
interface Habits {
  /** How many names there are for small files. */
  readonly files: number;
  readonly filesPerStep: number;
  readonly unitsMax: number;
  /** Whether there is a large file as well, of which most writes are. */
  readonly hasImage: boolean;
  readonly volumesMax: number;
}

/** Takes one of `all` by its weight. */
export function weighted<T>(random: Random, all: readonly (readonly [weight: number, what: T])[]): T {
  let left = random(all.reduce((sum, [weight]) => sum + weight, 0));
  return all.find(([weight]) => (left -= weight) < 0)![1];
}

export class FilledVolumes {
  readonly #random: Random;
  readonly #habits: Habits;
  readonly #naive = new Map<string, FilledVolume>([
    ['main', { live: new Map(), snapshots: new Map(), place: 0, isInOrder: true }],
  ]);
  /** For names. */
  #serial = 0;
  /** For what is written: another byte with each write. */
  #byte = 0;
  readonly #changes: [weight: number, change: (volumes: Volumes, volume: Volume) => string | undefined][] = [
    [40, (_, volume) => this.#write(volume)],
    [12, (volumes, volume) => this.#snapshot(volumes, volume)],
    [8, (volumes, volume) => this.#clone(volumes, volume)],
    [8, (volumes, volume) => this.#restore(volumes, volume)],
    [4, (volumes, volume) => this.#branch(volumes, volume)],
    [14, (volumes, volume) => this.#deleteSnapshots(volumes, volume)],
    [3, (volumes, volume) => this.#deleteVolume(volumes, volume)],
    [1, (volumes, volume) => this.#renameSnapshot(volumes, volume)],
    [10, () => undefined],
  ];

  constructor(random: Random) {
    this.#random = random;
    const isLarge = random(3) === 0;
    const hasImage = random(2) === 0;
    this.#habits = {
      files: 10 + random(300),
      filesPerStep: isLarge ? 60 : 8,
      unitsMax: isLarge ? 12 : 100,
      hasImage,
      // Of few, each is changed much between two deletions.
      volumesMax: 1 + random(hasImage ? 4 : 8),
    };
  }

  /** Makes one change, or none. Gives what it was, in a few words. */
  change(volumes: Volumes): string | undefined {
    const all = volumes.list();
    return weighted(this.#random, this.#changes)(volumes, all[this.#random(all.length)]!);
  }

  /** What the volumes show otherwise than the naive copy of each version, one line each. */
  differences(volumes: Volumes): string[] {
    const names = volumes.list().map(({ name }) => name);
    const found = names.filter((name) => !this.#naive.has(name)).map((name) => `volume ${name} should not be there`);
    for (const [name, naive] of this.#naive) {
      if (!names.includes(name)) found.push(`volume ${name} is missing`);
      else found.push(...volumeDifferences(volumes.get(name), naive));
    }
    return found;
  }

  /** As {@link differences}, of one volume only. */
  differencesOfOne(volumes: Volumes): string[] {
    const all = [...this.#naive];
    const [name, naive] = all[this.#random(all.length)]!;
    return volumeDifferences(volumes.get(name), naive);
  }

  #write(volume: Volume): string {
    const { live } = this.#naive.get(volume.name)!;
    if (this.#habits.hasImage) this.#writeImage(volume);
    if (this.#habits.hasImage && this.#random(4) > 0) return `write ${volume.name}`;
    for (let i = this.#random(this.#habits.filesPerStep); i >= 0; i--) {
      const name = `file ${this.#random(this.#habits.files)}`;
      if (this.#random(4) === 0) removeFile(volume.filesystem, live, name);
      else {
        const count = 1 + this.#random(this.#habits.unitsMax);
        const at = this.#random(3) * UNITS_PER_BLOCK;
        fillUnits(volume.filesystem, live, name, { at, count, byte: this.#nextByte() });
      }
    }
    return `write ${volume.name}`;
  }

  /** Goes on where it was, or now and then somewhere else. The volume that was there first begins with a whole image. */
  #writeImage({ name, filesystem }: Volume): void {
    const naive = this.#naive.get(name)!;
    const isNew = !naive.live.has(IMAGE);
    if (!isNew && this.#random(5) === 0) naive.place = this.#random(IMAGE_BLOCKS);
    const runs = naive.isInOrder ? 8 : 700;
    for (let i = isNew ? IMAGE_BLOCKS / RUN_BLOCKS : this.#random(runs); i >= 0; i--) {
      const count = isNew ? RUN_BLOCKS : 1 + (naive.isInOrder ? this.#random(RUN_BLOCKS) : 0);
      const units = { at: naive.place * UNITS_PER_BLOCK, count: count * UNITS_PER_BLOCK, byte: this.#nextByte() };
      fillUnits(filesystem, naive.live, IMAGE, units);
      naive.place = (naive.place + count + (isNew || naive.isInOrder ? 0 : 1)) % IMAGE_BLOCKS;
    }
  }

  #nextByte(): number {
    return (this.#byte = 1 + (this.#byte % 255));
  }

  #nextName(): string {
    return `n${this.#serial++}`;
  }

  #pickSnapshot(volume: Volume): Snapshot | undefined {
    const all = volume.snapshots();
    // The last one more often: it is next to what changes.
    return this.#random(3) === 0 ? all.at(-1) : all[this.#random(Math.max(1, all.length))];
  }

  #snapshot(volumes: Volumes, volume: Volume): string {
    const { live, snapshots } = this.#naive.get(volume.name)!;
    const name = this.#nextName();
    volumes.createSnapshot(volume, { name });
    snapshots.set(name, new Map(live));
    return `snapshot ${volume.name}@${name}`;
  }

  /** A volume and its clone go on from a version that has no name any more, or soon has none: what both drop is hoisted. */
  #branch(volumes: Volumes, volume: Volume): string | undefined {
    if (this.#naive.size === this.#habits.volumesMax) return undefined;
    const name = this.#nextName();
    const snapshot = volumes.createSnapshot(volume, { name });
    this.#naive.get(volume.name)!.snapshots.set(name, new Map(this.#naive.get(volume.name)!.live));
    const cloned = this.#clone(volumes, volume, snapshot);
    if (this.#random(2) === 0) return cloned;
    volumes.deleteSnapshot(volume, snapshot);
    this.#naive.get(volume.name)!.snapshots.delete(name);
    return `${cloned!}, delete ${volume.name}@${name}`;
  }

  #clone(volumes: Volumes, volume: Volume, snapshot = this.#pickSnapshot(volume)): string | undefined {
    if (snapshot === undefined || this.#naive.size === this.#habits.volumesMax) return undefined;
    const { snapshots, place } = this.#naive.get(volume.name)!;
    const name = this.#nextName();
    volumes.clone(volume, snapshot, name);
    const live = new Map(snapshots.get(snapshot.label.name));
    this.#naive.set(name, { live, snapshots: new Map(), place, isInOrder: this.#random(2) === 0 });
    return `clone ${volume.name}@${snapshot.label.name} ${name}`;
  }

  #restore(volumes: Volumes, volume: Volume): string | undefined {
    const snapshot = this.#pickSnapshot(volume);
    if (snapshot === undefined) return undefined;
    const naive = this.#naive.get(volume.name)!;
    const keep = this.#random(2) === 0 ? { name: this.#nextName() } : undefined;
    volumes.restore(volume, snapshot, keep);
    if (keep !== undefined) naive.snapshots.set(keep.name, naive.live);
    naive.live = new Map(naive.snapshots.get(snapshot.label.name));
    return `restore ${volume.name}@${snapshot.label.name}${keep === undefined ? '' : ` keep ${keep.name}`}`;
  }

  #deleteSnapshots(volumes: Volumes, volume: Volume): string | undefined {
    const gone: string[] = [];
    for (let i = this.#random(3); i >= 0; i--) {
      const snapshot = this.#pickSnapshot(volume);
      if (snapshot === undefined) break;
      volumes.deleteSnapshot(volume, snapshot);
      this.#naive.get(volume.name)!.snapshots.delete(snapshot.label.name);
      gone.push(`delete ${volume.name}@${snapshot.label.name}`);
    }
    return gone.length === 0 ? undefined : gone.join(', ');
  }

  #deleteVolume(volumes: Volumes, volume: Volume): string | undefined {
    if (this.#naive.size === 1) return undefined;
    volumes.deleteVolume(volume);
    this.#naive.delete(volume.name);
    return `delete ${volume.name}`;
  }

  #renameSnapshot(volumes: Volumes, volume: Volume): string | undefined {
    const snapshot = this.#pickSnapshot(volume);
    if (snapshot === undefined) return undefined;
    const { snapshots } = this.#naive.get(volume.name)!;
    const { name } = snapshot.label;
    const to = this.#nextName();
    volumes.renameSnapshot(volume, snapshot, to);
    snapshots.set(to, snapshots.get(name)!);
    snapshots.delete(name);
    return `rename ${volume.name}@${name} ${to}`;
  }
}

function volumeDifferences(volume: Volume, { live, snapshots }: FilledVolume): string[] {
  const found = fileDifferences(volume.filesystem, live).map((what) => `${volume.name}: ${what}`);
  for (const { label, filesystem } of volume.snapshots()) {
    const title = `${volume.name}@${label.name}`;
    const files = snapshots.get(label.name);
    if (files === undefined) found.push(`snapshot ${title} should not be there`);
    else found.push(...fileDifferences(filesystem, files).map((what) => `${title}: ${what}`));
  }
  const names = new Set(volume.snapshots().map(({ label }) => label.name));
  for (const name of snapshots.keys()) if (!names.has(name)) found.push(`snapshot ${volume.name}@${name} is missing`);
  return found;
}
