// Where a view must not be mounted.

import { FsError } from '../errors/index.ts';

/**
 * Throws EINVAL where a mount on `dir` would cover the store at `storePath` or lie in it (both absolute, without symlinks). The daemon opens
 * files of the store by their paths while it serves: through a mount of its own it would wait for itself.
 */
export function assertApart(dir: string, storePath: string): void {
  if (isWithin(storePath, dir)) {
    throw new FsError(
      'EINVAL',
      'mount-covers-store',
      `${dir}: the store ${storePath} lies in this directory and would be covered by the mount; choose another directory`,
    );
  }
  if (isWithin(dir, storePath)) {
    throw new FsError(
      'EINVAL',
      'mount-in-store',
      `${dir}: this directory lies in the store ${storePath}, which is the daemon's alone; choose another directory`,
    );
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}
