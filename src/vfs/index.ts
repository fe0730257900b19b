// POSIX on top of volumes: what each system call means for inodes, names, times, modes and links, and the synthetic
// `.snapshots` directory. Synchronous, without state of its own but scratch objects; every function works on one
// Filesystem.
export { allocate, seek } from './allocate.ts';
export { type AttributeChange, setAttributes } from './attr.ts';
export { type Caller, createNode, createSymlink, createTemporary } from './create.ts';
export { copyRange, noteFileRead, openFile, readFile, writeFile } from './data.ts';
export { LATEST_INO, LATEST_PLACE, fillLatestInode, latestTarget } from './latest.ts';
export { link } from './link.ts';
export { Listing, type ListingKind } from './listing.ts';
export { lookup } from './lookup.ts';
export { MODE_BITS, S_IFDIR, S_IFREG, S_ISGID, S_ISUID, isRegular } from './modes.ts';
export { SNAPDIR_NAME, isSnapdirName } from './names.ts';
export { needDirectory, needInode } from './needed.ts';
export { rename } from './rename.ts';
export {
  SNAPDIR_INO,
  SNAPDIR_LATEST,
  fillSnapdirInode,
  lookupSnapshot,
  makeSnapshot,
  removeSnapshot,
  renameSnapshot,
  snapshotByTag,
  snapshotPlace,
  snapshotsBehind,
} from './snapdir.ts';
export { isUniqueName, snapshotAttribute, uniqueText } from './snapshot-attributes.ts';
export { SPACE_UNIT_BYTES, type Space, liveSpace, snapshotSpace } from './space.ts';
export { readlink } from './symlink.ts';
export { noteAccess } from './times.ts';
export { rmdir, unlink } from './unlink.ts';
export { type AtimePolicy, type Snapdir, type View, type ViewOptions, snapshotView, volumeView } from './view.ts';
export { isReservedXattr, listXattrs, removeXattrValue, setXattrValue, xattrBytes, xattrValue } from './xattr.ts';
// What the bridge hands on between these functions; it has no other door to volumes.
export {
  BLOCK_BYTES,
  type Filesystem,
  type Inode,
  NAME_BYTES_MAX,
  NOT_CACHED,
  ROOT_INO,
  type Snapshot,
  createInode,
  findInode,
  readDataLater,
} from '../volume/index.ts';
