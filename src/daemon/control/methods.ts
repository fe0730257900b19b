// What can be asked of a store, whoever has it open: the names of the methods, what they take and what they give. Both sides of the
// control socket are checked against this table by the compiler; the daemon checks the values again at run time.
//
// Times are milliseconds since 1970, sizes are bytes. `null` is "there is none", since JSON has no undefined.

import type { CheckProgress, ScrubInfo } from './health.ts';

/** The volume that is meant where none is named: volume/ has it as DEFAULT_VOLUME, and loading that would load the whole core. */
export const MAIN_VOLUME = 'main';

/** How `.snapshots` shows in the root of a mount. */
export const SNAPDIR_CHOICES = ['hidden', 'visible', 'disabled'] as const;
export type Snapdir = (typeof SNAPDIR_CHOICES)[number];

/** What `-o` of `mount` can ask for; what is left out has its default. */
export interface MountChoices {
  readonly readOnly?: boolean;
  /** Users other than the mounting one may enter. Default: as root yes, otherwise no. */
  readonly allowOther?: boolean;
  readonly noatime?: boolean;
  readonly snapdir?: Snapdir;
  readonly suid?: boolean;
  readonly dev?: boolean;
  readonly exec?: boolean;
  /** What the mount table shows as device. Default: `STORE:VOLUME[@NAME]`, by which commands find the store. */
  readonly fsname?: string;
  /** For the first mount: of a store with damage in its latest changes, the state of before that. */
  readonly rewind?: boolean;
}

export interface MountRequest {
  /** Absolute. */
  readonly dir: string;
  readonly volume: string;
  readonly snapshot?: string;
  readonly options: MountChoices;
}

export interface MountInfo {
  readonly dir: string;
  readonly volume: string;
  readonly snapshot: string | null;
  readonly readOnly: boolean;
  readonly mountedMs: number;
  /** The number under /sys/fs/fuse/connections. */
  readonly connection: number | null;
  /** Requests of the kernel served so far. */
  readonly requests: number;
  /** What is damaged in the store, so that it was opened for reading only. */
  readonly damage: string | null;
}

export interface StoreStatus {
  readonly store: string;
  readonly uuid: string;
  readonly format: number;
  readonly createdMs: number;
  /** The daemon that serves the store. */
  readonly pid: number | null;
  readonly startedMs: number | null;
  readonly mounts: readonly MountInfo[];
  readonly volumes: number;
  readonly snapshots: number;
  /** Blocks of the data file in use. */
  readonly usedBytes: number;
  /** What the filesystem that holds the store has left for file contents. */
  readonly availableBytes: number;
  /** Deleted versions whose space is still being freed. */
  readonly reclaiming: number;
  /** Memory of the daemon. */
  readonly residentBytes: number | null;
  /** Why the store takes no more changes until it is mounted anew. */
  readonly failure: string | null;
  /** The scrub under way, or the last one. */
  readonly scrub: ScrubInfo | null;
}

export interface VolumeInfo {
  readonly volume: string;
  readonly createdMs: number;
  /** `VOLUME@NAME` that it was cloned from, as it was called then. */
  readonly origin: string | null;
  readonly snapshots: number;
  readonly referencedBytes: number;
  /** What deleting all its snapshots together would free. */
  readonly snapshotsBytes: number | null;
  readonly mountedOn: string | null;
}

/** Who needs a snapshot to stay. */
export interface HoldInfo {
  readonly tag: string;
  readonly reason: string | null;
  readonly expiresMs: number | null;
}

export interface SnapshotInfo {
  readonly volume: string;
  readonly name: string;
  readonly accessPoint: string;
  readonly createdMs: number;
  readonly referencedBytes: number;
  /** What deleting it alone would free. */
  readonly uniqueBytes: number | null;
  /** What was written between the snapshot before it and it, and is in use somewhere. */
  readonly writtenBytes: number;
  /** The snapshot last taken or restored before it; `VOLUME@NAME` where that is another volume's. */
  readonly parent: string | null;
  /** The volume's snapshots of which it is the parent. */
  readonly children: readonly string[];
  /** Volumes that were cloned from it. */
  readonly clones: readonly string[];
  /** Whether the live files go on from it. */
  readonly current: boolean;
  /** Those that have not expired. */
  readonly holds: readonly HoldInfo[];
  readonly comment: string | null;
  /** Who made it: a person or a schedule. */
  readonly by: string | null;
  /** Where it is mounted by itself. */
  readonly mountedOn: string | null;
}

/** What a deletion of snapshots did, or would do. */
export interface DeletionInfo {
  readonly snapshots: SnapshotInfo[];
  /** Of those that stay: why. */
  readonly failures: readonly { readonly code: string; readonly reason: string; readonly message: string }[];
  /** What deleting all of them would free; null where nobody asked. */
  readonly freedBytes: number | null;
}

/** What a restore did, or would do. */
export interface RestoreInfo {
  readonly volume: string;
  /** The snapshot that the volume was restored to. */
  readonly snapshot: string;
  /** The snapshot that keeps what the volume held before; null where that was given up. */
  readonly preserved: string | null;
  /** What was written to the volume since the last snapshot or restore before, and was still in use. */
  readonly writtenBytes: number;
  readonly mountedOn: string | null;
}

/** A path that differs. */
export interface ChangeInfo {
  /** `+` came, `-` went, `R` has another name, `M` is otherwise not as it was. */
  readonly kind: '+' | '-' | 'M' | 'R';
  /** `mode >>> 12`. */
  readonly type: number;
  /** From the volume's root, which is "/"; a character stands for each byte. */
  readonly path: string;
  /** Of `R`: the path that it had. */
  readonly oldPath: string | null;
  /** Of `M`: what is not as it was. */
  readonly aspects: readonly string[];
  /** Of `M`: how many names more it has. */
  readonly links: number;
}

export interface DiffInfo {
  /** `VOLUME@NAME`, or `VOLUME` for the live files. */
  readonly before: string;
  readonly after: string;
  /** By path; empty where only the figures were asked for. */
  readonly changes: readonly ChangeInfo[];
  readonly added: number;
  readonly removed: number;
  readonly modified: number;
  readonly renamed: number;
  /** Data that only the state after, or only the one before, has. */
  readonly writtenBytes: number;
  readonly freedBytes: number;
}

export interface PropertyInfo {
  readonly volume: string;
  readonly property: string;
  readonly value: string;
  /** Whether it was set, or is the default. */
  readonly source: 'set' | 'default';
}

export interface UnmountResult {
  /** It was the last mount: the daemon has let go of the store and ends. */
  readonly last: boolean;
}

/** Every method: what it takes, what it gives. */
/** What `volume.rename` gives. */
export interface RenameInfo {
  readonly volume: string;
  /** Where it, or a snapshot of it, is mounted: there the mount table shows the old name. */
  readonly mountedOn: readonly string[];
}

export interface ControlMethods {
  status: { params: Record<string, never>; result: StoreStatus };
  mount: { params: MountRequest; result: MountInfo };
  umount: { params: { dir: string; lazy: boolean }; result: UnmountResult };
  'volume.list': { params: Record<string, never>; result: VolumeInfo[] };
  'volume.create': { params: { volume: string }; result: VolumeInfo };
  'volume.delete': { params: { volume: string; dryRun: boolean }; result: VolumeInfo };
  'volume.rename': { params: { volume: string; to: string }; result: RenameInfo };
  'volume.get': { params: { volume: string }; result: PropertyInfo[] };
  'volume.set': { params: { volume: string; property: string; value: string }; result: PropertyInfo };
  'snapshot.list': { params: { volume: string }; result: SnapshotInfo[] };
  'snapshot.info': { params: { volume: string; name: string }; result: SnapshotInfo };
  /** `numbered`: where `name` is taken it gets a number behind it. `by`: who makes it, on one line. */
  'snapshot.create': {
    params: { volume: string; name?: string; numbered?: boolean; comment?: string; accessPoint?: string; by?: string };
    result: SnapshotInfo;
  };
  /** `name`: one, or several between commas, or ranges `FIRST%LAST`. */
  'snapshot.delete': { params: { volume: string; name: string; dryRun: boolean }; result: DeletionInfo };
  'snapshot.cheapest': { params: { volume: string; bytes: number }; result: DeletionInfo };
  'snapshot.hold': {
    params: { volume: string; name: string; tag: string; reason?: string; expiresMs?: number };
    result: SnapshotInfo;
  };
  'snapshot.release': { params: { volume: string; name: string; tag: string }; result: SnapshotInfo };
  /** From snapshot `name` to snapshot `to` of volume `toVolume`; without `to` to its live files. `path` has a character for each byte. */
  'snapshot.diff': {
    params: { volume: string; name: string; toVolume: string; to?: string; path?: string; changes: boolean };
    result: DiffInfo;
  };
  'snapshot.rename': {
    params: { volume: string; name: string; to?: string; accessPoint?: string };
    result: SnapshotInfo;
  };
  'snapshot.restore': {
    params: {
      volume: string;
      name: string;
      preserve?: string;
      /** Who makes the snapshot of what the volume held before. */
      by?: string;
      discard: boolean;
      properties?: boolean;
      dryRun: boolean;
    };
    result: RestoreInfo;
  };
  reclaimed: { params: Record<string, never>; result: { usedBytes: number } };
  clone: { params: { volume: string; name: string; to: string }; result: VolumeInfo };
  /** `data`: also reads all file contents. */
  'check.start': { params: { data: boolean }; result: object };
  'check.poll': { params: Record<string, never>; result: CheckProgress };
  /** `rate`: bytes a second; 0: as fast as the disk. */
  'scrub.start': { params: { rate?: number }; result: ScrubInfo | null };
  'scrub.status': { params: Record<string, never>; result: ScrubInfo | null };
  'scrub.pause': { params: Record<string, never>; result: ScrubInfo | null };
  'scrub.resume': { params: Record<string, never>; result: ScrubInfo | null };
  'scrub.stop': { params: Record<string, never>; result: ScrubInfo | null };
}

export type ControlMethod = keyof ControlMethods;
export type ParamsOf<M extends ControlMethod> = ControlMethods[M]['params'];
export type ResultOf<M extends ControlMethod> = ControlMethods[M]['result'];

/** A store that can be asked: through its daemon, or opened by this process because there is none. */
export interface Control {
  /** The real path of the store. */
  readonly store: string;
  /** The process of the daemon; undefined where this process has the store open itself. */
  readonly daemonPid: number | undefined;
  /** Asks. Rejects with FsError or ControlError where the store refuses. */
  call<M extends ControlMethod>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  /** Lets go; what was asked for is durable and, where this process has the store, given back. */
  close(): Promise<void>;
}
