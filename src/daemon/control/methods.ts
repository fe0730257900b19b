// What can be asked of a store, whoever has it open: the names of the methods, what they take and what they give. Both sides of the
// control socket are checked against this table by the compiler; the daemon checks the values again at run time.
//
// Times are milliseconds since 1970, sizes are bytes. `null` is "there is none", since JSON has no undefined.

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
  /** Free on the filesystem that holds the store, for its owner. */
  readonly availableBytes: number;
  /** Deleted versions whose space is still being freed. */
  readonly reclaiming: number;
  /** Memory of the daemon. */
  readonly residentBytes: number | null;
}

export interface VolumeInfo {
  readonly volume: string;
  readonly createdMs: number;
  /** `VOLUME@NAME` that it was cloned from, as it was called then. */
  readonly origin: string | null;
  readonly snapshots: number;
  readonly referencedBytes: number;
  readonly mountedOn: string | null;
}

export interface SnapshotInfo {
  readonly volume: string;
  readonly name: string;
  readonly accessPoint: string;
  readonly createdMs: number;
  readonly referencedBytes: number;
  /** What deleting it alone would free; null where only a rehearsal of that could tell. */
  readonly uniqueBytes: number | null;
  /** What was written between the snapshot before it and it, and is in use somewhere. */
  readonly writtenBytes: number;
  readonly comment: string | null;
  readonly by: string | null;
  /** Where it is mounted by itself. */
  readonly mountedOn: string | null;
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
export interface ControlMethods {
  status: { params: Record<string, never>; result: StoreStatus };
  mount: { params: MountRequest; result: MountInfo };
  umount: { params: { dir: string; lazy: boolean }; result: UnmountResult };
  'volume.list': { params: Record<string, never>; result: VolumeInfo[] };
  'volume.create': { params: { volume: string }; result: VolumeInfo };
  'volume.delete': { params: { volume: string; dryRun: boolean }; result: VolumeInfo };
  'volume.get': { params: { volume: string }; result: PropertyInfo[] };
  'volume.set': { params: { volume: string; property: string; value: string }; result: PropertyInfo };
  'snapshot.list': { params: { volume: string }; result: SnapshotInfo[] };
  'snapshot.info': { params: { volume: string; name: string }; result: SnapshotInfo };
  'snapshot.create': {
    params: { volume: string; name?: string; comment?: string; accessPoint?: string };
    result: SnapshotInfo;
  };
  'snapshot.delete': { params: { volume: string; name: string; dryRun: boolean }; result: SnapshotInfo };
  'snapshot.rename': { params: { volume: string; name: string; to: string }; result: SnapshotInfo };
  clone: { params: { volume: string; name: string; to: string }; result: VolumeInfo };
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
