import type { RequestBuffer } from './request-buffer.ts';
import { FUSE_IN_HEADER } from './layout.ts';

/** `struct fuse_in_header`, decoded; one object per session, filled again for each request. */
export class RequestHeader {
  opcode = 0;
  uniqueHi = 0;
  uniqueLo = 0;
  nodeHi = 0;
  nodeLo = 0;
  uid = 0;
  gid = 0;
  pid = 0;

  /** Takes the fields from a request that `buffer` has accepted. */
  decode(buffer: RequestBuffer): void {
    this.opcode = buffer.u32(FUSE_IN_HEADER.opcode);
    this.uniqueHi = buffer.high(FUSE_IN_HEADER.unique);
    this.uniqueLo = buffer.u32(FUSE_IN_HEADER.unique);
    this.nodeHi = buffer.high(FUSE_IN_HEADER.nodeid);
    this.nodeLo = buffer.u32(FUSE_IN_HEADER.nodeid);
    this.uid = buffer.u32(FUSE_IN_HEADER.uid);
    this.gid = buffer.u32(FUSE_IN_HEADER.gid);
    this.pid = buffer.u32(FUSE_IN_HEADER.pid);
  }
}
