// Making a store. format.json comes last, by rename: a directory without it is no store, so making one can be cut short anywhere.

import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FsError } from '../errors/index.ts';
import { createStoreFormat, encodeStoreFormat, type StoreFormat } from '../format/index.ts';
import { systemClock, type Clock } from '../util/index.ts';
import { openDataFile } from './data-file.ts';
import { openJournalFile } from './journal-file.ts';
import { openLevel } from './leveldb.ts';
import { STORE_NAMES, formatLost, inspectDirectory, makeStoreDirectory, pathFailure } from './store-path.ts';

export interface InitOptions {
  clock?: Clock;
}

/**
 * Makes an empty store at `path`, a directory that is empty or does not exist yet (its parent does). What it made is durable when
 * the promise resolves. Throws FsError EEXIST where there is a store, ENOTEMPTY where there is anything else, ENOENT, ENOTDIR,
 * EACCES, EROFS or ENOSPC as the host says; StoreError when it fails otherwise.
 */
export async function initStore(path: string, options: InitOptions = {}): Promise<StoreFormat> {
  const directory = resolve(path);
  requireVacant(directory);
  makeStoreDirectory(directory);
  const created = new Date((options.clock ?? systemClock).nowMs()).toISOString();
  const format = createStoreFormat(randomUUID(), created);
  try {
    chmodSync(directory, 0o700);
    openDataFile(join(directory, STORE_NAMES.data), { create: true }).close();
    openJournalFile(join(directory, STORE_NAMES.journal), { create: true }).close();
    const database = join(directory, STORE_NAMES.database);
    const kv = await openLevel(database, { create: true });
    await kv.close();
    chmodSync(database, 0o700);
    syncPath(database);
    for (const name of [STORE_NAMES.data, STORE_NAMES.journal]) syncPath(join(directory, name));
    const draft = join(directory, STORE_NAMES.formatDraft);
    writeFileSync(draft, encodeStoreFormat(format), { mode: 0o600, flag: 'wx', flush: true });
    // The names made so far reach the disk before the one that says that all are there.
    syncPath(directory);
    renameSync(draft, join(directory, STORE_NAMES.format));
    syncPath(directory);
    syncPath(dirname(directory));
  } catch (cause) {
    throw cause instanceof Error && 'code' in cause && !(cause instanceof FsError)
      ? pathFailure(cause, directory)
      : cause;
  }
  return format;
}

function requireVacant(path: string): void {
  switch (inspectDirectory(path)) {
    case 'missing':
    case 'empty':
      return;
    case 'store':
      throw new FsError('EEXIST', 'store-exists', `${path} is a store already; mount it, or choose another directory`);
    case 'formatless':
      throw formatLost(path);
    case 'unfinished':
      throw new FsError(
        'EEXIST',
        'store-leftover',
        `${path} was to become a store, but that was cut short; nothing was stored in it: remove it and try again`,
      );
    case 'other':
      throw new FsError(
        'ENOTEMPTY',
        'store-path-not-empty',
        `${path} is not empty; a store needs a directory of its own`,
      );
  }
}

/** fsync(2) on a file or a directory. */
function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
