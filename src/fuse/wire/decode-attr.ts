// Requests about attributes: GETATTR, STATX, SETATTR, ACCESS.

import type { AccessIn, GetattrIn, SetattrIn, StatxIn } from './bodies.ts';
import { FATTR_FH, FATTR_SIZE, FUSE_GETATTR_FH } from './constants.ts';
import { FUSE_ACCESS_IN, FUSE_GETATTR_IN, FUSE_IN_HEADER, FUSE_SETATTR_IN, FUSE_STATX_IN } from './layout.ts';
import type { RequestBuffer } from './request-buffer.ts';

const BODY = FUSE_IN_HEADER.SIZE;

/** Throws ProtocolError if the body is too short, as all functions of this file do; FsError if a number is beyond 2^53. */
export function decodeGetattr(body: GetattrIn, request: RequestBuffer): void {
  request.need(FUSE_GETATTR_IN.SIZE);
  body.getattrFlags = request.u32(BODY + FUSE_GETATTR_IN.getattr_flags);
  // Without the flag the field is not set by the kernel; it must not be looked at.
  body.fh = (body.getattrFlags & FUSE_GETATTR_FH) !== 0 ? request.u64(BODY + FUSE_GETATTR_IN.fh, 'EBADF') : 0;
}

export function decodeStatx(body: StatxIn, request: RequestBuffer): void {
  request.need(FUSE_STATX_IN.SIZE);
  body.getattrFlags = request.u32(BODY + FUSE_STATX_IN.getattr_flags);
  body.fh = (body.getattrFlags & FUSE_GETATTR_FH) !== 0 ? request.u64(BODY + FUSE_STATX_IN.fh, 'EBADF') : 0;
  body.flags = request.u32(BODY + FUSE_STATX_IN.sx_flags);
  body.mask = request.u32(BODY + FUSE_STATX_IN.sx_mask);
}

export function decodeSetattr(body: SetattrIn, request: RequestBuffer): void {
  request.need(FUSE_SETATTR_IN.SIZE);
  const valid = request.u32(BODY + FUSE_SETATTR_IN.valid);
  body.valid = valid;
  body.fh = (valid & FATTR_FH) !== 0 ? request.u64(BODY + FUSE_SETATTR_IN.fh, 'EBADF') : 0;
  // truncate(2) to a length that no file of ours can have is EFBIG.
  body.size = (valid & FATTR_SIZE) !== 0 ? request.u64(BODY + FUSE_SETATTR_IN.size, 'EFBIG') : 0;
  body.lockOwnerHi = request.high(BODY + FUSE_SETATTR_IN.lock_owner);
  body.lockOwnerLo = request.u32(BODY + FUSE_SETATTR_IN.lock_owner);
  body.atimeSec = request.i64(BODY + FUSE_SETATTR_IN.atime);
  body.mtimeSec = request.i64(BODY + FUSE_SETATTR_IN.mtime);
  body.ctimeSec = request.i64(BODY + FUSE_SETATTR_IN.ctime);
  body.atimeNsec = request.u32(BODY + FUSE_SETATTR_IN.atimensec);
  body.mtimeNsec = request.u32(BODY + FUSE_SETATTR_IN.mtimensec);
  body.ctimeNsec = request.u32(BODY + FUSE_SETATTR_IN.ctimensec);
  body.mode = request.u32(BODY + FUSE_SETATTR_IN.mode);
  body.uid = request.u32(BODY + FUSE_SETATTR_IN.uid);
  body.gid = request.u32(BODY + FUSE_SETATTR_IN.gid);
}

export function decodeAccess(body: AccessIn, request: RequestBuffer): void {
  request.need(FUSE_ACCESS_IN.SIZE);
  body.mask = request.u32(BODY + FUSE_ACCESS_IN.mask);
}
