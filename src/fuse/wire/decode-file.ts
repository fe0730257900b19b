// Requests about open files and directories: OPEN(DIR), CREATE, TMPFILE, READ, READDIR(PLUS), WRITE, RELEASE(DIR), FLUSH, FSYNC(DIR).

import { ProtocolError } from '../../errors/index.ts';
import type { CreateIn, FlushIn, FsyncIn, OpenIn, ReadIn, ReleaseIn, WriteIn } from './bodies.ts';
import {
  FUSE_CREATE_IN,
  FUSE_FLUSH_IN,
  FUSE_FSYNC_IN,
  FUSE_IN_HEADER,
  FUSE_OPEN_IN,
  FUSE_READ_IN,
  FUSE_RELEASE_IN,
  FUSE_WRITE_IN,
} from './layout.ts';
import type { RequestBuffer } from './request-buffer.ts';

const BODY = FUSE_IN_HEADER.SIZE;

/** Throws ProtocolError if the body is malformed, as all functions of this file do; FsError if a number is beyond 2^53. */
export function decodeOpen(body: OpenIn, request: RequestBuffer): void {
  request.need(FUSE_OPEN_IN.SIZE);
  body.flags = request.u32(BODY + FUSE_OPEN_IN.flags);
  body.openFlags = request.u32(BODY + FUSE_OPEN_IN.open_flags);
}

export function decodeCreate(body: CreateIn, request: RequestBuffer): void {
  request.need(FUSE_CREATE_IN.SIZE);
  body.flags = request.u32(BODY + FUSE_CREATE_IN.flags);
  body.mode = request.u32(BODY + FUSE_CREATE_IN.mode);
  body.umask = request.u32(BODY + FUSE_CREATE_IN.umask);
  body.openFlags = request.u32(BODY + FUSE_CREATE_IN.open_flags);
  const nameAt = BODY + FUSE_CREATE_IN.SIZE;
  body.name = request.bytes.subarray(nameAt, request.nameEnd(nameAt));
}

export function decodeRead(body: ReadIn, request: RequestBuffer): void {
  request.need(FUSE_READ_IN.SIZE);
  body.fh = request.u64(BODY + FUSE_READ_IN.fh, 'EBADF');
  body.offset = request.u64(BODY + FUSE_READ_IN.offset, 'EINVAL');
  body.size = request.u32(BODY + FUSE_READ_IN.size);
  body.readFlags = request.u32(BODY + FUSE_READ_IN.read_flags);
  body.lockOwnerHi = request.high(BODY + FUSE_READ_IN.lock_owner);
  body.lockOwnerLo = request.u32(BODY + FUSE_READ_IN.lock_owner);
  body.flags = request.u32(BODY + FUSE_READ_IN.flags);
}

export function decodeWrite(body: WriteIn, request: RequestBuffer): void {
  request.need(FUSE_WRITE_IN.SIZE);
  body.fh = request.u64(BODY + FUSE_WRITE_IN.fh, 'EBADF');
  body.offset = request.u64(BODY + FUSE_WRITE_IN.offset, 'EFBIG');
  body.size = request.u32(BODY + FUSE_WRITE_IN.size);
  body.writeFlags = request.u32(BODY + FUSE_WRITE_IN.write_flags);
  body.lockOwnerHi = request.high(BODY + FUSE_WRITE_IN.lock_owner);
  body.lockOwnerLo = request.u32(BODY + FUSE_WRITE_IN.lock_owner);
  body.flags = request.u32(BODY + FUSE_WRITE_IN.flags);
  body.bytes = request.bytes;
  body.start = BODY + FUSE_WRITE_IN.SIZE;
  if (request.end - body.start !== body.size) {
    throw new ProtocolError(`a WRITE of ${body.size} bytes carries ${request.end - body.start} bytes of data`);
  }
}

export function decodeRelease(body: ReleaseIn, request: RequestBuffer): void {
  request.need(FUSE_RELEASE_IN.SIZE);
  body.fh = request.u64(BODY + FUSE_RELEASE_IN.fh, 'EBADF');
  body.flags = request.u32(BODY + FUSE_RELEASE_IN.flags);
  body.releaseFlags = request.u32(BODY + FUSE_RELEASE_IN.release_flags);
  body.lockOwnerHi = request.high(BODY + FUSE_RELEASE_IN.lock_owner);
  body.lockOwnerLo = request.u32(BODY + FUSE_RELEASE_IN.lock_owner);
}

export function decodeFlush(body: FlushIn, request: RequestBuffer): void {
  request.need(FUSE_FLUSH_IN.SIZE);
  body.fh = request.u64(BODY + FUSE_FLUSH_IN.fh, 'EBADF');
  body.lockOwnerHi = request.high(BODY + FUSE_FLUSH_IN.lock_owner);
  body.lockOwnerLo = request.u32(BODY + FUSE_FLUSH_IN.lock_owner);
}

export function decodeFsync(body: FsyncIn, request: RequestBuffer): void {
  request.need(FUSE_FSYNC_IN.SIZE);
  body.fh = request.u64(BODY + FUSE_FSYNC_IN.fh, 'EBADF');
  body.fsyncFlags = request.u32(BODY + FUSE_FSYNC_IN.fsync_flags);
}
