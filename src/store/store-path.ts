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
/** Of these, what every store has besides format.json. */
const PARTS: readonly string[] = [STORE_NAMES.database, STORE_NAMES.data, STORE_NAMES.journal];
/** Made by mkfs in the root of an ext filesystem. */
const IGNORED = 'lost+found';

/** What LevelDB makes of an empty database. Its log, `N.log`, is empty then. */
const EMPTY_DATABASE = /^(CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.(log|dbtmp))$/;

/** `unfinished`: making a store was cut short, nothing was stored; `formatless`: a store that lost its format.json. */
export type DirectoryState = 'missing' | 'empty' | 'store' | 'unfinished' | 'formatless' | 'other';

/** What is at `path`, by names and sizes. Throws FsError ENOTDIR, EACCES or EROFS, StoreError when the host fails. */
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
  const isPart = names.every((name) => UNFINISHED.includes(name));
  // A daemon leaves more names behind: its log, its socket.
  if (!isPart && !PARTS.every((name) => names.includes(name))) return 'other';
  // The data file is what making a store begins with: without it, the names are somebody else's.
  if (statSync(join(path, STORE_NAMES.data), { throwIfNoEntry: false })?.isFile() !== true) return 'other';
  if (holdsData(path)) return 'formatless';
  return isPart ? 'unfinished' : 'other';
}

/** Whether anything was ever stored in the parts of a store at `path`. Small files are in the database alone. */
function holdsData(path: string): boolean {
  const database = join(path, STORE_NAMES.database);
  try {
    if (sizeOf(join(path, STORE_NAMES.data)) > 0 || sizeOf(join(path, STORE_NAMES.journal)) > 0) return true;
    return readdirSync(database).some(
      (name) => !EMPTY_DATABASE.test(name) || (name.endsWith('.log') && sizeOf(join(database, name)) > 0),
    );
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT') return false;
    throw pathFailure(cause, path);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** To be thrown for a directory that is `formatless`. */
export function formatLost(path: string): FsError {
  return new FsError(
    'EINVAL',
    'store-format-missing',
    `${path}: ${STORE_NAMES.format} of this store is missing, but its other files hold data: nothing was changed; keep all of them, and restore ` +
      `${STORE_NAMES.format} from a backup of this store`,
  );
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
