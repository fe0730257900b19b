// rename(2) and renameat2(2).
//
// INVARIANT: a directory's `parent` is the directory that has its entry, and its link count is 2 and one for each
// subdirectory (checked by checkFilesystem).

import { CorruptionError, FsError } from '../errors/index.ts';
import {
  type Filesystem,
  type Inode,
  ROOT_INO,
  createInode,
  findDirent,
  insertDirent,
  isEmptyDirectory,
  loadInode,
  removeDirent,
  replaceDirent,
  saveInode,
} from '../volume/index.ts';
import { type Caller, countLink, createWhiteout } from './create.ts';
import { S_IFCHR, direntType, isDirectory } from './modes.ts';
import { checkNewName, checkNameLength, checkRemovableName } from './names.ts';
import { needDirectory, needParent } from './needed.ts';
import { stampChange, stampDirectory } from './times.ts';
import { dropName } from './unlink.ts';

/** Flags of renameat2(2) (linux/fs.h). */
const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;

/** No tree is deeper: a longer way up runs in a circle. */
const DEPTH_MAX = 1_000_000;

const oldParent = createInode();
const otherParent = createInode();
const source = createInode();
const target = createInode();
const whiteout = createInode();

/**
 * Gives what is called `oldName` in `oldDir` the name `newName` in `newDir`. Gives the inode number of what was
 * replaced if that is an orphan now, else 0. Throws FsError: ENOENT, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL (into
 * itself, flags), EPERM, EMLINK, ENAMETOOLONG, EROFS, ENOSPC.
 */
export function rename(
  fs: Filesystem,
  oldDir: number,
  oldName: Uint8Array,
  newDir: number,
  newName: Uint8Array,
  flags: number,
  caller: Caller,
): number {
  checkFlags(flags);
  needDirectory(fs, oldDir, oldParent);
  const newParent = oldDir === newDir ? oldParent : otherParent;
  needParent(fs, newDir, newParent);
  checkNameLength(oldName);
  checkRemovableName(fs, oldDir, oldName);
  checkNewName(fs, newDir, newName);
  const sourceIno = findDirent(fs, oldDir, oldName);
  if (sourceIno === 0) throw new FsError('ENOENT', 'rename-of-nothing', 'there is no such name to rename');
  fs.change();
  const targetIno = findDirent(fs, newDir, newName);
  if (targetIno !== 0 && (flags & RENAME_NOREPLACE) !== 0) {
    throw new FsError('EEXIST', 'rename-name-taken', 'the new name exists');
  }
  // Two names of one file: POSIX wants both to stay.
  if (sourceIno === targetIno) return 0;
  loadInode(fs, sourceIno, source);
  if (isDirectory(source.mode) && oldDir !== newDir) checkNotInside(fs, newDir, sourceIno);
  if (targetIno !== 0) loadInode(fs, targetIno, target);
  if ((flags & RENAME_EXCHANGE) !== 0) {
    if (targetIno === 0) throw new FsError('ENOENT', 'exchange-with-nothing', 'there is no such name to exchange with');
    exchange(fs, oldName, newParent, newName);
    return 0;
  }
  if (targetIno !== 0) checkReplaceable(fs);
  return move(fs, oldName, newParent, newName, targetIno !== 0, flags, caller);
}

function checkFlags(flags: number): void {
  const known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
  const both = (flags & RENAME_EXCHANGE) !== 0 && flags !== RENAME_EXCHANGE;
  if ((flags & ~known) !== 0 || both) throw new FsError('EINVAL', 'rename-flags', 'these flags do not go together');
}

/** Throws EINVAL where directory `dir` is `ancestor` or lies below it. Uses `target`. */
function checkNotInside(fs: Filesystem, dir: number, ancestor: number): void {
  let depth = 0;
  for (let at = dir; at !== ROOT_INO; at = target.parent) {
    if (at === ancestor) throw new FsError('EINVAL', 'rename-into-itself', 'a directory is not moved into itself');
    if (++depth > DEPTH_MAX) throw new CorruptionError(`directory ${dir}`, 'its parents do not lead to the root');
    loadInode(fs, at, target);
  }
}

/** Whether what is under `source` may take the place of what is under `target`. */
function checkReplaceable(fs: Filesystem): void {
  if (isDirectory(source.mode) !== isDirectory(target.mode)) {
    if (isDirectory(source.mode))
      throw new FsError('ENOTDIR', 'directory-over-file', 'a directory does not replace a file');
    throw new FsError('EISDIR', 'file-over-directory', 'a file does not replace a directory');
  }
  if (isDirectory(target.mode) && !isEmptyDirectory(fs, target.ino)) {
    throw new FsError('ENOTEMPTY', 'rename-over-full', 'a directory that is not empty is not replaced');
  }
}

function move(
  fs: Filesystem,
  oldName: Uint8Array,
  newParent: Inode,
  newName: Uint8Array,
  replaces: boolean,
  flags: number,
  caller: Caller,
): number {
  const type = direntType(source.mode);
  const moves = isDirectory(source.mode) && oldParent !== newParent;
  if (moves && !replaces) countLink(newParent);
  // First what the quota may forbid: nothing has changed then.
  const leftIno = (flags & RENAME_WHITEOUT) !== 0 ? createWhiteout(fs, oldParent, caller, whiteout) : 0;
  if (replaces) replaceDirent(fs, newParent.ino, newName, source.ino, type);
  else insertDirent(fs, newParent.ino, newName, source.ino, type);
  if (leftIno !== 0) replaceDirent(fs, oldParent.ino, oldName, leftIno, direntType(S_IFCHR));
  else removeDirent(fs, oldParent.ino, oldName);
  const orphan = replaces ? dropName(fs, target, newParent) : 0;
  source.parent = newParent.ino;
  if (moves) {
    oldParent.nlink--;
    newParent.nlink++;
  }
  stampChange(fs, source);
  saveInode(fs, source);
  saveParents(fs, newParent);
  return orphan;
}

function exchange(fs: Filesystem, oldName: Uint8Array, newParent: Inode, newName: Uint8Array): void {
  const moves = oldParent !== newParent;
  if (moves && isDirectory(target.mode)) {
    const targetIno = target.ino;
    checkNotInside(fs, oldParent.ino, targetIno);
    loadInode(fs, targetIno, target);
  }
  if (moves && isDirectory(source.mode) !== isDirectory(target.mode)) {
    countLink(isDirectory(source.mode) ? newParent : oldParent);
  }
  replaceDirent(fs, oldParent.ino, oldName, target.ino, direntType(target.mode));
  replaceDirent(fs, newParent.ino, newName, source.ino, direntType(source.mode));
  if (moves) {
    changeParent(source, oldParent, newParent);
    changeParent(target, newParent, oldParent);
  }
  stampChange(fs, source);
  saveInode(fs, source);
  stampChange(fs, target);
  saveInode(fs, target);
  saveParents(fs, newParent);
}

function changeParent(inode: Inode, from: Inode, to: Inode): void {
  inode.parent = to.ino;
  if (!isDirectory(inode.mode)) return;
  from.nlink--;
  to.nlink++;
}

function saveParents(fs: Filesystem, newParent: Inode): void {
  stampDirectory(oldParent, source);
  saveInode(fs, oldParent);
  if (newParent === oldParent) return;
  stampDirectory(newParent, source);
  saveInode(fs, newParent);
}
