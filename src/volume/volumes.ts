// The volumes of an open store, and what is done to them as a whole: snapshots, clones, deletion. Each of these changes memory in
// one synchronous stretch; callers await `flush` before they say that it happened.

import { randomBytes } from 'node:crypto';
import { CorruptionError } from '../errors/index.ts';
import type { SnapshotLabel } from '../format/index.ts';
import { Committer, type OpenStore, damagedStore } from '../store/index.ts';
import { Forest, rehearseDelete } from '../tree/index.ts';
import { get32 } from '../util/index.ts';
import { Background } from './background.ts';
import type { Filesystem } from './filesystem.ts';
import { failureAfter, hideHalfChanged } from './half-changed.ts';
import { assertUnheld } from './holds.ts';
import { loadVolumes } from './load-volumes.ts';
import { checkSnapshotName } from './names.ts';
import { orphansOf } from './orphans.ts';
import { Recorder } from './recorder.ts';
import { recover, tryRecover } from './recovery.ts';
import { type SnapshotRequest, labelFor } from './snapshot-label.ts';
import { orphansToStartWith } from './starting-point.ts';
import type { StructuralChange } from './structural-change.ts';
import { VolumeRecords } from './volume-records.ts';
import { VolumeSet } from './volume-set.ts';
import type { Snapshot, Volume } from './volume.ts';
import { LIMITS, type VolumesOptions, withDefaults } from './volumes-options.ts';

/** The volume that every store has from its beginning. */
export const DEFAULT_VOLUME = 'main';

export class Volumes {
  readonly #store: OpenStore;
  readonly #forest: Forest;
  readonly #committer: Committer;
  /** What gives space back. */
  readonly background: Background;
  readonly #recorder: Recorder;
  readonly #options: Required<VolumesOptions>;
  readonly #set: VolumeSet;
  readonly #records = new VolumeRecords();

  private constructor(store: OpenStore, forest: Forest, options: Required<VolumesOptions>) {
    this.#store = store;
    this.#forest = forest;
    this.#options = options;
    this.#recorder = new Recorder(store.journal);
    const context = {
      blocks: store.blocks,
      allocator: store.allocator,
      recorder: this.#recorder,
      clock: options.clock,
      hashSeed: forest.hashSeed,
      changing: () => {
        this.#changing();
      },
    };
    this.#set = new VolumeSet(forest, context, this.#records, {
      uid: options.uid,
      gid: options.gid,
      nameless: (version) => {
        if (store.journal.isOpen) this.background.reclaim(version);
      },
    });
    const noteDamage = (error: unknown, changing: boolean): void => {
      this.noteDamage(error, changing);
    };
    this.background = new Background(forest, () => this.#committer, noteDamage, options.log);
    // The journal first: what it still has to write belongs to the commit. Blocks before the bitmaps that say which are in use.
    const participants = [this.#recorder, forest, this.#records, store.blocks, store.allocator, this.background];
    this.#committer = new Committer(store.kv, store.blocks, participants, {
      intervalMs: options.commitIntervalMs,
      log: options.log,
      clock: options.clock,
    });
  }

  /**
   * Reads the volumes of an open store, and goes on with what a crash interrupted. A new one gets its volume `main`. Of a damaged one they are only
   * read, also where the damage shows on the way. Throws StoreError where the host fails, CorruptionError where nothing can be shown.
   */
  static async open(store: OpenStore, options: VolumesOptions = {}): Promise<Volumes> {
    const all = withDefaults(options);
    const { damage } = store.kv;
    if (damage !== undefined) return Volumes.#openDamaged(store, all, damage).catch(notEvenReadable);
    try {
      const volumes = await Volumes.#loaded(store, all);
      await volumes.#begin();
      return volumes;
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      return Volumes.open(await damagedStore(store, error), options);
    }
  }

  static async #openDamaged(store: OpenStore, options: Required<VolumesOptions>, damage: Error): Promise<Volumes> {
    const load = async (from: OpenStore): Promise<Volumes> => {
      const volumes = await Volumes.#loaded(from, options);
      volumes.#committer.poison(damage);
      return volumes;
    };
    const volumes = await load(store);
    if (tryRecover(store, volumes.#set, options.log)) return volumes;
    return load({ ...store, ...(await store.loadBlocks(store.kv)) });
  }

  static async #loaded(store: OpenStore, options: Required<VolumesOptions>): Promise<Volumes> {
    const hashSeed = get32(randomBytes(4), 0);
    const forest = await Forest.load(store.kv, store.allocator, { cacheBytes: options.cacheBytes, hashSeed });
    const volumes = new Volumes(store, forest, options);
    await loadVolumes(store.kv, forest, volumes.#set, volumes.#records, options.log);
    return volumes;
  }

  /**
   * Does again what a crash left in the journal, commits it, starts recording, and takes up what was left undone. All that damage could end is
   * read before anything is written or goes on in the background.
   */
  async #begin(): Promise<void> {
    const redone = recover(this.#store, this.#set, this.#options.log);
    const isNew = this.#set.names.size === 0;
    const leftovers = this.list().map(({ filesystem: fs }) => ({ fs, inos: orphansOf(fs) }));
    try {
      if (redone > 0) {
        this.#options.log.info(`${redone} operations of before a crash were done again`);
        this.#committer.markDirty();
      }
      if (isNew) this.createVolume(DEFAULT_VOLUME);
      if (isNew || redone > 0) await this.commit();
      this.#store.journal.begin();
    } catch (error) {
      // Nothing may come after: the store is closed now, or opened anew to be read.
      this.#committer.poison(error);
      throw error;
    }
    this.#store.recovered();
    this.background.resume(leftovers);
  }

  #changing(): void {
    this.#committer.assertWritable();
    const { journal, blocks } = this.#store;
    if (journal.isOpen) journal.reserve();
    this.#committer.markDirty(LIMITS.changeBytes);
    const full = journal.bytes > LIMITS.journalBytes || blocks.keptBytes > LIMITS.dirtyBytes;
    if (full || this.#forest.nodes.dirtyBytes > LIMITS.dirtyBytes) this.#committer.commit().catch(() => undefined);
  }

  /** Whether so much waits to be written that no further requests should be taken in until a commit ends. */
  get overloaded(): boolean {
    const { journal, blocks } = this.#store;
    const bytes = Math.max(this.#forest.nodes.dirtyBytes, blocks.keptBytes, journal.bytes);
    return bytes > 4 * LIMITS.dirtyBytes;
  }

  /** The time by the clock of the store, in milliseconds since 1970. */
  get nowMs(): number {
    return this.#options.clock.nowMs();
  }

  /** All volumes, by name. */
  list(): Volume[] {
    return [...this.#set.names.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The volume `name`. Throws ENOENT where there is none. */
  get(name: string): Volume {
    return this.#set.names.get(name);
  }

  /** The filesystem that nodeids with `tag` belong to; undefined once it was deleted. */
  byTag(tag: number): Filesystem | undefined {
    return this.#set.byTag(tag);
  }

  /** Makes an empty volume. Throws EEXIST, EINVAL. */
  createVolume(name: string): Volume {
    this.#set.names.assertFree(name);
    this.#perform({ do: 'create-volume', name, nowMs: this.nowMs });
    return this.get(name);
  }

  /** Records the change, then does it. Whether it can be done was looked at before. */
  #perform(change: StructuralChange): void {
    this.#changing();
    try {
      this.#recorder.structure(change);
      this.#set.apply(change);
    } catch (error) {
      this.noteDamage(error, true);
      throw error;
    }
  }

  /** Freezes the volume as it is at this moment under a name. Throws EEXIST, EINVAL, ENAMETOOLONG. */
  createSnapshot(volume: Volume, request: SnapshotRequest): Snapshot {
    const { nowMs } = this;
    const label = labelFor(volume, request, nowMs);
    this.#perform({ do: 'create-snapshot', volume: volume.name, label, nowMs });
    return volume.snapshot(label.name);
  }

  /** Takes the snapshot's name away at once; its space comes back in the background. Throws EBUSY where it is held. */
  deleteSnapshot(volume: Volume, snapshot: Snapshot): void {
    const { nowMs } = this;
    assertUnheld(volume, snapshot, nowMs);
    this.#perform({ do: 'delete-snapshot', volume: volume.name, snapshot: snapshot.label.name, nowMs });
  }

  /**
   * Gives the snapshot another name, and another access point: by default the name where it was the name. Throws EEXIST, EINVAL,
   * ENAMETOOLONG.
   */
  renameSnapshot(volume: Volume, snapshot: Snapshot, name: string, accessPoint?: string): void {
    const { label } = snapshot;
    const place = accessPoint ?? (label.accessPoint === label.name ? name : label.accessPoint);
    checkSnapshotName(name);
    checkSnapshotName(place);
    volume.assertFree(name, place, snapshot);
    this.relabel(volume, snapshot, { ...label, name, accessPoint: place });
  }

  /** Replaces what is said of a snapshot; name and access point must be free. */
  relabel(volume: Volume, snapshot: Snapshot, label: SnapshotLabel): void {
    const { name } = snapshot.label;
    this.#perform({ do: 'relabel-snapshot', volume: volume.name, snapshot: name, label, nowMs: this.nowMs });
  }

  /** Sets the volume's properties to exactly these. */
  setProperties(volume: Volume, properties: Readonly<Record<string, string>>): void {
    this.#perform({ do: 'set-properties', volume: volume.name, properties });
  }

  /**
   * Makes the volume show what the snapshot shows; newer snapshots stay. What it held is kept as a snapshot under `preserve`, or, where that
   * is undefined, given up. With `properties` the volume gets those that it had when the snapshot was made. Handles into what it held are stale
   * afterwards. Gives the snapshot that was kept. Throws EEXIST, EINVAL; CorruptionError where the snapshot can't be read: nothing is changed then.
   */
  restore(
    volume: Volume,
    snapshot: Snapshot,
    preserve: SnapshotRequest | undefined,
    { properties = false } = {},
  ): Snapshot | undefined {
    const { nowMs } = this;
    const label = preserve === undefined ? undefined : labelFor(volume, preserve, nowMs);
    const inos = orphansToStartWith(volume, snapshot);
    this.#perform({
      do: 'restore',
      volume: volume.name,
      snapshot: snapshot.label.name,
      preserve: label,
      properties: properties ? (snapshot.label.properties ?? {}) : undefined,
      nowMs,
    });
    this.background.sweep({ fs: volume.filesystem, inos });
    return label === undefined ? undefined : volume.snapshot(label.name);
  }

  /** A new volume that starts as the snapshot and goes its own way. Throws EEXIST, EINVAL; CorruptionError as {@link restore} does. */
  clone(origin: Volume, snapshot: Snapshot, name: string): Volume {
    this.#set.names.assertFree(name);
    const inos = orphansToStartWith(origin, snapshot);
    this.#perform({ do: 'clone', volume: origin.name, snapshot: snapshot.label.name, name, nowMs: this.nowMs });
    const clone = this.get(name);
    this.background.sweep({ fs: clone.filesystem, inos });
    return clone;
  }

  /**
   * Gives the volume another name, also in what its clones say of their origin. `isShown`: whether a mount still shows the old name, which
   * no other volume gets then. Throws EEXIST, EINVAL.
   */
  renameVolume(volume: Volume, name: string, isShown: () => boolean): void {
    this.#set.names.assertFree(name, volume);
    const old = volume.name;
    this.#perform({ do: 'rename-volume', volume: old, name });
    this.#set.names.keepFormer(old, volume, isShown);
  }

  /** Deletes a volume, which must not be mounted, with all its snapshots; clones of them stay. Throws EBUSY where one of them is held. */
  deleteVolume(volume: Volume): void {
    for (const snapshot of volume.snapshots()) assertUnheld(volume, snapshot, this.nowMs);
    this.#perform({ do: 'delete-volume', volume: volume.name });
  }

  /** Destroys the orphan `ino` now or, if it is large or the host full, in the background. Throws EROFS, and CorruptionError, which it notes. */
  destroyOrphan(fs: Filesystem, ino: number): void {
    try {
      this.background.destroy(fs, ino);
    } catch (error) {
      this.noteDamage(error, true);
      throw error;
    }
  }

  /** Versions whose space is still to be freed. */
  get reclaiming(): number {
    return this.background.reclaiming;
  }

  /** Space of the data file in blocks of 4 KiB: in use, and waiting for a commit to be free. */
  get allocatedBlocks(): number {
    return this.#store.allocator.allocatedBlocks;
  }

  /** Why the store takes no more changes until it is opened again, if so. What was promised is safe, and can be read. */
  get failure(): Error | undefined {
    return this.#committer.poisoned;
  }

  get store(): OpenStore {
    return this.#store;
  }

  get forest(): Forest {
    return this.#forest;
  }

  /** Everything done so far survives the end of this process, and damage. To be called before anything is waited for. Throws StoreError. */
  record(): void {
    try {
      this.#recorder.seal();
    } catch (error) {
      // Memory is ahead of the journal now: what follows could not be done again.
      throw this.#committer.poison(error);
    }
  }

  /**
   * To be told of what operations throw. After damage, or what nobody foresaw, nothing of what an operation began, and nothing that would come
   * after it, becomes durable; nor is it shown, if it was `changing` more than times of access. What was acknowledged stays.
   */
  noteDamage(error: unknown, changing = false): void {
    const failure = failureAfter(error, changing && this.#recorder.hasChanged);
    if (failure === undefined || this.#committer.poisoned !== undefined) return;
    const changed = this.#recorder.discard();
    if (changing) hideHalfChanged(this.list(), changed, this.#options.log);
    this.#committer.poison(failure);
  }

  /**
   * Everything done so far is on stable storage when this resolves. Rejects with StoreError when the host fails, and for ever from then on:
   * the store takes no more changes.
   */
  async flush(): Promise<void> {
    // Nothing was ever changed.
    if (this.#store.kv.damage !== undefined) return;
    this.record();
    if (this.#committer.poisoned !== undefined) throw this.#committer.poisoned;
    try {
      await this.#store.journal.flush(() => this.#store.blocks.syncWritten());
    } catch (error) {
      // What the host lost of the journal can't be made good by what follows in it.
      throw this.#committer.poison(error);
    }
  }

  /** As {@link flush}, at once, if the disk is quick; whether it did. Throws StoreError like that. */
  flushNow(): boolean {
    if (this.#store.kv.damage !== undefined) return true;
    this.record();
    if (this.#committer.poisoned !== undefined) throw this.#committer.poisoned;
    try {
      return this.#store.journal.flushNow(this.#store.blocks);
    } catch (error) {
      throw this.#committer.poison(error);
    }
  }

  /** Everything done so far is in the trees on stable storage when this resolves. */
  commit(): Promise<void> {
    return this.#committer.commit();
  }

  /** Blocks of 4 KiB that deleting these snapshots together would free, exactly, as of the moment it is asked. */
  async rehearseDelete(snapshots: readonly Snapshot[]): Promise<number> {
    await this.commit();
    const versions = snapshots.map((snapshot) => snapshot.version);
    return rehearseDelete(this.#forest, versions);
  }

  /** Resolves when nothing is left to reclaim. */
  reclaimed(): Promise<void> {
    return this.background.idle();
  }

  /** Commits what is left and lets go of the store, which is then to be closed. */
  async close(): Promise<void> {
    await this.background.stop();
    if (this.#store.kv.damage !== undefined) return;
    await this.#committer.close();
    this.#store.journal.end();
  }
}

function notEvenReadable(error: unknown): never {
  if (!(error instanceof CorruptionError)) throw error;
  const remedy = 'nothing can be shown without that; restore the store from a backup';
  throw new CorruptionError(error.record, `${error.why}; ${remedy}`, { cause: error });
}
