// Requests about extended attributes: SETXATTR, GETXATTR, LISTXATTR. REMOVEXATTR is a name alone (decode-node.ts).

import { ProtocolError } from '../../errors/index.ts';
import type { GetxattrIn, SetxattrIn } from './bodies.ts';
import { FUSE_GETXATTR_IN, FUSE_IN_HEADER, FUSE_SETXATTR_IN, FUSE_SETXATTR_IN_SIZE_BEFORE_EXT } from './layout.ts';
import type { RequestBuffer } from './request-buffer.ts';

const BODY = FUSE_IN_HEADER.SIZE;
const NO_NAME = new Uint8Array(0);

/** SETXATTR where `FUSE_SETXATTR_EXT` was agreed. Throws ProtocolError if the body is malformed, as all functions of this file do. */
export function decodeSetxattrExt(body: SetxattrIn, request: RequestBuffer): void {
  request.need(FUSE_SETXATTR_IN.SIZE);
  body.setxattrFlags = request.u32(BODY + FUSE_SETXATTR_IN.setxattr_flags);
  decodeSetxattrRest(body, request, BODY + FUSE_SETXATTR_IN.SIZE);
}

/** SETXATTR where it was not: the fixed part is shorter. */
export function decodeSetxattr(body: SetxattrIn, request: RequestBuffer): void {
  request.need(FUSE_SETXATTR_IN_SIZE_BEFORE_EXT);
  body.setxattrFlags = 0;
  decodeSetxattrRest(body, request, BODY + FUSE_SETXATTR_IN_SIZE_BEFORE_EXT);
}

function decodeSetxattrRest(body: SetxattrIn, request: RequestBuffer, nameAt: number): void {
  const size = request.u32(BODY + FUSE_SETXATTR_IN.size);
  body.flags = request.u32(BODY + FUSE_SETXATTR_IN.flags);
  const nameEnd = request.nameEnd(nameAt);
  if (request.end - (nameEnd + 1) !== size) {
    throw new ProtocolError(`a SETXATTR of ${size} bytes carries ${request.end - nameEnd - 1} bytes`);
  }
  body.name = request.bytes.subarray(nameAt, nameEnd);
  body.value = request.bytes.subarray(nameEnd + 1, nameEnd + 1 + size);
}

export function decodeGetxattr(body: GetxattrIn, request: RequestBuffer): void {
  request.need(FUSE_GETXATTR_IN.SIZE);
  body.size = request.u32(BODY + FUSE_GETXATTR_IN.size);
  const nameAt = BODY + FUSE_GETXATTR_IN.SIZE;
  body.name = request.bytes.subarray(nameAt, request.nameEnd(nameAt));
}

export function decodeListxattr(body: GetxattrIn, request: RequestBuffer): void {
  request.need(FUSE_GETXATTR_IN.SIZE);
  body.size = request.u32(BODY + FUSE_GETXATTR_IN.size);
  body.name = NO_NAME;
}
