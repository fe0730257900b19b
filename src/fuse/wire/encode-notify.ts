// Messages that the server sends of its own accord: `struct fuse_out_header` with unique 0 and a code in `error`. Each is a new buffer,
// because it waits in a queue and leaves from another thread.

import { assert } from '../../util/index.ts';
import {
  FUSE_EXPIRE_ONLY,
  FUSE_NOTIFY_DELETE,
  FUSE_NOTIFY_INC_EPOCH,
  FUSE_NOTIFY_INVAL_ENTRY,
  FUSE_NOTIFY_INVAL_INODE,
} from './constants.ts';
import {
  FUSE_NOTIFY_DELETE_OUT,
  FUSE_NOTIFY_INVAL_ENTRY_OUT,
  FUSE_NOTIFY_INVAL_INODE_OUT,
  FUSE_OUT_HEADER,
} from './layout.ts';

const BODY = FUSE_OUT_HEADER.SIZE;

function message(code: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(BODY + bodyBytes);
  bytes.writeUInt32LE(bytes.length, FUSE_OUT_HEADER.len);
  bytes.writeInt32LE(code, FUSE_OUT_HEADER.error);
  return bytes;
}

function putNode(bytes: Buffer, at: number, nodeHi: number, nodeLo: number): void {
  bytes.writeUInt32LE(nodeLo, at);
  bytes.writeUInt32LE(nodeHi, at + 4);
}

/** A signed 64-bit number of magnitude up to 2^53. */
function putI64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value >>> 0, at);
  bytes.writeInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

/** Where the name starts, with the NUL after it that the kernel insists on. */
function putName(bytes: Buffer, at: number, name: Uint8Array): void {
  assert(name.length > 0, 'a notification names an entry');
  bytes.set(name, at);
}

/**
 * FUSE_NOTIFY_INVAL_INODE: attributes are stale, and cached data from `offset` on for `length` bytes. `offset` negative: attributes
 * alone. `length` 0 or negative: to the end.
 */
export function encodeInvalInode(nodeHi: number, nodeLo: number, offset: number, length: number): Buffer {
  const bytes = message(FUSE_NOTIFY_INVAL_INODE, FUSE_NOTIFY_INVAL_INODE_OUT.SIZE);
  putNode(bytes, BODY + FUSE_NOTIFY_INVAL_INODE_OUT.ino, nodeHi, nodeLo);
  putI64(bytes, BODY + FUSE_NOTIFY_INVAL_INODE_OUT.off, offset);
  putI64(bytes, BODY + FUSE_NOTIFY_INVAL_INODE_OUT.len, length);
  return bytes;
}

/** FUSE_NOTIFY_INVAL_ENTRY: what a name stands for is stale. `expireOnly` (7.38): look it up again, but don't unmount what is below. */
export function encodeInvalEntry(parentHi: number, parentLo: number, name: Uint8Array, expireOnly: boolean): Buffer {
  const nameAt = BODY + FUSE_NOTIFY_INVAL_ENTRY_OUT.SIZE;
  const bytes = message(FUSE_NOTIFY_INVAL_ENTRY, FUSE_NOTIFY_INVAL_ENTRY_OUT.SIZE + name.length + 1);
  putNode(bytes, BODY + FUSE_NOTIFY_INVAL_ENTRY_OUT.parent, parentHi, parentLo);
  bytes.writeUInt32LE(name.length, BODY + FUSE_NOTIFY_INVAL_ENTRY_OUT.namelen);
  bytes.writeUInt32LE(expireOnly ? FUSE_EXPIRE_ONLY : 0, BODY + FUSE_NOTIFY_INVAL_ENTRY_OUT.flags);
  putName(bytes, nameAt, name);
  return bytes;
}

/** FUSE_NOTIFY_DELETE: the entry that stood for `child` is gone. */
export function encodeDelete(
  parentHi: number,
  parentLo: number,
  childHi: number,
  childLo: number,
  name: Uint8Array,
): Buffer {
  const bytes = message(FUSE_NOTIFY_DELETE, FUSE_NOTIFY_DELETE_OUT.SIZE + name.length + 1);
  putNode(bytes, BODY + FUSE_NOTIFY_DELETE_OUT.parent, parentHi, parentLo);
  putNode(bytes, BODY + FUSE_NOTIFY_DELETE_OUT.child, childHi, childLo);
  bytes.writeUInt32LE(name.length, BODY + FUSE_NOTIFY_DELETE_OUT.namelen);
  putName(bytes, BODY + FUSE_NOTIFY_DELETE_OUT.SIZE, name);
  return bytes;
}

/** FUSE_NOTIFY_INC_EPOCH (7.44): every cached name of the mount is to be looked up again. */
export function encodeIncEpoch(): Buffer {
  return message(FUSE_NOTIFY_INC_EPOCH, 0);
}
