// Access control lists and the mode, kept in step. The kernel checks permissions with both (`default_permissions`,
// FUSE_POSIX_ACL) but changes neither: inheritance, the mode behind a new list and the list behind a new mode are the
// server's work ("Fuse userspace is responsible for updating access permissions in the inode", fuse_set_acl; "it may
// have updated acl xattrs in the filesystem", fuse_setattr).
//
// INVARIANT: a stored access list is never minimal, and its permissions are those of the mode (checked by
// test/unit/vfs/acl.test.ts).

import { FsError } from '../errors/index.ts';
import { equalBytes } from '../util/index.ts';
import { type Filesystem, type Inode, getXattr, removeXattr, setXattr, xattrLength } from '../volume/index.ts';
import { aclPermissions, checkAcl, isMinimalAcl, limitAclPermissions, setAclPermissions } from './acl-value.ts';
import { PERMISSION_BITS, S_ISGID, isDirectory } from './modes.ts';

const ACCESS_NAME: Uint8Array = Buffer.from('system.posix_acl_access');
const DEFAULT_NAME: Uint8Array = Buffer.from('system.posix_acl_default');

/** Whether `name` is that of an attribute which holds an access control list. */
export function isAclName(name: Uint8Array): boolean {
  return equalBytes(name, ACCESS_NAME) || equalBytes(name, DEFAULT_NAME);
}

/**
 * Applies to the new inode what its directory `dir` hands down: the default list where there is one, else the `umask`.
 * Sets the mode of `inode`; gives the directory's list for {@link storeInheritedAcl}, or undefined.
 */
export function inheritMode(fs: Filesystem, dir: number, inode: Inode, umask: number): Uint8Array | undefined {
  const list = xattrLength(fs, dir, DEFAULT_NAME) < 0 ? undefined : getXattr(fs, dir, DEFAULT_NAME);
  const granted = list === undefined ? ~umask : aclPermissions(list);
  inode.mode &= ~PERMISSION_BITS | granted;
  return list;
}

/** Stores what `list`, from {@link inheritMode}, means for the new inode, which is in the tree by now. */
export function storeInheritedAcl(fs: Filesystem, inode: Inode, list: Uint8Array): void {
  if (isDirectory(inode.mode)) setXattr(fs, inode.ino, DEFAULT_NAME, list);
  if (isMinimalAcl(list)) return;
  const access = list.slice();
  limitAclPermissions(access, inode.mode);
  setXattr(fs, inode.ino, ACCESS_NAME, access);
}

/** The mode of `inode` was set by chmod: its access list, if it has one, follows. */
export function followMode(fs: Filesystem, inode: Inode): void {
  if (xattrLength(fs, inode.ino, ACCESS_NAME) < 0) return;
  const list = getXattr(fs, inode.ino, ACCESS_NAME)!;
  setAclPermissions(list, inode.mode);
  setXattr(fs, inode.ino, ACCESS_NAME, list);
}

/**
 * Gives `inode` a list. An access list sets the mode too and is not stored where it is minimal; `killSetgid` takes
 * setgid away with it (the caller is outside the file's group). The caller saves `inode`. Throws FsError EINVAL, EACCES
 * (a default list is for directories), E2BIG.
 */
export function setAcl(fs: Filesystem, inode: Inode, name: Uint8Array, list: Uint8Array, killSetgid: boolean): void {
  checkAcl(list);
  if (equalBytes(name, DEFAULT_NAME)) {
    if (!isDirectory(inode.mode)) {
      throw new FsError('EACCES', 'default-acl-of-file', 'only a directory has a default access control list');
    }
    setXattr(fs, inode.ino, DEFAULT_NAME, list);
    return;
  }
  inode.mode = (inode.mode & ~PERMISSION_BITS) | aclPermissions(list);
  if (killSetgid) inode.mode &= ~S_ISGID;
  if (isMinimalAcl(list)) removeXattr(fs, inode.ino, ACCESS_NAME);
  else setXattr(fs, inode.ino, ACCESS_NAME, list);
}
