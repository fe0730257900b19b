// POSIX access control lists as the kernel hands them over and we store them: the bytes of the extended attributes
// system.posix_acl_*.
//
//   0  u32  version, 2
//   then for each entry: u16 tag, u16 permissions (rwx), u32 user or group id; all little-endian
// (linux/posix_acl_xattr.h, linux/posix_acl.h.) The rules are those of fs/posix_acl.c and of acl(5): a list that has
// only the three base entries says what the mode says ("minimal"); in any other the group bits of the mode are the
// mask.

import { FsError } from '../errors/index.ts';

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;

const ACL_USER_OBJ = 0x01;
const ACL_USER = 0x02;
const ACL_GROUP_OBJ = 0x04;
const ACL_GROUP = 0x08;
const ACL_MASK = 0x10;
const ACL_OTHER = 0x20;

function tagAt(acl: Uint8Array, at: number): number {
  return acl[at]! | (acl[at + 1]! << 8);
}

function permissionsAt(acl: Uint8Array, at: number): number {
  return acl[at + 2]! & 7;
}

/** Throws FsError EINVAL unless `acl` is a complete list in the order that acl(5) prescribes. */
export function checkAcl(acl: Uint8Array): void {
  if (!isValid(acl)) throw new FsError('EINVAL', 'acl-malformed', 'the access control list is malformed');
}

function isValid(acl: Uint8Array): boolean {
  if (acl.length <= HEADER_BYTES || (acl.length - HEADER_BYTES) % ENTRY_BYTES !== 0) return false;
  if ((acl[0]! | (acl[1]! << 8) | (acl[2]! << 16) | (acl[3]! << 24)) !== VERSION) return false;
  let last = 0;
  let seen = 0;
  for (let at = HEADER_BYTES; at < acl.length; at += ENTRY_BYTES) {
    const tag = tagAt(acl, at);
    const isNamed = tag === ACL_USER || tag === ACL_GROUP;
    const known = isNamed || tag === ACL_USER_OBJ || tag === ACL_GROUP_OBJ || tag === ACL_MASK || tag === ACL_OTHER;
    // The tags are single bits in the prescribed order; only named entries may be repeated.
    if (!known || tag < last || (tag === last && !isNamed)) return false;
    if ((acl[at + 2]! & ~7) !== 0 || acl[at + 3] !== 0) return false;
    last = tag;
    seen |= tag;
  }
  const base = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;
  const masked = (seen & (ACL_USER | ACL_GROUP)) === 0 || (seen & ACL_MASK) !== 0;
  return (seen & base) === base && masked;
}

/** Whether `acl` says no more than a mode does. */
export function isMinimalAcl(acl: Uint8Array): boolean {
  for (let at = HEADER_BYTES; at < acl.length; at += ENTRY_BYTES) {
    if ((tagAt(acl, at) & (ACL_USER | ACL_GROUP | ACL_MASK)) !== 0) return false;
  }
  return true;
}

/** The nine permission bits that `acl` gives a file: where there is a mask, it stands in the place of the group. */
export function aclPermissions(acl: Uint8Array): number {
  let bits = 0;
  let group = 0;
  let mask = -1;
  for (let at = HEADER_BYTES; at < acl.length; at += ENTRY_BYTES) {
    const permissions = permissionsAt(acl, at);
    const tag = tagAt(acl, at);
    if (tag === ACL_USER_OBJ) bits |= permissions << 6;
    else if (tag === ACL_OTHER) bits |= permissions;
    else if (tag === ACL_GROUP_OBJ) group = permissions;
    else if (tag === ACL_MASK) mask = permissions;
  }
  return bits | ((mask >= 0 ? mask : group) << 3);
}

/** Gives `acl` the nine permission bits of a new mode (chmod). */
export function setAclPermissions(acl: Uint8Array, bits: number): void {
  const groupTag = isMinimalAcl(acl) ? ACL_GROUP_OBJ : ACL_MASK;
  for (let at = HEADER_BYTES; at < acl.length; at += ENTRY_BYTES) {
    const tag = tagAt(acl, at);
    if (tag === ACL_USER_OBJ) acl[at + 2] = (bits >>> 6) & 7;
    else if (tag === ACL_OTHER) acl[at + 2] = bits & 7;
    else if (tag === groupTag) acl[at + 2] = (bits >>> 3) & 7;
  }
}

/**
 * Takes from `acl`, a copy of a directory's default list, what a new file does not get that asks for the permission
 * bits `bits`.
 */
export function limitAclPermissions(acl: Uint8Array, bits: number): void {
  setAclPermissions(acl, aclPermissions(acl) & bits);
}
