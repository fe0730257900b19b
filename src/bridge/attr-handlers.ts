// Requests about attributes, plain and extended, and about space: GETATTR, STATX, SETATTR, GETXATTR, LISTXATTR,
// SETXATTR, REMOVEXATTR, STATFS.

import { ERRNO, FsError } from '../errors/index.ts';
import { FUSE_SETXATTR_ACL_KILL_SGID, type FuseHandlers, type Reply } from '../fuse/index.ts';
import {
  NAME_BYTES_MAX,
  ROOT_INO,
  SPACE_UNIT_BYTES,
  type Space,
  isReservedXattr,
  isUniqueName,
  listXattrs,
  liveSpace,
  needInode,
  removeXattrValue,
  setAttributes,
  setXattrValue,
  snapshotAttribute,
  snapshotByTag,
  snapshotSpace,
  xattrBytes,
  xattrValue,
} from '../vfs/index.ts';
import { type Bridge, attrTrustMs } from './bridge.ts';
import { fillAttr, fillStatx } from './fill.ts';
import { uniqueLater } from './late-attributes.ts';
import { statInoHi } from './node-ids.ts';

export function attrHandlers(bridge: Bridge): FuseHandlers {
  const { view, node, inode, entry, statxOut } = bridge;
  const { attr } = entry;
  return {
    getattr(request, _body, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      needInode(node.fs, node.ino, inode);
      fillAttr(attr, inode, statInoHi(view, node.tag, node.ino));
      reply.attr(attr, attrTrustMs(inode));
    },

    statx(request, _body, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      needInode(node.fs, node.ino, inode);
      fillStatx(statxOut, inode, statInoHi(view, node.tag, node.ino));
      reply.statx(statxOut, attrTrustMs(inode));
    },

    setattr(request, body, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      setAttributes(node.fs, node.ino, body, inode);
      fillAttr(attr, inode, statInoHi(view, node.tag, node.ino));
      reply.attr(attr, attrTrustMs(inode));
    },

    getxattr(request, { name, size }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      const { fs, ino, tag } = node;
      if (isReservedXattr(name)) {
        const unique = ino === ROOT_INO && isUniqueName(name) ? snapshotByTag(view.volume, tag) : undefined;
        if (unique !== undefined) {
          uniqueLater(bridge, unique, size, reply);
          return;
        }
        answerValue(reply, ino === ROOT_INO ? snapshotXattr(bridge, tag, name) : undefined, size);
        return;
      }
      const length = xattrBytes(fs, ino, name);
      if (length < 0) reply.error(ERRNO.ENODATA);
      else if (size === 0) reply.xattrSize(length);
      else if (length > size) reply.error(ERRNO.ERANGE);
      else reply.bytes(xattrValue(fs, ino, name));
    },

    listxattr(request, { size }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      // Of CAP_SYS_ADMIN the request says nothing; root has it, as a rule.
      const length = listXattrs(node.fs, node.ino, size === 0 ? undefined : reply.payload, request.uid === 0);
      if (size === 0) reply.xattrSize(length);
      else if (length > size) reply.error(ERRNO.ERANGE);
      else reply.data(length);
    },

    setxattr(request, { name, value, flags, setxattrFlags }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      const killSetgid = (setxattrFlags & FUSE_SETXATTR_ACL_KILL_SGID) !== 0;
      setXattrValue(node.fs, node.ino, name, value, flags, killSetgid);
      reply.ok();
    },

    removexattr(request, { name }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      removeXattrValue(node.fs, node.ino, name);
      reply.ok();
    },

    statfs(request, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      answerStatfs(bridge, node.tag, reply);
    },
  };
}

function snapshotXattr(bridge: Bridge, tag: number, name: Uint8Array): Uint8Array | undefined {
  const snapshot = snapshotByTag(bridge.view.volume, tag);
  return snapshot === undefined ? undefined : snapshotAttribute(snapshot, name);
}

function answerValue(reply: Reply, value: Uint8Array | undefined, size: number): void {
  if (value === undefined) reply.error(ERRNO.ENODATA);
  else if (size === 0) reply.xattrSize(value.length);
  else if (value.length > size) reply.error(ERRNO.ERANGE);
  else reply.bytes(value);
}

const space: Space = { totalBlocks: 0, availableBlocks: 0 };

/** Answers STATFS for the version with `tag`: a snapshot's own figures, or those of the live files. */
export function answerStatfs(bridge: Bridge, tag: number, reply: Reply): void {
  const { view, statfsOut } = bridge;
  if (tag === view.tag && view.snapshot === undefined) {
    liveSpace(view, space);
  } else {
    const snapshot = snapshotByTag(view.volume, tag);
    if (snapshot === undefined) throw new FsError('ESTALE', 'statfs-of-deleted', 'the snapshot was deleted');
    snapshotSpace(snapshot, space);
  }
  statfsOut.blocks = space.totalBlocks;
  statfsOut.bfree = space.availableBlocks;
  statfsOut.bavail = space.availableBlocks;
  // As on btrfs: inodes are made as they are needed, there is no number of them to run out of, and none is counted.
  statfsOut.files = 0;
  statfsOut.ffree = 0;
  statfsOut.bsize = SPACE_UNIT_BYTES;
  statfsOut.frsize = SPACE_UNIT_BYTES;
  statfsOut.namelen = NAME_BYTES_MAX;
  reply.statfs(statfsOut);
}
