// Requests about ranges of files: FALLOCATE, LSEEK, COPY_FILE_RANGE.

import { ERRNO } from '../errors/index.ts';
import type { FuseHandlers } from '../fuse/index.ts';
import { NOT_CACHED, allocate, copyRange, seek } from '../vfs/index.ts';
import type { Bridge } from './bridge.ts';
import { copyLater } from './late-reads.ts';

export function rangeHandlers(bridge: Bridge): FuseHandlers {
  const { view, node, other } = bridge;
  return {
    fallocate(request, { offset, length, mode }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      allocate(node.fs, node.ino, mode, offset, length, view.availableBytes(), isOrdinary(request.uid));
      reply.ok();
    },

    lseek(request, { offset, whence }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      const found = seek(node.fs, node.ino, offset, whence);
      if (found < 0) reply.error(ERRNO.ENXIO);
      else reply.lseek(found);
    },

    copyFileRange(request, body, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      other.resolve(view, body.nodeOutHi, body.nodeOutLo);
      const { offsetIn, offsetOut, length } = body;
      const kill = isOrdinary(request.uid);
      const count = copyRange(node.fs, node.ino, offsetIn, other.fs, other.ino, offsetOut, length, kill);
      if (count !== NOT_CACHED) {
        reply.written(count);
        return;
      }
      const from = { fs: node.fs, ino: node.ino, offset: offsetIn };
      const to = { fs: other.fs, ino: other.ino, offset: offsetOut };
      copyLater(bridge, from, to, length, kill, reply);
    },
  };
}

/**
 * FALLOCATE and COPY_FILE_RANGE do not say whether the caller has CAP_FSETID, which keeps setuid and setgid; root has
 * it, as a rule.
 */
function isOrdinary(uid: number): boolean {
  return uid !== 0;
}
