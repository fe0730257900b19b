// The attribute of a snapshot that may need reads of dead lists: `user.amberfs.unique`. The answer is deferred, and the snapshot may be gone
// when it is found out.

import { ERRNO, FsError } from '../errors/index.ts';
import type { Reply } from '../fuse/index.ts';
import { type Snapshot, uniqueText } from '../vfs/index.ts';
import type { Bridge } from './bridge.ts';

/** Answers a GETXATTR for what deleting `snapshot` alone would free, in bytes; `size`: the caller's room, 0 to ask for the length. */
export function uniqueLater(bridge: Bridge, snapshot: Snapshot, size: number, reply: Reply): void {
  bridge.answerLater(
    reply,
    (later) => {
      // Finding it out may take long; whoever asked may give up.
      later.onInterrupt = () => {
        later.error(ERRNO.EINTR);
      };
      return uniqueText(bridge.view.volumes, snapshot);
    },
    (later, value) => {
      if (!snapshot.filesystem.alive) throw new FsError('ESTALE', 'unique-of-deleted', 'the snapshot was deleted');
      if (size === 0) later.xattrSize(value.length);
      else if (value.length > size) later.error(ERRNO.ERANGE);
      else later.bytes(value);
    },
  );
}
