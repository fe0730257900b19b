// Requests about names and nodes: LOOKUP, UNLINK, RMDIR, SYMLINK, LINK, MKNOD, MKDIR, RENAME, RENAME2.

import type { LinkIn, MknodIn, NameIn, RenameIn, SymlinkIn } from './bodies.ts';
import {
  FUSE_IN_HEADER,
  FUSE_LINK_IN,
  FUSE_MKDIR_IN,
  FUSE_MKNOD_IN,
  FUSE_RENAME2_IN,
  FUSE_RENAME_IN,
} from './layout.ts';
import type { RequestBuffer } from './request-buffer.ts';

const BODY = FUSE_IN_HEADER.SIZE;

/** The body of LOOKUP, UNLINK, RMDIR and REMOVEXATTR. Throws ProtocolError, as all functions of this file do, if it is malformed. */
export function decodeName(body: NameIn, request: RequestBuffer): void {
  body.name = request.bytes.subarray(BODY, request.nameEnd(BODY));
}

export function decodeSymlink(body: SymlinkIn, request: RequestBuffer): void {
  const nameEnd = request.nameEnd(BODY);
  body.name = request.bytes.subarray(BODY, nameEnd);
  body.target = request.bytes.subarray(nameEnd + 1, request.nameEnd(nameEnd + 1));
}

export function decodeLink(body: LinkIn, request: RequestBuffer): void {
  request.need(FUSE_LINK_IN.SIZE);
  body.oldNodeHi = request.high(BODY + FUSE_LINK_IN.oldnodeid);
  body.oldNodeLo = request.u32(BODY + FUSE_LINK_IN.oldnodeid);
  const nameAt = BODY + FUSE_LINK_IN.SIZE;
  body.newName = request.bytes.subarray(nameAt, request.nameEnd(nameAt));
}

export function decodeMknod(body: MknodIn, request: RequestBuffer): void {
  request.need(FUSE_MKNOD_IN.SIZE);
  body.mode = request.u32(BODY + FUSE_MKNOD_IN.mode);
  body.rdev = request.u32(BODY + FUSE_MKNOD_IN.rdev);
  body.umask = request.u32(BODY + FUSE_MKNOD_IN.umask);
  const nameAt = BODY + FUSE_MKNOD_IN.SIZE;
  body.name = request.bytes.subarray(nameAt, request.nameEnd(nameAt));
}

export function decodeMkdir(body: MknodIn, request: RequestBuffer): void {
  request.need(FUSE_MKDIR_IN.SIZE);
  body.mode = request.u32(BODY + FUSE_MKDIR_IN.mode);
  body.rdev = 0;
  body.umask = request.u32(BODY + FUSE_MKDIR_IN.umask);
  const nameAt = BODY + FUSE_MKDIR_IN.SIZE;
  body.name = request.bytes.subarray(nameAt, request.nameEnd(nameAt));
}

export function decodeRename(body: RenameIn, request: RequestBuffer): void {
  request.need(FUSE_RENAME_IN.SIZE);
  body.flags = 0;
  decodeRenameNames(body, request, BODY + FUSE_RENAME_IN.SIZE);
}

export function decodeRename2(body: RenameIn, request: RequestBuffer): void {
  request.need(FUSE_RENAME2_IN.SIZE);
  body.flags = request.u32(BODY + FUSE_RENAME2_IN.flags);
  decodeRenameNames(body, request, BODY + FUSE_RENAME2_IN.SIZE);
}

/** The new directory stands first in both forms, the two names after the fixed part. */
function decodeRenameNames(body: RenameIn, request: RequestBuffer, oldAt: number): void {
  body.newDirHi = request.high(BODY + FUSE_RENAME_IN.newdir);
  body.newDirLo = request.u32(BODY + FUSE_RENAME_IN.newdir);
  const oldEnd = request.nameEnd(oldAt);
  body.oldName = request.bytes.subarray(oldAt, oldEnd);
  body.newName = request.bytes.subarray(oldEnd + 1, request.nameEnd(oldEnd + 1));
}
