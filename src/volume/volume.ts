// A volume: a mutable filesystem with its snapshots.

import { FsError } from '../errors/index.ts';
import type { SnapshotLabel } from '../format/index.ts';
import type { Head, Version } from '../tree/index.ts';
import type { Filesystem } from './filesystem.ts';
import type { OpenRecord } from './open-record.ts';

/** A frozen version with a name in a volume. */
export interface Snapshot {
  readonly version: Version;
  label: SnapshotLabel;
  /** Its files; shared by all who look into it. */
  readonly filesystem: Filesystem;
}

export class Volume {
  readonly record: OpenRecord;
  readonly head: Head;
  /** The live files. */
  readonly filesystem: Filesystem;
  readonly #byName = new Map<string, Snapshot>();
  readonly #byAccessPoint = new Map<string, Snapshot>();
  /** Whether one was added again under another name, and so stands behind younger ones in the maps. */
  #shuffled = false;
  /** undefined where it has to be looked for. */
  #newest: Snapshot | undefined;

  constructor(record: OpenRecord, head: Head, filesystem: Filesystem) {
    this.record = record;
    this.head = head;
    this.filesystem = filesystem;
  }

  get name(): string {
    return this.record.name;
  }

  /** Its snapshots, oldest first. */
  snapshots(): Snapshot[] {
    const all = [...this.#byName.values()];
    // Version ids grow with time, whatever the clock did.
    if (this.#shuffled) all.sort((a, b) => a.version.id - b.version.id);
    return all;
  }

  /** The snapshot that was made last; undefined where there is none. */
  get newest(): Snapshot | undefined {
    if (this.#newest === undefined) {
      for (const snapshot of this.#byName.values()) {
        if (snapshot.version.id > (this.#newest?.version.id ?? 0)) this.#newest = snapshot;
      }
    }
    return this.#newest;
  }

  get snapshotCount(): number {
    return this.#byName.size;
  }

  /** The snapshot called `name`, or whose access point is `name`. */
  findSnapshot(name: string): Snapshot | undefined {
    return this.#byName.get(name) ?? this.#byAccessPoint.get(name);
  }

  /** Like {@link findSnapshot}. Throws ENOENT where there is none. */
  snapshot(name: string): Snapshot {
    const snapshot = this.findSnapshot(name);
    if (snapshot === undefined) {
      throw new FsError(
        'ENOENT',
        'snapshot-unknown',
        `volume ${this.name} has no snapshot "${name}"; "amberfs snapshot list" shows those that it has`,
      );
    }
    return snapshot;
  }

  /** The snapshot in the directory `accessPoint` of `.snapshots`. */
  findAccessPoint(accessPoint: string): Snapshot | undefined {
    return this.#byAccessPoint.get(accessPoint);
  }

  /** The access points, in the order in which the snapshots were made. */
  accessPoints(): IterableIterator<[string, Snapshot]> {
    return this.#byAccessPoint.entries();
  }

  /** Throws EEXIST where a snapshot has this name or access point. `except` is not looked at. */
  assertFree(name: string, accessPoint: string, except?: Snapshot): void {
    const byName = this.#byName.get(name);
    if (byName !== undefined && byName !== except) {
      throw new FsError(
        'EEXIST',
        'snapshot-name-taken',
        `volume ${this.name} already has a snapshot "${name}"; take another name, or rename or delete that snapshot`,
      );
    }
    const byAccessPoint = this.#byAccessPoint.get(accessPoint);
    if (byAccessPoint !== undefined && byAccessPoint !== except) {
      throw new FsError(
        'EEXIST',
        'access-point-taken',
        `the access point "${accessPoint}" of volume ${this.name} is that of snapshot "${byAccessPoint.label.name}"; ` +
          'take another one, or give that snapshot another',
      );
    }
  }

  /** Called by {@link Volumes} alone: the snapshot joins, under the names of its label. */
  add(snapshot: Snapshot): void {
    const { newest } = this;
    if (newest !== undefined && newest.version.id > snapshot.version.id) this.#shuffled = true;
    else this.#newest = snapshot;
    this.#byName.set(snapshot.label.name, snapshot);
    this.#byAccessPoint.set(snapshot.label.accessPoint, snapshot);
  }

  /** Called by {@link Volumes} alone: the snapshot is no longer one of the volume's. */
  remove(snapshot: Snapshot): void {
    if (this.#newest === snapshot) this.#newest = undefined;
    this.#byName.delete(snapshot.label.name);
    this.#byAccessPoint.delete(snapshot.label.accessPoint);
  }
}
