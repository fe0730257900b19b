// Requests about the session itself: INIT, INTERRUPT, FORGET, BATCH_FORGET. The latter two are never answered.

import { ProtocolError } from '../../errors/index.ts';
import {
  FUSE_BATCH_FORGET_IN,
  FUSE_FORGET_IN,
  FUSE_FORGET_ONE,
  FUSE_INIT_IN,
  FUSE_INIT_IN_SIZE_BEFORE_EXT,
  FUSE_INTERRUPT_IN,
  FUSE_IN_HEADER,
} from './layout.ts';
import type { RequestBuffer } from './request-buffer.ts';
import type { RequestHeader } from './request-header.ts';

const BODY = FUSE_IN_HEADER.SIZE;

/** `struct fuse_init_in`. `flags2` is 0 where the kernel is older than 7.36. */
export class InitIn {
  major = 0;
  minor = 0;
  maxReadahead = 0;
  flags = 0;
  flags2 = 0;
}

/** Throws ProtocolError if the body is malformed, as all functions of this file do. */
export function decodeInit(body: InitIn, request: RequestBuffer): void {
  request.need(FUSE_INIT_IN_SIZE_BEFORE_EXT);
  body.major = request.u32(BODY + FUSE_INIT_IN.major);
  body.minor = request.u32(BODY + FUSE_INIT_IN.minor);
  body.maxReadahead = request.u32(BODY + FUSE_INIT_IN.max_readahead);
  body.flags = request.u32(BODY + FUSE_INIT_IN.flags);
  body.flags2 = request.end >= BODY + FUSE_INIT_IN.flags2 + 4 ? request.u32(BODY + FUSE_INIT_IN.flags2) : 0;
}

/** The unique of the request that INTERRUPT is about. */
export class InterruptIn {
  uniqueHi = 0;
  uniqueLo = 0;
}

export function decodeInterrupt(body: InterruptIn, request: RequestBuffer): void {
  request.need(FUSE_INTERRUPT_IN.SIZE);
  body.uniqueHi = request.high(BODY + FUSE_INTERRUPT_IN.unique);
  body.uniqueLo = request.u32(BODY + FUSE_INTERRUPT_IN.unique);
}

/** Told once per node. */
export type Forget = (nodeHi: number, nodeLo: number, nlookup: number) => void;

export function decodeForget(header: RequestHeader, request: RequestBuffer, forget: Forget): void {
  request.need(FUSE_FORGET_IN.SIZE);
  forget(header.nodeHi, header.nodeLo, request.u64Clamped(BODY + FUSE_FORGET_IN.nlookup));
}

/** Nothing is forgotten if the count contradicts the length. */
export function decodeBatchForget(request: RequestBuffer, forget: Forget): void {
  request.need(FUSE_BATCH_FORGET_IN.SIZE);
  const count = request.u32(BODY + FUSE_BATCH_FORGET_IN.count);
  const first = BODY + FUSE_BATCH_FORGET_IN.SIZE;
  if (count * FUSE_FORGET_ONE.SIZE > request.end - first) {
    throw new ProtocolError(`a BATCH_FORGET of ${count} nodes has ${request.end - first} bytes for them`);
  }
  for (let i = 0, at = first; i < count; i++, at += FUSE_FORGET_ONE.SIZE) {
    const node = at + FUSE_FORGET_ONE.nodeid;
    forget(request.high(node), request.u32(node), request.u64Clamped(at + FUSE_FORGET_ONE.nlookup));
  }
}
