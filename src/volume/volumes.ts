// The volumes of an open store, and what is done to them as a whole: snapshots, clones, deletion. Each of these changes memory in
// one synchronous stretch and is durable with the next commit; callers await `commit` before they say that it happened.

import { randomBytes } from 'node:crypto';
import { SPACE, type SnapshotLabel, createInode, decodeVolume, nameOfVolumeKey } from '../format/index.ts';
import { Committer, type OpenStore } from '../store/index.ts';
import { Forest, type Head, Reclaimer, type Version, eachRecord, rehearseDelete } from '../tree/index.ts';
import { type Clock, type Log, get32, noLog, systemClock } from '../util/index.ts';
import { FIRST_INO, Filesystem, type FilesystemContext, ROOT_INO } from './filesystem.ts';
import { identifyOrigins, renameOrigins } from './clone-origins.ts';
import { assertUnheld } from './holds.ts';
import { insertInode, setTime } from './inodes.ts';
import { checkSnapshotName } from './names.ts';
import type { OpenRecord } from './open-record.ts';
import { OrphanReaper } from './orphan-reaper.ts';
import { type SnapshotRequest, labelFor } from './snapshot-label.ts';
import { VolumeNames } from './volume-names.ts';
import { VolumeRecords } from './volume-records.ts';
import { type Snapshot, Volume } from './volume.ts';

/** The volume that every store has from its beginning. */
export const DEFAULT_VOLUME = 'main';

export interface VolumesOptions {
  /** Memory for tree nodes. */
  cacheBytes?: number;
  /** Changes are committed within this time. */
  commitIntervalMs?: number;
  clock?: Clock;
  log?: Log;
  /** The owner of the root directory of a new volume. */
  uid?: number;
  gid?: number;
}

const CACHE_BYTES = 96 * 1024 * 1024;
/** What a change costs in memory until it is committed, on average over many: changes share nodes. */
const CHANGE_BYTES = 512;
/** With so much waiting in memory a commit starts at once. */
const DIRTY_BYTES_MAX = 32 * 1024 * 1024;

export class Volumes {
  readonly #store: OpenStore;
  readonly #forest: Forest;
  readonly #committer: Committer;
  readonly #reclaimer: Reclaimer;
  readonly #reaper: OrphanReaper;
  readonly #context: FilesystemContext;
  readonly #options: Required<VolumesOptions>;
  readonly #volumes = new VolumeNames();
  readonly #byTag = new Map<number, Filesystem>();
  readonly #records = new VolumeRecords();

  private constructor(store: OpenStore, forest: Forest, options: Required<VolumesOptions>) {
    this.#store = store;
    this.#forest = forest;
    this.#options = options;
    this.#committer = new Committer(store.kv, store.blocks, [forest, this.#records, store.allocator], {
      intervalMs: options.commitIntervalMs,
      log: options.log,
      clock: options.clock,
    });
    this.#context = {
      blocks: store.blocks,
      allocator: store.allocator,
      clock: options.clock,
      hashSeed: forest.hashSeed,
      changing: () => {
        this.#changing();
      },
    };
    this.#reclaimer = new Reclaimer(forest, {
      commit: () => this.#committer.commit(),
      markDirty: () => {
        this.#committer.markDirty();
      },
      breathe: nextTurn,
      failed: (error) => {
        options.log.error(`space can't be reclaimed: ${error instanceof Error ? error.message : String(error)}`);
      },
    });
    this.#reaper = new OrphanReaper(nextTurn, options.log);
  }

  /** Reads the volumes of an open store, and goes on with what a crash interrupted. A new store gets its volume `main`. */
  static async open(store: OpenStore, options: VolumesOptions = {}): Promise<Volumes> {
    const all: Required<VolumesOptions> = {
      cacheBytes: CACHE_BYTES,
      commitIntervalMs: 2000,
      clock: systemClock,
      log: noLog,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      ...options,
    };
    const hashSeed = get32(randomBytes(4), 0);
    const forest = await Forest.load(store.kv, store.allocator, { cacheBytes: all.cacheBytes, hashSeed });
    const volumes = new Volumes(store, forest, all);
    await volumes.#load();
    if (volumes.#volumes.size === 0) {
      volumes.createVolume(DEFAULT_VOLUME);
      await volumes.commit();
    }
    volumes.#reclaimer.resume();
    for (const volume of volumes.list()) volumes.#reaper.sweep(volume.filesystem);
    return volumes;
  }

  async #load(): Promise<void> {
    const byId = new Map<number, Volume>();
    await eachRecord(this.#store.kv, SPACE.volume, (key, value) => {
      const name = nameOfVolumeKey(key);
      const record = this.#records.load(name, decodeVolume(value, `volume ${name}`));
      const head = this.#forest.head(this.#forest.versions.get(record.head));
      byId.set(record.id, this.#attach(record, head));
    });
    identifyOrigins(this.#volumes);
    const labelled = [...this.#forest.versions.all()].filter((version) => version.label !== undefined);
    // Version ids grow with time, whatever the clock did.
    labelled.sort((a, b) => a.id - b.id);
    for (const version of labelled) byId.get(version.volume)?.add(this.#snapshotOf(version));
  }

  #attach(record: OpenRecord, head: Head): Volume {
    const filesystem = new Filesystem(this.#context, this.#forest.liveTree(head), head, record);
    const volume = new Volume(record, head, filesystem);
    this.#volumes.add(volume);
    this.#byTag.set(head.version.tag, filesystem);
    return volume;
  }

  #snapshotOf(version: Version): Snapshot {
    const filesystem = new Filesystem(this.#context, this.#forest.frozenTree(version));
    this.#byTag.set(version.tag, filesystem);
    return { version, label: version.label!, filesystem };
  }

  #changing(): void {
    this.#committer.assertWritable();
    const { dirtyBytes } = this.#forest.nodes;
    this.#committer.markDirty(CHANGE_BYTES);
    if (dirtyBytes > DIRTY_BYTES_MAX) this.#committer.commit().catch(() => undefined);
  }

  /** Whether so much waits to be written that no further requests should be taken in until a commit ends. */
  get overloaded(): boolean {
    return this.#forest.nodes.dirtyBytes > 4 * DIRTY_BYTES_MAX;
  }

  /** The time by the clock of the store, in milliseconds since 1970. */
  get nowMs(): number {
    return this.#options.clock.nowMs();
  }

  /** All volumes, by name. */
  list(): Volume[] {
    return [...this.#volumes.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The volume `name`. Throws ENOENT where there is none. */
  get(name: string): Volume {
    return this.#volumes.get(name);
  }

  /** The filesystem that nodeids with `tag` belong to; undefined once it was deleted. */
  byTag(tag: number): Filesystem | undefined {
    return this.#byTag.get(tag);
  }

  /** Makes an empty volume. Throws EEXIST, EINVAL. */
  createVolume(name: string): Volume {
    this.#volumes.assertFree(name);
    const nowMs = this.#options.clock.nowMs();
    const id = this.#forest.takeVolumeId();
    const head = this.#forest.plant(id, nowMs);
    const record = this.#records.create(name, {
      id,
      head: head.id,
      nextIno: FIRST_INO,
      createdMs: nowMs,
      snapshotsChangedMs: nowMs,
      properties: {},
    });
    const volume = this.#attach(record, head);
    this.#insertRoot(volume.filesystem);
    this.#changing();
    return volume;
  }

  #insertRoot(fs: Filesystem): void {
    const root = createInode();
    const { uid, gid, clock } = this.#options;
    Object.assign(root, { ino: ROOT_INO, mode: 0o40755, nlink: 2, uid, gid, parent: ROOT_INO });
    clock.now(root.mtime);
    for (const time of [root.atime, root.ctime, root.btime]) setTime(time, root.mtime);
    insertInode(fs, root);
  }

  /** Freezes the volume as it is at this moment under a name. Throws EEXIST, EINVAL, ENAMETOOLONG. */
  createSnapshot(volume: Volume, request: SnapshotRequest): Snapshot {
    const nowMs = this.#options.clock.nowMs();
    const label = labelFor(volume, request, nowMs);
    this.#changing();
    const frozen = this.#moveHead(volume, nowMs, (head) => this.#forest.freeze(head, label, nowMs));
    const snapshot = this.#snapshotOf(frozen);
    volume.add(snapshot);
    return snapshot;
  }

  /** The only way in which a volume gets another head: `move` freezes the one that it has, and its snapshots change. */
  #moveHead(volume: Volume, nowMs: number, move: (head: Head) => Version): Version {
    const frozen = move(volume.head);
    volume.record.head = volume.head.id;
    volume.record.snapshotsChangedMs = nowMs;
    return frozen;
  }

  /** Takes the snapshot's name away at once; its space comes back in the background. Throws EBUSY where it is held. */
  deleteSnapshot(volume: Volume, snapshot: Snapshot): void {
    assertUnheld(volume, snapshot, this.nowMs);
    this.#changing();
    volume.remove(snapshot);
    volume.record.snapshotsChangedMs = this.#options.clock.nowMs();
    this.#unname(snapshot);
  }

  #unname(snapshot: Snapshot): void {
    const { version } = snapshot;
    snapshot.filesystem.alive = false;
    this.#byTag.delete(version.tag);
    version.label = undefined;
    this.#forest.versions.touch(version);
    this.#reclaimer.enqueue(version);
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
    volume.record.snapshotsChangedMs = this.nowMs;
  }

  /** Replaces what is said of a snapshot; name and access point must be free. */
  relabel(volume: Volume, snapshot: Snapshot, label: SnapshotLabel): void {
    this.#changing();
    volume.remove(snapshot);
    snapshot.label = label;
    snapshot.version.label = label;
    this.#forest.versions.touch(snapshot.version);
    volume.add(snapshot);
  }

  /**
   * Makes the volume show what the snapshot shows; newer snapshots stay. What it held is kept as a snapshot under `preserve`, or, where that
   * is undefined, given up. Handles into what it held are stale afterwards. Gives the snapshot that was kept. Throws EEXIST, EINVAL.
   */
  restore(volume: Volume, snapshot: Snapshot, preserve: SnapshotRequest | undefined): Snapshot | undefined {
    const nowMs = this.#options.clock.nowMs();
    const label = preserve === undefined ? undefined : labelFor(volume, preserve, nowMs);
    this.#changing();
    this.#byTag.delete(volume.head.version.tag);
    const frozen = this.#moveHead(volume, nowMs, (head) => this.#forest.restore(head, snapshot.version, label, nowMs));
    this.#byTag.set(volume.head.version.tag, volume.filesystem);
    this.#reaper.sweep(volume.filesystem);
    if (label === undefined) {
      this.#reclaimer.enqueue(frozen);
      return undefined;
    }
    const kept = this.#snapshotOf(frozen);
    volume.add(kept);
    return kept;
  }

  /** A new volume that starts as the snapshot and goes its own way. Throws EEXIST, EINVAL. */
  clone(origin: Volume, snapshot: Snapshot, name: string): Volume {
    this.#volumes.assertFree(name);
    this.#changing();
    const nowMs = this.#options.clock.nowMs();
    const id = this.#forest.takeVolumeId();
    const head = this.#forest.fork(snapshot.version, id, nowMs);
    const record = this.#records.create(name, {
      id,
      head: head.id,
      nextIno: origin.record.nextIno,
      createdMs: nowMs,
      origin: { id: origin.record.id, volume: origin.name, snapshot: snapshot.label.name },
      snapshotsChangedMs: nowMs,
      properties: {},
    });
    const volume = this.#attach(record, head);
    this.#reaper.sweep(volume.filesystem);
    return volume;
  }

  /**
   * Gives the volume another name, also in what its clones say of their origin. `isShown`: whether a mount still shows the old name, which
   * no other volume gets then. Throws EEXIST, EINVAL.
   */
  renameVolume(volume: Volume, name: string, isShown: () => boolean): void {
    this.#volumes.assertFree(name, volume);
    this.#changing();
    this.#volumes.rename(volume, name, isShown);
    renameOrigins(this.#volumes, volume);
  }

  /** Deletes a volume, which must not be mounted, with all its snapshots; clones of them stay. Throws EBUSY where one of them is held. */
  deleteVolume(volume: Volume): void {
    for (const snapshot of volume.snapshots()) assertUnheld(volume, snapshot, this.nowMs);
    this.#changing();
    volume.filesystem.alive = false;
    for (const snapshot of volume.snapshots()) {
      volume.remove(snapshot);
      this.#unname(snapshot);
    }
    this.#byTag.delete(volume.head.version.tag);
    this.#volumes.remove(volume);
    this.#records.remove(volume.record);
    this.#reclaimer.enqueue(this.#forest.retire(volume.head));
  }

  /** Destroys the orphan `ino` now or, if it is large, in the background. */
  destroyOrphan(fs: Filesystem, ino: number): void {
    this.#reaper.destroy(fs, ino);
  }

  /** Versions whose space is still to be freed. */
  get reclaiming(): number {
    return this.#reclaimer.pending;
  }

  /** Space of the data file in blocks of 4 KiB: in use, and waiting for a commit to be free. */
  get allocatedBlocks(): number {
    return this.#store.allocator.allocatedBlocks;
  }

  get store(): OpenStore {
    return this.#store;
  }

  get forest(): Forest {
    return this.#forest;
  }

  /** Everything done so far is durable when this resolves. */
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
  async reclaimed(): Promise<void> {
    await this.#reaper.idle();
    this.#reclaimer.revisit();
    await this.#reclaimer.idle();
  }

  /** Commits what is left and lets go of the store, which is then to be closed. */
  async close(): Promise<void> {
    await this.#reaper.stop();
    await this.#reclaimer.stop();
    await this.#committer.close();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
