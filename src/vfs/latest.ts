// `.snapshots/latest`: a symlink to the access point of the snapshot that was made last. It is nowhere stored, is there
// while there is a snapshot, and counts as none.

import type { Inode, Volume } from '../volume/index.ts';
import { S_IFLNK } from './modes.ts';
import { fillSnapdirInode } from './snapdir.ts';

/** Its inode number: of no stored inode, and not that of `.snapshots`. */
export const LATEST_INO = 3;

/** The place behind it in the listing of `.snapshots`: it comes last, behind the largest id that a version can have. */
export const LATEST_PLACE = 2 ** 33;

/** What the link says, or undefined where there is no snapshot and so no link. */
export function latestTarget(volume: Volume): string | undefined {
  return volume.newest?.label.accessPoint;
}

/** Fills `inode` with what stat(2) shows of the link with this target. */
export function fillLatestInode(volume: Volume, target: string, inode: Inode): void {
  fillSnapdirInode(volume, inode);
  inode.ino = LATEST_INO;
  inode.mode = S_IFLNK | 0o777;
  inode.nlink = 1;
  inode.sizeBytes = target.length;
}
