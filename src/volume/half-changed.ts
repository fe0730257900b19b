// What a change left that ended half-way, be it at damaged metadata or where nobody foresaw it. It is in memory only: it must not become durable,
// and nobody is to take it for what the files hold.

import { CorruptionError, DamagedDataError, FsError, StoreError } from '../errors/index.ts';
import type { Tree } from '../tree/index.ts';
import type { Log } from '../util/index.ts';
import type { Volume } from './volume.ts';

/**
 * Why nothing may become durable after an operation that threw `error`, if so: it met damaged metadata, or it `hasChanged` something and ended in
 * a way that no operation is made for. Those that fail with an FsError, or because the host failed with contents of files, leave all things whole.
 */
export function failureAfter(error: unknown, hasChanged: boolean): Error | undefined {
  if (error instanceof DamagedDataError) return undefined;
  if (error instanceof CorruptionError) return error;
  if (!hasChanged || error instanceof FsError || error instanceof StoreError) return undefined;
  const why = error instanceof Error ? error.message : String(error);
  return new StoreError(`a fault of amberfs ended a change half-way: ${why}; please report it with the log`, {
    cause: error,
  });
}

/** Has everything answer EIO that wants to see files of those `volumes` whose trees are among `changed`, and says so. Their snapshots stay. */
export function hideHalfChanged(volumes: Iterable<Volume>, changed: readonly Tree[], log: Log): void {
  for (const { name, filesystem } of volumes) {
    if (!changed.includes(filesystem.tree)) continue;
    const why = `a change of volume ${name} ended half-way; unmount all mounts of the store and mount it again to see it as it was before`;
    filesystem.halfChanged = new FsError('EIO', 'half-changed', why);
    log.error(why);
  }
}
