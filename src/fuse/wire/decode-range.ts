// Requests about ranges of a file, and control requests: FALLOCATE, LSEEK, COPY_FILE_RANGE(_64), IOCTL.

import { ProtocolError } from '../../errors/index.ts';
import type { CopyFileRangeIn, FallocateIn, IoctlIn, LseekIn } from './bodies.ts';
import { FUSE_COPY_FILE_RANGE_IN, FUSE_FALLOCATE_IN, FUSE_IN_HEADER, FUSE_IOCTL_IN, FUSE_LSEEK_IN } from './layout.ts';
import type { RequestBuffer } from './request-buffer.ts';

const BODY = FUSE_IN_HEADER.SIZE;

/** Throws ProtocolError if the body is malformed, as all functions of this file do; FsError if a number is beyond 2^53. */
export function decodeFallocate(body: FallocateIn, request: RequestBuffer): void {
  request.need(FUSE_FALLOCATE_IN.SIZE);
  body.fh = request.u64(BODY + FUSE_FALLOCATE_IN.fh, 'EBADF');
  body.offset = request.u64(BODY + FUSE_FALLOCATE_IN.offset, 'EFBIG');
  body.length = request.u64(BODY + FUSE_FALLOCATE_IN.length, 'EFBIG');
  body.mode = request.u32(BODY + FUSE_FALLOCATE_IN.mode);
}

export function decodeLseek(body: LseekIn, request: RequestBuffer): void {
  request.need(FUSE_LSEEK_IN.SIZE);
  body.fh = request.u64(BODY + FUSE_LSEEK_IN.fh, 'EBADF');
  // lseek(2): ENXIO is "offset is beyond the end of the file" for SEEK_DATA and SEEK_HOLE, negative offsets included.
  body.offset = request.u64(BODY + FUSE_LSEEK_IN.offset, 'ENXIO');
  body.whence = request.u32(BODY + FUSE_LSEEK_IN.whence);
}

export function decodeCopyFileRange(body: CopyFileRangeIn, request: RequestBuffer): void {
  request.need(FUSE_COPY_FILE_RANGE_IN.SIZE);
  body.fhIn = request.u64(BODY + FUSE_COPY_FILE_RANGE_IN.fh_in, 'EBADF');
  body.offsetIn = request.u64(BODY + FUSE_COPY_FILE_RANGE_IN.off_in, 'EOVERFLOW');
  body.nodeOutHi = request.high(BODY + FUSE_COPY_FILE_RANGE_IN.nodeid_out);
  body.nodeOutLo = request.u32(BODY + FUSE_COPY_FILE_RANGE_IN.nodeid_out);
  body.fhOut = request.u64(BODY + FUSE_COPY_FILE_RANGE_IN.fh_out, 'EBADF');
  body.offsetOut = request.u64(BODY + FUSE_COPY_FILE_RANGE_IN.off_out, 'EFBIG');
  // Callers say SIZE_MAX for "all there is"; less may be done.
  body.length = request.u64Clamped(BODY + FUSE_COPY_FILE_RANGE_IN.len);
  body.flags = request.u32(BODY + FUSE_COPY_FILE_RANGE_IN.flags);
}

export function decodeIoctl(body: IoctlIn, request: RequestBuffer): void {
  request.need(FUSE_IOCTL_IN.SIZE);
  body.fh = request.u64(BODY + FUSE_IOCTL_IN.fh, 'EBADF');
  body.flags = request.u32(BODY + FUSE_IOCTL_IN.flags);
  body.cmd = request.u32(BODY + FUSE_IOCTL_IN.cmd);
  body.argHi = request.high(BODY + FUSE_IOCTL_IN.arg);
  body.argLo = request.u32(BODY + FUSE_IOCTL_IN.arg);
  body.inSize = request.u32(BODY + FUSE_IOCTL_IN.in_size);
  body.outSize = request.u32(BODY + FUSE_IOCTL_IN.out_size);
  body.bytes = request.bytes;
  body.start = BODY + FUSE_IOCTL_IN.SIZE;
  if (request.end - body.start < body.inSize) {
    throw new ProtocolError(`an IOCTL of ${body.inSize} bytes carries ${request.end - body.start} bytes`);
  }
}
