// What a change left that met damaged metadata in its midst. It is in memory only, and nobody is to take it for what the files hold.

import { FsError } from '../errors/index.ts';
import type { Tree } from '../tree/index.ts';
import type { Log } from '../util/index.ts';
import type { Volume } from './volume.ts';

/** Has everything answer EIO that wants to see files of those `volumes` whose trees are among `changed`, and says so. Their snapshots stay. */
export function hideHalfChanged(volumes: Iterable<Volume>, changed: readonly Tree[], log: Log): void {
  for (const { name, filesystem } of volumes) {
    if (!changed.includes(filesystem.tree)) continue;
    const why = `volume ${name} was being changed where its metadata is damaged; unmount all mounts of the store and mount it again to see it as it was before`;
    filesystem.halfChanged = new FsError('EIO', 'half-changed', why);
    log.error(why);
  }
}
