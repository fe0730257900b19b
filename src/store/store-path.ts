// The names inside a store's directory, and what a directory looks like from outside.

import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FsError } from '../errors/index.ts';
import { hostCode, hostFailure } from './host-failure.ts';

/** What a store's directory holds. */
export const STORE_NAMES = {
  format: 'format.json',
  /** format.json until it is complete. */
  formatDraft: 'format.json.new',
  database: 'db',
  data: 'data',
  journal: 'journal',
  /** The process that has the store open. */
  owner: 'owner.pid',
} as const;

/** The names that making a store creates before format.json. */
const UNFINISHED: readonly string[] = [
  STORE_NAMES.formatDraft,
  STORE_NAMES.database,
  STORE_NAMES.data,
  STORE_NAMES.journal,
];
/** Made by mkfs in the root of an ext filesystem. */
const IGNORED = 'lost+found';

export type DirectoryState = 'missing' | 'empty' | 'store' | 'unfinished' | 'other';

/** What is at `path`, by names alone. Throws FsError ENOTDIR, EACCES or ENOTDIR, StoreError when the host fails. */
export function inspectDirectory(path: string): DirectoryState {
  let names: string[];
  try {
    names = readdirSync(path).filter((name) => name !== IGNORED);
  } catch (cause) {
    const code = hostCode(cause);
    if (code === 'ENOENT') return 'missing';
    throw pathFailure(cause, path);
  }
  if (names.length === 0) return 'empty';
  if (names.includes(STORE_NAMES.format)) return 'store';
  return names.every((name) => UNFINISHED.includes(name)) ? 'unfinished' : 'other';
}

/** Makes the directory of a new store, or takes the empty one that is there; only its owner may enter. */
export function makeStoreDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if (hostCode(cause) === 'EEXIST') return;
    if (hostCode(cause) === 'ENOENT') {
      throw new FsError(
        'ENOENT',
        'store-parent-missing',
        `${path}: the directory above it does not exist; create it first`,
        {
          cause,
        },
      );
    }
    throw pathFailure(cause, path);
  }
}

/** Whether the database of a store is there at all. Without its CURRENT file LevelDB would call it missing. */
export function hasDatabase(path: string): boolean {
  return statSync(join(path, STORE_NAMES.database, 'CURRENT'), { throwIfNoEntry: false }) !== undefined;
}

/** What a system call on `path` that failed means; to be thrown. */
export function pathFailure(cause: unknown, path: string): Error {
  switch (hostCode(cause)) {
    case 'ENOTDIR':
      return new FsError('ENOTDIR', 'store-path-no-directory', `${path} is not a directory; a store is one`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new FsError(
        'EACCES',
        'store-not-permitted',
        `${path}: permission denied; a store belongs to who made it`,
        {
          cause,
        },
      );
    case 'EROFS':
      return new FsError(
        'EROFS',
        'store-host-read-only',
        `${path}: the host's filesystem is mounted read-only; a store needs to write`,
        {
          cause,
        },
      );
    case undefined:
    default:
      return hostFailure(cause, path);
  }
}
