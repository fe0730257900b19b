// Who has a store open. The lock is LevelDB's (fcntl on db/LOCK); the pid file only names its holder to people, so a stale one
// does no harm: it is read after the lock was refused, and whoever holds the lock has written it.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FsError } from '../errors/index.ts';
import { STORE_NAMES } from './store-path.ts';

/**
 * The stores that this process has open. LevelDB must not be asked twice: its second attempt to lock would close a descriptor of
 * the lock file, and with it POSIX drops the lock of the first (fcntl(2), "Record locking").
 */
const openHere = new Set<string>();

/** Takes `path` (a real path) for this process. Throws FsError EBUSY where it has it already. */
export function claimHere(path: string): void {
  if (openHere.has(path)) {
    throw new FsError('EBUSY', 'store-open-here', `${path}: this process has the store open already`);
  }
  openHere.add(path);
}

/** Ends `claimHere`. */
export function releaseHere(path: string): void {
  openHere.delete(path);
}

/** Writes this process down as the owner. To be called with the lock held. */
export function writeOwner(path: string): void {
  writeFileSync(join(path, STORE_NAMES.owner), `${process.pid}\n`, { mode: 0o600 });
}

/** Takes that back. To be called while the lock is still held. */
export function removeOwner(path: string): void {
  rmSync(join(path, STORE_NAMES.owner), { force: true });
}

/** The error for a store whose lock another process holds. */
export function storeInUse(path: string, cause: unknown): FsError {
  const pid = readOwner(path);
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new FsError(
    'EBUSY',
    'store-in-use',
    `${path}: the store is in use by ${who}; use what it has mounted, or unmount that first (amberfs umount)`,
    { cause },
  );
}

function readOwner(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(path, STORE_NAMES.owner), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    // Missing or not ours to read: the message does without.
    return undefined;
  }
}
