// Whether a directory can be mounted on, and what is there already. Looking must not hang: a path may lead through a FUSE mount whose
// daemon is dead, stuck, or this very process, so nothing here touches the path on the event loop's thread.

import { realpath, stat, statfs } from 'node:fs/promises';
import { dirname, join, basename, resolve } from 'node:path';
import { FsError } from '../../errors/index.ts';
import type { Log } from '../../util/index.ts';
import { findMount } from './mountinfo.ts';
import { unmount } from './unmount.ts';

/** The filesystem type of our mounts as the kernel lists it. */
export const FS_TYPE = 'fuse.amberfs';

/** How long a live mount may take to answer before it counts as stuck. */
const PROBE_TIMEOUT_MS = 5000;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/**
 * The absolute path of a mount point without symlinks. The last component itself is not looked at, since it may be a dead mount, unless
 * it is a symlink. Throws FsError ENOENT if its parent does not exist.
 */
export async function canonicalMountPoint(path: string): Promise<string> {
  const absolute = resolve(path);
  if (absolute === '/') return absolute;
  const direct = await realpath(absolute).catch((error: unknown) => (codeOf(error) === 'ENOTCONN' ? undefined : null));
  if (typeof direct === 'string') return direct;
  try {
    return join(await realpath(dirname(absolute)), basename(absolute));
  } catch (cause) {
    throw new FsError('ENOENT', 'mount-point-parent', `${absolute}: the directory above it can't be reached`, {
      cause,
    });
  }
}

/** `alive`: something serves the mount. `dead`: its daemon is gone. `stuck`: no answer in time. */
export type MountHealth = 'alive' | 'dead' | 'stuck';

/**
 * Asks the mount at `path` for its statistics, which the kernel never answers from a cache: attributes of a dead mount's root may be
 * cached for long, so stat(2) proves nothing.
 */
export async function mountHealth(path: string, timeoutMs = PROBE_TIMEOUT_MS): Promise<MountHealth> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<MountHealth>((resolveTimeout) => {
    timer = setTimeout(() => {
      resolveTimeout('stuck');
    }, timeoutMs);
  });
  const answer = statfs(path).then(
    (): MountHealth => 'alive',
    // ECONNABORTED: aborted while we asked. Other errors (EACCES, EIO) come from somebody who serves.
    (error: unknown): MountHealth => (['ENOTCONN', 'ECONNABORTED'].includes(codeOf(error)) ? 'dead' : 'alive'),
  );
  const health = await Promise.race([answer, timeout]);
  clearTimeout(timer);
  return health;
}

/**
 * Makes sure that `path` (canonical) can be mounted on, and detaches a dead mount of ours that is in the way. Throws FsError: EBUSY if one of
 * ours is mounted there, ENOTCONN for a dead mount of another filesystem, ENOENT, ENOTDIR, EACCES.
 */
export async function prepareMountPoint(path: string, log: Log): Promise<void> {
  const mounted = findMount(path);
  if (mounted?.fsType.startsWith('fuse') === true) await clearTheWay(path, mounted.fsType, log);
  let info;
  try {
    info = await stat(path);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'ENOENT') {
      throw new FsError('ENOENT', 'mount-point-missing', `${path}: no such directory; create it first`, { cause });
    }
    if (code === 'EACCES') {
      throw new FsError('EACCES', 'mount-point-not-permitted', `${path}: no permission to look at it`, { cause });
    }
    throw new FsError('EIO', 'mount-point-unreadable', `${path}: it can't be looked at (${code})`, { cause });
  }
  if (!info.isDirectory()) {
    throw new FsError(
      'ENOTDIR',
      'mount-point-not-a-directory',
      `${path}: not a directory, nothing can be mounted on it`,
    );
  }
}

async function clearTheWay(path: string, fsType: string, log: Log): Promise<void> {
  const health = await mountHealth(path);
  const ours = fsType === FS_TYPE;
  if (health === 'dead' && ours) {
    log.warn(`${path}: the daemon that served this mount is gone; the dead mount is detached`);
    await unmount(path, { lazy: true });
    // Several may lie on top of each other.
    const below = findMount(path);
    if (below?.fsType.startsWith('fuse') === true) await clearTheWay(path, below.fsType, log);
    return;
  }
  const clear = `clear it with "umount -l ${path}" or "fusermount3 -uz ${path}"`;
  if (health === 'dead') {
    throw new FsError('ENOTCONN', 'mount-point-dead', `${path}: a dead mount of type ${fsType}; ${clear}`);
  }
  if (health === 'stuck') {
    throw new FsError('EBUSY', 'mount-point-stuck', `${path}: a mount of type ${fsType} does not answer; ${clear}`);
  }
  if (ours) {
    throw new FsError('EBUSY', 'mount-point-in-use', `${path}: amberfs is mounted here already; unmount it first`);
  }
}
