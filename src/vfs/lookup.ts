import { CorruptionError } from '../errors/index.ts';
import { type Filesystem, type Inode, findDirent, findInode } from '../volume/index.ts';
import { checkNameLength } from './names.ts';

/**
 * Looks `name` up in directory `dir` and reads what it stands for into `inode`; false where there is no such name. A
 * miss is no exception: programs look for files that do not exist all the time. Throws FsError ENAMETOOLONG,
 * CorruptionError.
 */
export function lookup(fs: Filesystem, dir: number, name: Uint8Array, inode: Inode): boolean {
  checkNameLength(name);
  const ino = findDirent(fs, dir, name);
  if (ino === 0) return false;
  if (!findInode(fs, ino, inode)) {
    throw new CorruptionError(
      `directory ${dir}`,
      `its entry "${printable(name)}" leads to inode ${ino}, which is not there`,
    );
  }
  return true;
}

function printable(name: Uint8Array): string {
  return Buffer.from(name)
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '?');
}
