// How the command line gets at a store: through the daemon that serves it, else by opening it in this process for as long as it takes.
//
// Between the two there are short moments when the store is taken but nobody listens (a daemon that starts or ends, another command at
// work); they are waited out.

import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { FsError } from '../../errors/index.ts';
import { connectControl, requireUnserved } from './client.ts';
import type { CheckInfo, RepairInfo } from './health.ts';
import type { Control } from './methods.ts';
import type { AmberMount } from './mount-table.ts';

/** How long a store that is in use is asked for again. */
const WAIT_MS = 8_000;
const RETRY_MS = 50;

/** The store's real path; the path as it is where nothing is there, for the error message to come. */
export function realStorePath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Opening it says what is wrong.
    return path;
  }
}

/** Whether a directory says of itself that it is a store. */
export function isStoreDirectory(path: string): boolean {
  return existsSync(join(path, 'format.json')) && existsSync(join(path, 'db'));
}

/** Whether a directory has parts of a store, though it may not be one any more, or not yet: opening it says what is wrong. */
export function hasStoreParts(path: string): boolean {
  return existsSync(join(path, 'data')) && existsSync(join(path, 'journal'));
}

/**
 * Gives access to the store at `path`. Rejects as `openStore` does where it can't be opened, with EBUSY where another process that is no
 * daemon keeps it for longer than some seconds.
 */
export async function openControl(path: string): Promise<Control> {
  const store = realStorePath(path);
  return untilFree(async () => (await connectControl(store)) ?? (await openHere(store)));
}

/** Gives access through the daemon that serves a mount; rejects with ENOTCONN where it is gone. */
export async function openControlOfMount(mount: AmberMount, store: string): Promise<Control> {
  const client = await connectControl(store);
  if (client !== undefined) return client;
  throw new FsError(
    'ENOTCONN',
    'mount-dead',
    `${mount.dir}: the daemon that served this mount is gone; mount it again with "amberfs mount ${mount.source} ${mount.dir}", ` +
      `or clear it away with "amberfs umount ${mount.dir}"`,
  );
}

/** Opens the store in this process. Lazily, since it loads the whole core. */
async function openHere(store: string): Promise<Control> {
  const { openLocalControl } = await import('../local-control.ts');
  return openLocalControl(store);
}

/** Runs `attempt` again and again while what it throws is that the store is in use. */
export async function untilFree<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const limit = Date.now() + WAIT_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isStoreInUse(error) || Date.now() >= limit) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** `daemon-closing` comes from a daemon that has answered its last request. */
function isStoreInUse(error: unknown): boolean {
  if (!(error instanceof Error) || !('reason' in error)) return false;
  return error.reason === 'store-in-use' || error.reason === 'daemon-closing';
}

/** Makes a store at `path`, with its first volume, whose root directory belongs to whoever runs this. Throws as `initStore` does. */
export async function initialiseStore(path: string): Promise<string> {
  const { initialise } = await import('../local-control.ts');
  return initialise(path);
}

/**
 * Checks a store that can't be opened, since something in it is damaged, as far as that can be done. Gives what it found, with `failure`, for
 * which it can't be opened, first. Rejects as `openStore` does for any other cause than damage.
 */
export async function checkUnopenable(path: string, failure: Error, data: boolean): Promise<CheckInfo> {
  const { checkHere } = await import('../local-control.ts');
  return checkHere(realStorePath(path), failure, data);
}

/**
 * Repairs the store at `path` in this process; with `dryRun` it only says what it would do. Rejects with EBUSY where it is mounted, and as
 * `openStore` does.
 */
export async function repairHere(path: string, dryRun: boolean): Promise<RepairInfo> {
  const store = realStorePath(path);
  await requireUnserved(
    store,
    (pid) =>
      new FsError(
        'EBUSY',
        'repair-mounted',
        `${store}: a store is repaired while nothing of it is mounted, but process ${pid} serves it; unmount it first`,
      ),
  );
  const { repairStore } = await import('../local-control.ts');
  return repairStore(store, dryRun);
}
