// The attribute of a snapshot that may need reads of dead lists: `user.amberfs.unique`. The answer is deferred, and the snapshot may be gone
// when it is found out.

import { ERRNO, FsError } from '../errors/index.ts';
import type { DeferredReply } from '../fuse/index.ts';
import { type Snapshot, type View, uniqueText } from '../vfs/index.ts';

/** Answers a GETXATTR for what deleting `snapshot` alone would free, in bytes; `size`: the caller's room, 0 to ask for the length. Never rejects. */
export async function uniqueLater(view: View, snapshot: Snapshot, size: number, reply: DeferredReply): Promise<void> {
  // Finding it out may take long; whoever asked may give up.
  reply.onInterrupt = () => {
    reply.error(ERRNO.EINTR);
  };
  try {
    const value = await uniqueText(view.volumes, snapshot);
    if (reply.done) return;
    if (!snapshot.filesystem.alive) throw new FsError('ESTALE', 'unique-of-deleted', 'the snapshot was deleted');
    if (size === 0) reply.xattrSize(value.length);
    else if (value.length > size) reply.error(ERRNO.ERANGE);
    else reply.bytes(value);
  } catch (error) {
    if (!reply.done) reply.fail(error);
  }
}
