// New inodes: files, directories, symlinks, devices, fifos, sockets, and files without a name.

import { FsError } from '../errors/index.ts';
import {
  type Filesystem,
  type Inode,
  SYMLINK_BYTES_MAX,
  addOrphan,
  createInode,
  findDirent,
  insertDirent,
  insertInode,
  insertSymlink,
  saveInode,
} from '../volume/index.ts';
import { inheritMode, storeInheritedAcl } from './acl.ts';
import {
  MODE_BITS,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  direntType,
  isDirectory,
  isSymlink,
} from './modes.ts';
import { checkNewName } from './names.ts';
import { needParent } from './needed.ts';
import { stampBirth, stampDirectory } from './times.ts';

/**
 * The most names (or subdirectories) that one inode may have: a link count is shown in 32 bits, and some programs read
 * it as signed.
 */
const LINK_MAX = 0x7fff_ffff;

/** Who asks: the owner of what is made. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
}

const parent = createInode();

/**
 * Makes `name` in directory `dir`: a regular file, directory, fifo, socket or device, as the type in `mode` says;
 * `rdev` for devices. Permissions follow the directory's default access list or else `umask`. `inode` is filled with
 * what was made. Throws FsError: EEXIST, ENAMETOOLONG, EINVAL, ENOENT (`dir` was removed), EMLINK, EROFS, ENOSPC.
 */
export function createNode(
  fs: Filesystem,
  dir: number,
  name: Uint8Array,
  mode: number,
  rdev: number,
  umask: number,
  caller: Caller,
  inode: Inode,
): void {
  needParent(fs, dir, parent);
  checkFreeName(fs, dir, name);
  checkType(mode);
  if (isDirectory(mode)) countLink(parent);
  fs.change();
  start(fs, inode, mode, caller);
  if (isDevice(mode)) inode.rdev = rdev;
  insertDirent(fs, dir, name, inode.ino, direntType(mode));
  if (isDirectory(mode)) {
    inode.nlink = 2;
    parent.nlink++;
  }
  inode.parent = dir;
  finish(fs, dir, inode, umask);
  stampDirectory(parent, inode);
  saveInode(fs, parent);
}

/**
 * Makes the symlink `name` in directory `dir`. Throws as {@link createNode}, and ENAMETOOLONG for a target of more than
 * 4095 bytes.
 */
export function createSymlink(
  fs: Filesystem,
  dir: number,
  name: Uint8Array,
  target: Uint8Array,
  caller: Caller,
  inode: Inode,
): void {
  needParent(fs, dir, parent);
  checkFreeName(fs, dir, name);
  if (target.length > SYMLINK_BYTES_MAX) {
    throw new FsError(
      'ENAMETOOLONG',
      'symlink-too-long',
      `the target of a symlink has at most ${SYMLINK_BYTES_MAX} bytes`,
    );
  }
  fs.change();
  start(fs, inode, S_IFLNK | 0o777, caller);
  inode.sizeBytes = target.length;
  inode.parent = dir;
  insertDirent(fs, dir, name, inode.ino, direntType(S_IFLNK));
  finish(fs, dir, inode, 0);
  insertSymlink(fs, inode.ino, target);
  stampDirectory(parent, inode);
  saveInode(fs, parent);
}

/**
 * Makes a regular file without a name (O_TMPFILE) that inherits from `dir`: an orphan until it is linked. Throws as
 * {@link createNode}.
 */
export function createTemporary(
  fs: Filesystem,
  dir: number,
  mode: number,
  umask: number,
  caller: Caller,
  inode: Inode,
): void {
  needParent(fs, dir, parent);
  fs.change();
  start(fs, inode, S_IFREG | (mode & MODE_BITS), caller);
  inode.nlink = 0;
  finish(fs, dir, inode, umask);
  addOrphan(fs, inode.ino);
}

/** Makes the character device 0:0 that RENAME_WHITEOUT leaves behind, without an entry; gives its inode number. */
export function createWhiteout(fs: Filesystem, dir: Inode, caller: Caller, inode: Inode): number {
  inheritOwner(inode, dir, S_IFCHR, caller);
  reset(fs, inode);
  inode.parent = dir.ino;
  insertInode(fs, inode);
  return inode.ino;
}

function checkFreeName(fs: Filesystem, dir: number, name: Uint8Array): void {
  checkNewName(fs, dir, name);
  if (findDirent(fs, dir, name) !== 0) throw new FsError('EEXIST', 'name-taken', 'the name exists');
}

function checkType(mode: number): void {
  switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
      return;
    default:
      throw new FsError('EINVAL', 'type-unknown', 'a file of that type is not made by mknod');
  }
}

function isDevice(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFCHR || type === S_IFBLK;
}

/** Throws EMLINK where `inode` can't have one link more. */
export function countLink(inode: Inode): void {
  if (inode.nlink >= LINK_MAX) throw new FsError('EMLINK', 'too-many-links', `inode ${inode.ino} has too many links`);
}

/** Begins the inode of something in the directory under `parent`. */
function start(fs: Filesystem, inode: Inode, mode: number, caller: Caller): void {
  inheritOwner(inode, parent, mode & (S_IFMT | MODE_BITS), caller);
  reset(fs, inode);
}

function reset(fs: Filesystem, inode: Inode): void {
  inode.ino = fs.takeIno();
  inode.nlink = 1;
  inode.rdev = 0;
  inode.sizeBytes = 0;
  inode.blocks = 0;
  inode.parent = 0;
  stampBirth(fs, inode);
}

/**
 * Owner and group; in a setgid directory the group is the directory's, and directories pass setgid on (as
 * inode_init_owner in fs/inode.c).
 */
function inheritOwner(inode: Inode, dir: Inode, mode: number, caller: Caller): void {
  inode.uid = caller.uid;
  inode.gid = caller.gid;
  inode.mode = mode;
  if ((dir.mode & S_ISGID) === 0) return;
  inode.gid = dir.gid;
  if (isDirectory(mode)) inode.mode |= S_ISGID;
}

/** Settles the permissions of `inode` and writes it. */
function finish(fs: Filesystem, dir: number, inode: Inode, umask: number): void {
  const list = isSymlink(inode.mode) ? undefined : inheritMode(fs, dir, inode, umask);
  insertInode(fs, inode);
  if (list !== undefined) storeInheritedAcl(fs, inode, list);
}
