// Unmounting, as the command line asks for it: by the daemon, which first makes durable what was written, or, where a daemon died, by
// taking the dead mount away.

import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FsError } from '../../errors/index.ts';
import { connectControl, type ControlClient } from './client.ts';
import { mountOf, parseSource, readAmberMounts, type AmberMount } from './mount-table.ts';
import { within } from '../within.ts';
import { ControlError } from './protocol.ts';

/** How long a daemon may take to end after it has said that the store is closed. */
const END_MS = 10_000;

/**
 * Unmounts what is mounted at `path`. When this resolves, everything that was written is durable; after the last mount of a store the
 * daemon has ended. `lazy` takes a mount that is in use out of sight at once and ends it when it is no longer used. Rejects with EINVAL
 * where no amberfs is mounted, EBUSY where the mount is in use.
 */
export async function unmountDirectory(path: string, lazy: boolean): Promise<void> {
  const mount = await findMountAt(path);
  const source = parseSource(mount.source);
  const client = source === undefined ? undefined : await connectControl(source.store);
  if (client === undefined) {
    await unmountWithoutDaemon(mount.dir, lazy);
    return;
  }
  try {
    await askToUnmount(client, mount.dir, lazy);
  } finally {
    await client.close();
  }
}

async function askToUnmount(client: ControlClient, dir: string, lazy: boolean): Promise<void> {
  try {
    const { last } = await client.call('umount', { dir, lazy });
    if (!last) return;
  } catch (error) {
    // A mount that an earlier daemon of the same store left behind when it was killed.
    if (!(error instanceof ControlError) || error.reason !== 'mount-unknown') throw error;
    await unmountWithoutDaemon(dir, lazy);
    return;
  }
  await within(client.ended, END_MS);
}

/**
 * The daemon of a dead mount can't be asked, nor that of a mount which does not tell its store (`fsname`); the latter hears of it from the
 * kernel, but nobody waits for it here.
 */
async function unmountWithoutDaemon(dir: string, lazy: boolean): Promise<void> {
  const { mountHealth, unmount } = await import('../../fuse/index.ts');
  const alive = (await mountHealth(dir)) === 'alive';
  await unmount(dir, { lazy: lazy || !alive });
}

/** Looks at the mount itself as late as possible: it may be dead. */
async function findMountAt(path: string): Promise<AmberMount> {
  const mounts = readAmberMounts();
  const absolute = resolve(path);
  const attempts = [
    () => Promise.resolve(absolute),
    async () => join(await realpath(dirname(absolute)), basename(absolute)),
    () => realpath(absolute),
  ];
  for (const attempt of attempts) {
    const dir = await attempt().catch(() => undefined);
    const found = mounts.findLast((mount) => mount.dir === dir);
    if (found !== undefined) return found;
  }
  const around = mountOf(mounts, absolute);
  const hint = around === undefined ? '"amberfs status" shows what is mounted' : `it lies in the mount ${around.dir}`;
  throw new FsError('EINVAL', 'not-mounted', `${path}: not a mount point of amberfs; ${hint}`);
}
