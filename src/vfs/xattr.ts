// Extended attributes: user., trusted., security. and the access control lists of system. Who may use which of them the
// kernel decides. `user.amberfs.` is reserved for what a snapshot says of itself (snapshot-attributes.ts).

import { FsError } from '../errors/index.ts';
import {
  type Filesystem,
  XATTR_NAME_BYTES_MAX,
  XATTR_VALUE_BYTES_MAX,
  createInode,
  eachXattr,
  getXattr,
  removeXattr,
  saveInode,
  setXattr,
  xattrLength,
} from '../volume/index.ts';
import { isAclName, setAcl } from './acl.ts';
import { needInode } from './needed.ts';
import { stampChange } from './times.ts';

/** Flags of setxattr(2) (linux/xattr.h). */
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

const NAMESPACES: readonly Uint8Array[] = ['user.', 'trusted.', 'security.'].map((text) => Buffer.from(text));
const TRUSTED: Uint8Array = Buffer.from('trusted.');
const RESERVED: Uint8Array = Buffer.from('user.amberfs.');

const inode = createInode();

/** Whether `name` is one of those that snapshots carry and nobody sets. */
export function isReservedXattr(name: Uint8Array): boolean {
  return startsWith(name, RESERVED);
}

/**
 * The length of attribute `name` of inode `ino` in bytes, or -1 where there is none. A miss is no exception: the kernel
 * asks often.
 */
export function xattrBytes(fs: Filesystem, ino: number, name: Uint8Array): number {
  return xattrLength(fs, ino, name);
}

/** The value of an attribute that is there. */
export function xattrValue(fs: Filesystem, ino: number, name: Uint8Array): Uint8Array {
  const value = getXattr(fs, ino, name);
  if (value === undefined) throw new FsError('ENODATA', 'xattr-missing', 'there is no such attribute');
  return value;
}

/**
 * Sets attribute `name` of inode `ino`; `flags` are XATTR_CREATE and XATTR_REPLACE. `killSetgid` goes with access
 * control lists (acl.ts). Throws FsError EEXIST, ENODATA, EOPNOTSUPP (unknown namespace), EPERM (reserved), ERANGE
 * (name), E2BIG, EINVAL and EACCES (lists), EROFS, ENOSPC.
 */
export function setXattrValue(
  fs: Filesystem,
  ino: number,
  name: Uint8Array,
  value: Uint8Array,
  flags: number,
  killSetgid: boolean,
): void {
  checkSettable(name);
  if (name.length > XATTR_NAME_BYTES_MAX) {
    throw new FsError('ERANGE', 'xattr-name-long', `a name has at most ${XATTR_NAME_BYTES_MAX} bytes`);
  }
  if (value.length > XATTR_VALUE_BYTES_MAX) {
    throw new FsError('E2BIG', 'xattr-value-big', `a value has at most ${XATTR_VALUE_BYTES_MAX} bytes`);
  }
  needInode(fs, ino, inode);
  fs.change();
  const exists = xattrLength(fs, ino, name) >= 0;
  if (exists && (flags & XATTR_CREATE) !== 0) throw new FsError('EEXIST', 'xattr-exists', 'the attribute exists');
  if (!exists && (flags & XATTR_REPLACE) !== 0) {
    throw new FsError('ENODATA', 'xattr-replace-nothing', 'there is no such attribute to replace');
  }
  if (isAclName(name)) setAcl(fs, inode, name, value, killSetgid);
  else setXattr(fs, ino, name, value);
  stampChange(fs, inode);
  saveInode(fs, inode);
}

/** Removes attribute `name` of inode `ino`. Throws FsError ENODATA, EOPNOTSUPP, EPERM, EROFS. */
export function removeXattrValue(fs: Filesystem, ino: number, name: Uint8Array): void {
  checkSettable(name);
  needInode(fs, ino, inode);
  fs.change();
  if (xattrLength(fs, ino, name) < 0) {
    throw new FsError('ENODATA', 'xattr-remove-nothing', 'there is no such attribute to remove');
  }
  removeXattr(fs, ino, name);
  stampChange(fs, inode);
  saveInode(fs, inode);
}

let listInto: Uint8Array | undefined;
let listBytes = 0;
let listTrusted = false;

function addName(bytes: Uint8Array, start: number, end: number): void {
  if (!listTrusted && isTrusted(bytes, start)) return;
  if (listInto !== undefined && listBytes + end - start < listInto.length) {
    for (let from = start, to = listBytes; from < end; from++, to++) listInto[to] = bytes[from]!;
    listInto[listBytes + end - start] = 0;
  }
  listBytes += end - start + 1;
}

function isTrusted(bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < TRUSTED.length; i++) if (bytes[start + i] !== TRUSTED[i]) return false;
  return true;
}

/**
 * Writes the names of the attributes of inode `ino`, each with a NUL behind it, to the start of `into` (where that is
 * given), and gives how many bytes they are; where that is more than `into` has, what was written means nothing. The
 * kernel guards values and leaves lists to the filesystem: those of `trusted.` are for administrators (xattr(7)), which
 * is what `trusted` says of the caller.
 */
export function listXattrs(fs: Filesystem, ino: number, into: Uint8Array | undefined, trusted: boolean): number {
  needInode(fs, ino, inode);
  listTrusted = trusted;
  listInto = into;
  listBytes = 0;
  eachXattr(fs, ino, addName);
  listInto = undefined;
  return listBytes;
}

function checkSettable(name: Uint8Array): void {
  if (isReservedXattr(name)) {
    throw new FsError('EPERM', 'xattr-reserved', 'names that begin with user.amberfs. are reserved for snapshots');
  }
  if (isAclName(name)) return;
  for (const namespace of NAMESPACES) {
    if (!startsWith(name, namespace)) continue;
    if (name.length > namespace.length) return;
    throw new FsError('EINVAL', 'xattr-name-empty', 'a name has something behind its namespace');
  }
  throw new FsError('EOPNOTSUPP', 'xattr-namespace', 'attributes begin with user., trusted. or security.');
}

function startsWith(name: Uint8Array, prefix: Uint8Array): boolean {
  if (name.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (name[i] !== prefix[i]) return false;
  return true;
}
