// Names in directories: bytes, any but "/" and NUL, 1 to 255 of them.

import { FsError } from '../errors/index.ts';
import { equalBytes } from '../util/index.ts';
import { type Filesystem, NAME_BYTES_MAX, ROOT_INO } from '../volume/index.ts';

const DOT = 0x2e;
const SLASH = 0x2f;

/** The name of the directory that shows a volume's snapshots, at the root of its mount. */
export const SNAPDIR_NAME: Uint8Array = Buffer.from('.snapshots');

/**
 * Whether `name` in directory `dir` of `fs` is that of the snapshots' directory. Filesystems of snapshots have none.
 */
export function isSnapdirName(fs: Filesystem, dir: number, name: Uint8Array): boolean {
  return dir === ROOT_INO && fs.head !== undefined && equalBytes(name, SNAPDIR_NAME);
}

/** Throws FsError ENAMETOOLONG where `name` is longer than names can be. */
export function checkNameLength(name: Uint8Array): void {
  if (name.length <= NAME_BYTES_MAX) return;
  throw new FsError('ENAMETOOLONG', 'name-too-long', `a name has at most ${NAME_BYTES_MAX} bytes`);
}

/**
 * Checks a name that is to be given in directory `dir`. Throws FsError ENAMETOOLONG, EINVAL, EEXIST (dots and the
 * reserved name).
 */
export function checkNewName(fs: Filesystem, dir: number, name: Uint8Array): void {
  checkNameLength(name);
  for (let i = 0; i < name.length; i++) {
    if (name[i] === SLASH || name[i] === 0)
      throw new FsError('EINVAL', 'name-illegal', 'a name has neither "/" nor NUL in it');
  }
  if (name.length === 0) throw new FsError('EINVAL', 'name-empty', 'a name is not empty');
  if (name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT))) {
    throw new FsError('EEXIST', 'name-dots', '"." and ".." are always there');
  }
  if (isSnapdirName(fs, dir, name)) {
    throw new FsError('EEXIST', 'name-reserved', 'the name .snapshots is reserved in the root of a volume');
  }
}

/** Checks a name that is to be taken away from directory `dir`. Throws FsError EPERM for the reserved name. */
export function checkRemovableName(fs: Filesystem, dir: number, name: Uint8Array): void {
  if (!isSnapdirName(fs, dir, name)) return;
  throw new FsError(
    'EPERM',
    'snapdir-permanent',
    '.snapshots is neither removed nor renamed; set snapdir=disabled instead',
  );
}
