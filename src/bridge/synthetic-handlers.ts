// What all nodes that are not stored have in common, `.snapshots` and the symlink in it: no attribute can be set, there are no extended ones,
// and space is that of the live files.

import { ERRNO } from '../errors/index.ts';
import type { FuseHandlers, Reply } from '../fuse/index.ts';
import { answerStatfs } from './attr-handlers.ts';
import type { Bridge } from './bridge.ts';

export function syntheticHandlers(bridge: Bridge): FuseHandlers {
  const { view } = bridge;
  const eperm = (_request: unknown, _body: unknown, reply: Reply): void => {
    reply.error(ERRNO.EPERM);
  };
  return {
    ...{ setattr: eperm, setxattr: eperm, removexattr: eperm },

    getxattr(_request, _body, reply) {
      reply.error(ERRNO.ENODATA);
    },

    listxattr(_request, { size }, reply) {
      if (size === 0) reply.xattrSize(0);
      else reply.data(0);
    },

    statfs(_request, reply) {
      answerStatfs(bridge, view.tag, reply);
    },
  };
}
