// The volumes of a store in memory, and the changes to volumes and snapshots as a whole. A change is told in full (StructuralChange) and
// is applied in one synchronous stretch; the same code applies it when it is asked for and when it is done again after a crash.

import { CorruptionError } from '../errors/index.ts';
import { type SnapshotLabel, createInode } from '../format/index.ts';
import type { Forest, Head, Version } from '../tree/index.ts';
import { renameOrigins } from './clone-origins.ts';
import { FIRST_INO, Filesystem, type FilesystemContext, ROOT_INO } from './filesystem.ts';
import { insertInode, setTime } from './inodes.ts';
import type { OpenRecord } from './open-record.ts';
import type { StructuralChange } from './structural-change.ts';
import { VolumeNames } from './volume-names.ts';
import type { VolumeRecords } from './volume-records.ts';
import { type Snapshot, Volume } from './volume.ts';

/** What happens beside a structural change. */
export interface VolumeSetHost {
  /** The owner of the root directory of a new volume. */
  readonly uid: number;
  readonly gid: number;
  /** The frozen version has no name (any more): its space can be taken back. */
  nameless(version: Version): void;
}

export class VolumeSet {
  readonly #forest: Forest;
  readonly #context: FilesystemContext;
  readonly #host: VolumeSetHost;
  readonly names = new VolumeNames();
  readonly #records: VolumeRecords;
  readonly #byId = new Map<number, Volume>();
  readonly #byTag = new Map<number, Filesystem>();

  constructor(forest: Forest, context: FilesystemContext, records: VolumeRecords, host: VolumeSetHost) {
    this.#forest = forest;
    this.#context = context;
    this.#records = records;
    this.#host = host;
  }

  /** The volume with this id. Throws CorruptionError where there is none: ids come from records only. */
  volumeById(id: number): Volume {
    const volume = this.#byId.get(id);
    if (volume === undefined) throw new CorruptionError(`volume ${id}`, 'it is referred to, but not there');
    return volume;
  }

  /** The filesystem that nodeids with `tag` belong to; undefined once it was deleted. */
  byTag(tag: number): Filesystem | undefined {
    return this.#byTag.get(tag);
  }

  /** A volume joins, with the head that it has. */
  attach(record: OpenRecord, head: Head): Volume {
    const { recorder } = this.#context;
    const filesystem = new Filesystem(this.#context, this.#forest.liveTree(head, recorder), head, record);
    const volume = new Volume(record, head, filesystem);
    this.names.add(volume);
    this.#byId.set(record.id, volume);
    this.#byTag.set(head.version.tag, filesystem);
    return volume;
  }

  /** The frozen version becomes one of the snapshots of its volume. */
  attachSnapshot(version: Version, label: SnapshotLabel): void {
    const filesystem = new Filesystem(this.#context, this.#forest.frozenTree(version));
    this.#byTag.set(version.tag, filesystem);
    this.volumeById(version.volume).add({ version, label, filesystem });
  }

  /**
   * Does what `change` says. Everything that could forbid it was looked at before; so it reads no tree, where damage could end it halfway.
   */
  apply(change: StructuralChange): void {
    switch (change.do) {
      case 'create-volume':
        this.#createVolume(change.name, change.nowMs);
        break;
      case 'delete-volume':
        this.#deleteVolume(this.names.get(change.volume));
        break;
      case 'rename-volume':
        this.#renameVolume(this.names.get(change.volume), change.name);
        break;
      case 'set-properties':
        this.names.get(change.volume).record.properties = change.properties;
        break;
      case 'create-snapshot':
        this.#createSnapshot(this.names.get(change.volume), change.label, change.nowMs);
        break;
      case 'delete-snapshot':
        this.#deleteSnapshot(this.names.get(change.volume), change.snapshot, change.nowMs);
        break;
      case 'relabel-snapshot':
        this.#relabel(this.names.get(change.volume), change.snapshot, change.label, change.nowMs);
        break;
      case 'restore':
        this.#restore(this.names.get(change.volume), change);
        break;
      case 'clone':
        this.#clone(this.names.get(change.volume), change.snapshot, change.name, change.nowMs);
        break;
    }
  }

  #createVolume(name: string, nowMs: number): void {
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
    this.#insertRoot(this.attach(record, head).filesystem);
  }

  #insertRoot(fs: Filesystem): void {
    const root = createInode();
    const { uid, gid } = this.#host;
    Object.assign(root, { ino: ROOT_INO, mode: 0o40755, nlink: 2, uid, gid, parent: ROOT_INO });
    this.#context.clock.now(root.mtime);
    for (const time of [root.atime, root.ctime, root.btime]) setTime(time, root.mtime);
    insertInode(fs, root);
  }

  #deleteVolume(volume: Volume): void {
    volume.filesystem.alive = false;
    for (const snapshot of volume.snapshots()) {
      volume.remove(snapshot);
      this.#unname(snapshot);
    }
    this.#byTag.delete(volume.head.version.tag);
    this.names.remove(volume);
    this.#byId.delete(volume.record.id);
    this.#records.remove(volume.record);
    this.#host.nameless(this.#forest.retire(volume.head));
  }

  #renameVolume(volume: Volume, name: string): void {
    this.names.rename(volume, name);
    renameOrigins(this.names, volume);
  }

  #createSnapshot(volume: Volume, label: SnapshotLabel, nowMs: number): void {
    const frozen = this.#moveHead(volume, nowMs, (head) => this.#forest.freeze(head, label, nowMs));
    this.attachSnapshot(frozen, label);
  }

  /** The only way in which a volume gets another head: `move` freezes the one that it has, and its snapshots change. */
  #moveHead(volume: Volume, nowMs: number, move: (head: Head) => Version): Version {
    const frozen = move(volume.head);
    volume.record.head = volume.head.id;
    volume.record.snapshotsChangedMs = nowMs;
    return frozen;
  }

  #deleteSnapshot(volume: Volume, name: string, nowMs: number): void {
    const snapshot = volume.snapshot(name);
    volume.remove(snapshot);
    volume.record.snapshotsChangedMs = nowMs;
    this.#unname(snapshot);
  }

  #unname(snapshot: Snapshot): void {
    const { version } = snapshot;
    snapshot.filesystem.alive = false;
    this.#byTag.delete(version.tag);
    version.label = undefined;
    this.#forest.versions.touch(version);
    this.#host.nameless(version);
  }

  #relabel(volume: Volume, name: string, label: SnapshotLabel, nowMs: number): void {
    const snapshot = volume.snapshot(name);
    if (label.name !== name || label.accessPoint !== snapshot.label.accessPoint)
      volume.record.snapshotsChangedMs = nowMs;
    volume.remove(snapshot);
    snapshot.label = label;
    snapshot.version.label = label;
    this.#forest.versions.touch(snapshot.version);
    volume.add(snapshot);
  }

  #restore(volume: Volume, change: StructuralChange & { do: 'restore' }): void {
    const { snapshot, preserve, properties, nowMs } = change;
    const target = volume.snapshot(snapshot).version;
    this.#byTag.delete(volume.head.version.tag);
    const frozen = this.#moveHead(volume, nowMs, (head) => this.#forest.restore(head, target, preserve, nowMs));
    this.#byTag.set(volume.head.version.tag, volume.filesystem);
    if (properties !== undefined) volume.record.properties = properties;
    if (preserve === undefined) this.#host.nameless(frozen);
    else this.attachSnapshot(frozen, preserve);
  }

  #clone(origin: Volume, snapshot: string, name: string, nowMs: number): void {
    const id = this.#forest.takeVolumeId();
    const head = this.#forest.fork(origin.snapshot(snapshot).version, id, nowMs);
    const record = this.#records.create(name, {
      id,
      head: head.id,
      nextIno: origin.record.nextIno,
      createdMs: nowMs,
      origin: { id: origin.record.id, volume: origin.name, snapshot },
      snapshotsChangedMs: nowMs,
      properties: {},
    });
    this.attach(record, head);
  }
}
