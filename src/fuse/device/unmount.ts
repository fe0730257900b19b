// Unmounting. The kernel may send requests while it unmounts (dirty pages of mmap go out), so the daemon must go on serving: the call runs
// on another thread, or in fusermount3.

import { FsError, ERRNO } from '../../errors/index.ts';
import { runFusermount } from './fusermount.ts';
import { MNT_DETACH, umount2 } from './libc.ts';

export interface UnmountOptions {
  /** Takes the mount out of the tree at once and ends it when nobody uses it any more (MNT_DETACH), instead of refusing while it is in use. */
  readonly lazy?: boolean;
}

/**
 * Unmounts what is mounted at `path` (canonical). Throws FsError: EBUSY if it is in use, EPERM if it is not ours to unmount, EINVAL if
 * nothing is mounted there.
 */
export async function unmount(path: string, options: UnmountOptions = {}): Promise<void> {
  const lazy = options.lazy === true;
  const errno = await umount2(path, lazy ? MNT_DETACH : 0);
  switch (errno) {
    case 0:
      return;
    case ERRNO.EBUSY:
      throw new FsError(
        'EBUSY',
        'unmount-busy',
        `${path}: in use; close what is open there, leave it as current directory, or unmount lazily`,
      );
    case ERRNO.EINVAL:
    case ERRNO.ENOENT:
      throw new FsError('EINVAL', 'unmount-not-mounted', `${path}: nothing is mounted here`);
    case ERRNO.EPERM:
      // Not root: the helper unmounts what the same user mounted.
      await unmountByHelper(path, lazy);
      return;
    default:
      throw new FsError('EIO', 'unmount-failed', `${path}: unmounting failed with errno ${errno}`);
  }
}

async function unmountByHelper(path: string, lazy: boolean): Promise<void> {
  const result = await runFusermount(['-u', '-q', ...(lazy ? ['-z'] : []), '--', path]);
  if (result.status === 0) return;
  const busy = /busy/i.test(result.stderr);
  if (busy) throw new FsError('EBUSY', 'unmount-helper-busy', `${path}: in use (${result.stderr})`);
  throw new FsError('EPERM', 'unmount-helper-refused', `${path}: fusermount3 could not unmount it: ${result.stderr}`);
}
