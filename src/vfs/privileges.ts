// What makes a program more powerful than who runs it goes away when somebody else changes it.

import { type Filesystem, type Inode, removeXattr } from '../volume/index.ts';
import { S_ISGID, S_ISUID, S_IXGRP, isDirectory } from './modes.ts';

const CAPABILITIES = Buffer.from('security.capability');

/**
 * Takes setuid, setgid (of what its group may execute; else it meant mandatory locking) and file capabilities away from
 * `inode`, which the caller saves. The kernel says when: for a write or truncate by a process without CAP_FSETID, for
 * every chown (FUSE_HANDLE_KILLPRIV_V2 in linux/fuse.h).
 */
export function killPrivileges(fs: Filesystem, inode: Inode): void {
  if (isDirectory(inode.mode)) return;
  inode.mode &= ~S_ISUID;
  if ((inode.mode & S_IXGRP) !== 0) inode.mode &= ~S_ISGID;
  removeXattr(fs, inode.ino, CAPABILITIES);
}
