// Telling the kernel of what was changed from outside of the mount: by the command line, by a schedule. It trusts what
// it has cached for a day otherwise.

import type { Bridge } from './bridge.ts';
import { FUSE_ROOT_ID } from '../fuse/index.ts';
import { SNAPDIR_NAME } from '../vfs/index.ts';
import { SNAPDIR_NODE_LO } from './node-ids.ts';

/**
 * Snapshots came, went or changed their names: `names` are the access points concerned, old and new ones. Afterwards a
 * look-up of any of them asks anew, also where the kernel had remembered that there is none; what it had cached below a
 * deleted one is dropped, and open files there answer ESTALE. Resolves when the kernel has taken it in; never rejects.
 * Does nothing where the mount shows no `.snapshots` or is not there yet. `latest` needs no word: the kernel trusts it
 * for no time (latest-handlers.ts).
 */
export async function invalidateSnapshots(bridge: Bridge, names: readonly string[]): Promise<void> {
  const { session, view } = bridge;
  if (session === undefined || view.snapshot !== undefined) return;
  const { notify } = session;
  // Attributes (link count, times), and from byte 0 on the pages, which in a directory are its cached listing.
  const told = [notify.invalInode(0, SNAPDIR_NODE_LO, 0, 0)];
  for (const name of names) told.push(notify.invalEntry(0, SNAPDIR_NODE_LO, Buffer.from(name)));
  await Promise.all(told);
}

/**
 * The volume's property `snapdir` changed: `.snapshots` is there now, or no longer, or in listings of the root. As
 * {@link invalidateSnapshots}.
 */
export async function invalidateSnapdir(bridge: Bridge): Promise<void> {
  const { session, view } = bridge;
  if (session === undefined || view.snapshot !== undefined) return;
  const { notify } = session;
  await Promise.all([notify.invalInode(0, FUSE_ROOT_ID, 0, 0), notify.invalEntry(0, FUSE_ROOT_ID, SNAPDIR_NAME)]);
}
