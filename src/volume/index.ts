// Filesystems in versions: inodes, directories, file data, attributes; volumes with their snapshots and clones.
export { cheapestToFree } from './cheapest.ts';
export { type CheckOptions, type CheckReport, checkClosedStore, checkOpenVolumes, checkVolumes } from './check.ts';
export {
  DirectoryScan,
  NAME_BYTES_MAX,
  findDirent,
  insertDirent,
  isEmptyDirectory,
  removeDirent,
  replaceDirent,
} from './dirents.ts';
export { BLOCK_BYTES, type Inode, createInode } from '../format/index.ts';
export { type Diff, areRelated, diffFilesystems } from './diff.ts';
export type { Aspect, Change, ChangeKind } from './diff-changes.ts';
export { Filesystem, ROOT_INO } from './filesystem.ts';
export { assertUnheld, currentHolds, holdSnapshot, releaseSnapshot } from './holds.ts';
export { findInode, insertInode, loadInode, saveInode, setTime } from './inodes.ts';
export { defaultSnapshotName } from './names.ts';
export { addOrphan, isOrphan, removeOrphan } from './orphans.ts';
export { NOT_CACHED, readData, readDataLater } from './read-data.ts';
export { type SnapshotRelations, relationsOf } from './relations.ts';
export { repairVolumes } from './repair.ts';
export { Scrubber } from './scrub.ts';
export type { ScrubState } from './scrub-state.ts';
export { seekData, seekHole } from './seek-data.ts';
export { referencedBlocks, snapshotsBlocks, uniqueBlocks, writtenBlocks } from './space.ts';
export { type SnapshotRequest, labelFor } from './snapshot-label.ts';
export { SYMLINK_BYTES_MAX, insertSymlink, readSymlink } from './symlinks.ts';
export type { Snapshot, Volume } from './volume.ts';
export { DEFAULT_VOLUME, Volumes } from './volumes.ts';
export type { VolumesOptions } from './volumes-options.ts';
export { FILE_BYTES_MAX, truncateData, writeData, zeroData } from './write-data.ts';
export {
  XATTR_NAME_BYTES_MAX,
  XATTR_VALUE_BYTES_MAX,
  eachXattr,
  getXattr,
  removeXattr,
  setXattr,
  xattrLength,
} from './xattrs.ts';
