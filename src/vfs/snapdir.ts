// `.snapshots`: a directory that is nowhere stored. Its entries are the access points of the volume's snapshots, and
// `latest` (latest.ts); mkdir takes a snapshot, rmdir deletes one, rename renames one; nothing else can be done to it.
// Its owner is root and its mode 0755, so the kernel lets only root do that.

import { FsError } from '../errors/index.ts';
import type { Inode, Snapshot, Volume } from '../volume/index.ts';
import { setTime } from '../volume/index.ts';
import { S_IFDIR } from './modes.ts';
import { RENAME_EXCHANGE, RENAME_WHITEOUT } from './rename.ts';
import type { View } from './view.ts';

/** Its inode number: between that of the root and those of files, and of no stored inode. */
export const SNAPDIR_INO = 2;

/** The name in it of the symlink to the newest snapshot. */
export const SNAPDIR_LATEST: Buffer = Buffer.from('latest');

const SNAPDIR_MODE = S_IFDIR | 0o755;

/**
 * A place in the listing less the id of the version that it is behind; 1 and 2 are behind the dots, and ids begin with
 * 1.
 */
const PLACE_BASE = 2;

/**
 * Fills `inode` with what stat(2) shows of `.snapshots`. All its times are when a snapshot last came, went or changed
 * its name.
 */
export function fillSnapdirInode(volume: Volume, inode: Inode): void {
  const { snapshotsChangedMs, createdMs } = volume.record;
  inode.ino = SNAPDIR_INO;
  inode.mode = SNAPDIR_MODE;
  inode.nlink = 2 + volume.snapshotCount;
  inode.uid = 0;
  inode.gid = 0;
  inode.rdev = 0;
  inode.sizeBytes = 0;
  inode.blocks = 0;
  inode.mtime.sec = Math.floor(snapshotsChangedMs / 1000);
  inode.mtime.nsec = (snapshotsChangedMs % 1000) * 1_000_000;
  setTime(inode.atime, inode.mtime);
  setTime(inode.ctime, inode.mtime);
  inode.btime.sec = Math.floor(createdMs / 1000);
  inode.btime.nsec = (createdMs % 1000) * 1_000_000;
}

/** The snapshot behind the entry `name` of `.snapshots`, or undefined. */
export function lookupSnapshot(volume: Volume, name: Uint8Array): Snapshot | undefined {
  return volume.findAccessPoint(textOf(name));
}

/** The snapshot whose nodeids carry `tag`, or undefined: the volume does not have it (any more). */
export function snapshotByTag(volume: Volume, tag: number): Snapshot | undefined {
  return volume.snapshots().find((snapshot) => snapshot.version.tag === tag);
}

/**
 * mkdir: takes a snapshot, which says that `by` made it. It is durable after the commit that follows. Throws FsError
 * EEXIST, EINVAL (a name that can't be), EPERM, ENAMETOOLONG, EROFS.
 */
export function makeSnapshot(view: View, name: Uint8Array, by: string): Snapshot {
  checkControl(view);
  const text = textOf(name);
  // The directory that was asked for is made, also where access points are times by default.
  return view.volumes.createSnapshot(view.volume, { name: text, accessPoint: text, by });
}

/**
 * rmdir: deletes a snapshot. `inUse` may throw where it must stay. Gives what was deleted. Throws FsError ENOENT,
 * EPERM, EBUSY.
 */
export function removeSnapshot(view: View, name: Uint8Array, inUse: (snapshot: Snapshot) => void): Snapshot {
  checkControl(view);
  if (SNAPDIR_LATEST.equals(name)) {
    throw new FsError('EPERM', 'latest-not-removed', 'latest goes with the last snapshot; it is not removed by itself');
  }
  const snapshot = needSnapshot(view, name);
  inUse(snapshot);
  view.volumes.deleteSnapshot(view.volume, snapshot);
  return snapshot;
}

/**
 * rename within `.snapshots`: gives the access point another name, and the snapshot too where it has the same. Throws
 * FsError ENOENT, EEXIST, EINVAL, EPERM.
 */
export function renameSnapshot(view: View, oldName: Uint8Array, newName: Uint8Array, flags: number): void {
  checkControl(view);
  const to = textOf(newName);
  if (SNAPDIR_LATEST.equals(oldName) || SNAPDIR_LATEST.equals(newName)) {
    throw new FsError('EPERM', 'latest-permanent', 'latest always leads to the newest snapshot; it is not renamed');
  }
  const snapshot = needSnapshot(view, oldName);
  if ((flags & (RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) {
    throw new FsError('EINVAL', 'snapdir-rename-flags', 'snapshots are neither exchanged nor whited out');
  }
  const { label } = snapshot;
  if (to === label.accessPoint) return;
  const name = label.accessPoint === label.name ? to : label.name;
  view.volumes.renameSnapshot(view.volume, snapshot, name, to);
}

function needSnapshot(view: View, name: Uint8Array): Snapshot {
  const snapshot = lookupSnapshot(view.volume, name);
  if (snapshot === undefined) throw new FsError('ENOENT', 'snapdir-entry-missing', 'there is no such snapshot');
  return snapshot;
}

function checkControl(view: View): void {
  if (view.snapdirControl) return;
  throw new FsError(
    'EPERM',
    'snapdir-control-off',
    `snapshots of volume ${view.volume.name} are not made, renamed or deleted through its files (snapdir-control=off)`,
  );
}

/** Snapshot names are ASCII; every other byte gives a character that no name has. */
function textOf(name: Uint8Array): string {
  return Buffer.from(name).toString('latin1');
}

/**
 * The snapshots that come behind place `offset` (2: all) of the listing of `.snapshots`, in the order in which they
 * were made.
 */
export function snapshotsBehind(volume: Volume, offset: number): Snapshot[] {
  return volume
    .snapshots()
    .filter((snapshot) => snapshotPlace(snapshot) > offset)
    .sort((a, b) => a.version.id - b.version.id);
}

/** The place behind `snapshot` in that listing: the same for ever, since versions keep their ids. */
export function snapshotPlace(snapshot: Snapshot): number {
  return snapshot.version.id + PLACE_BASE;
}
