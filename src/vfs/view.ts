// What a mount shows of a store: a volume's live files with `.snapshots` at their root, or the files of one snapshot.

import { FsError } from '../errors/index.ts';
import type { Filesystem, Snapshot, Volume, Volumes } from '../volume/index.ts';

/**
 * How a volume shows its `.snapshots` directory. `hidden`: look-ups find it, listings of the root do not show it, so
 * that find, du and rsync of the live files stay outside. `visible`: listings show it. `disabled`: it is not there; its
 * name stays reserved.
 */
export type Snapdir = 'hidden' | 'visible' | 'disabled';

/** `relatime`: as Linux does it by default. `noatime`: reading never changes a time. */
export type AtimePolicy = 'relatime' | 'noatime';

export interface View {
  readonly volumes: Volumes;
  /** The volume that is shown, or whose snapshot is. */
  readonly volume: Volume;
  /** The snapshot that is shown; undefined for live files. */
  readonly snapshot: Snapshot | undefined;
  /** The files at the root of the mount. */
  readonly filesystem: Filesystem;
  /**
   * The tag that nodeids of `filesystem` carry. The live side of a volume keeps its own through snapshots and has
   * another one after a restore, so nothing may remember it.
   */
  readonly tag: number;
  readonly readOnly: boolean;
  readonly snapdir: Snapdir;
  /** Whether snapshots may be made, renamed and deleted with mkdir, mv and rmdir. */
  readonly snapdirControl: boolean;
  readonly atime: AtimePolicy;
  /** What the host has left for file data, in bytes. */
  readonly availableBytes: () => number;
}

export interface ViewOptions {
  /** No changes through this mount. A snapshot is always read-only. Default false. */
  readonly readOnly?: boolean;
  /** Instead of the volume's property `snapdir`. */
  readonly snapdir?: Snapdir | undefined;
  /** Default `relatime`. */
  readonly atime?: AtimePolicy;
  /** What the host has left for file data, in bytes. Asked for each statfs and fallocate. */
  readonly availableBytes: () => number;
}

/** `snapdir` as the volume property and the mount option spell it. Throws FsError EINVAL. */
function parseSnapdir(text: string): Snapdir {
  if (text === 'hidden' || text === 'visible' || text === 'disabled') return text;
  throw new FsError('EINVAL', 'snapdir-value', `snapdir is hidden, visible or disabled, not "${text}"`);
}

/** `snapdir-control` as the volume property spells it. Throws FsError EINVAL. */
function parseSnapdirControl(text: string): boolean {
  if (text === 'on') return true;
  if (text === 'off') return false;
  throw new FsError('EINVAL', 'snapdir-control-value', `snapdir-control is on or off, not "${text}"`);
}

/**
 * The live files of `volume`. Its properties are read whenever they are needed, so that a change of them holds at once.
 */
export function volumeView(volumes: Volumes, volume: Volume, options: ViewOptions): View {
  return {
    volumes,
    volume,
    snapshot: undefined,
    filesystem: volume.filesystem,
    get tag() {
      return volume.head.version.tag;
    },
    readOnly: options.readOnly ?? false,
    get snapdir() {
      return options.snapdir ?? parseSnapdir(volume.record.properties['snapdir'] ?? 'hidden');
    },
    get snapdirControl() {
      return parseSnapdirControl(volume.record.properties['snapdir-control'] ?? 'on');
    },
    atime: options.atime ?? 'relatime',
    availableBytes: options.availableBytes,
  };
}

/** The files of one snapshot of `volume`, with their own inode numbers and without a `.snapshots` directory. */
export function snapshotView(volumes: Volumes, volume: Volume, snapshot: Snapshot, options: ViewOptions): View {
  return {
    volumes,
    volume,
    snapshot,
    filesystem: snapshot.filesystem,
    tag: snapshot.version.tag,
    readOnly: true,
    snapdir: 'disabled',
    snapdirControl: false,
    atime: 'noatime',
    availableBytes: options.availableBytes,
  };
}
