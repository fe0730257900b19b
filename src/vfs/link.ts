import { FsError } from '../errors/index.ts';
import {
  type Filesystem,
  type Inode,
  createInode,
  findDirent,
  insertDirent,
  removeOrphan,
  saveInode,
} from '../volume/index.ts';
import { countLink } from './create.ts';
import { direntType, isDirectory } from './modes.ts';
import { checkNewName } from './names.ts';
import { needInode, needParent } from './needed.ts';
import { stampChange, stampDirectory } from './times.ts';

const parent = createInode();

/**
 * Gives inode `ino` the further name `name` in directory `dir` and fills `inode` with it. A file without a name
 * (O_TMPFILE) is an orphan no longer; the kernel refuses what was unlinked (I_LINKABLE). Throws FsError EPERM
 * (directories), EEXIST, EMLINK, ENAMETOOLONG, ENOENT, EROFS, ENOSPC.
 */
export function link(fs: Filesystem, ino: number, dir: number, name: Uint8Array, inode: Inode): void {
  needParent(fs, dir, parent);
  needInode(fs, ino, inode);
  if (isDirectory(inode.mode)) throw new FsError('EPERM', 'link-to-directory', 'a directory has one name only');
  checkNewName(fs, dir, name);
  if (findDirent(fs, dir, name) !== 0) throw new FsError('EEXIST', 'link-name-taken', 'the name exists');
  countLink(inode);
  fs.change();
  insertDirent(fs, dir, name, ino, direntType(inode.mode));
  if (inode.nlink === 0) {
    removeOrphan(fs, ino);
    inode.parent = dir;
  }
  inode.nlink++;
  stampChange(fs, inode);
  saveInode(fs, inode);
  stampDirectory(parent, inode);
  saveInode(fs, parent);
}
