// A snapshot that a volume is to start from, by a restore or as a clone. What is needed of it is read before anything changes: nobody shall lose
// live files to one that can't be read.

import { CorruptionError } from '../errors/index.ts';
import { createInode } from '../format/index.ts';
import { ROOT_INO } from './filesystem.ts';
import { loadInode } from './inodes.ts';
import { orphansOf } from './orphans.ts';
import type { Snapshot, Volume } from './volume.ts';

/**
 * Reads what a volume that starts from `snapshot` needs at once, its root directory and its orphans; gives those. Throws CorruptionError, with what
 * to do, where it can't be read.
 */
export function orphansToStartWith(volume: Volume, snapshot: Snapshot): number[] {
  const { filesystem, label } = snapshot;
  try {
    loadInode(filesystem, ROOT_INO, createInode());
    return orphansOf(filesystem);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    const why = `snapshot ${label.name} of volume ${volume.name} can't be read, so nothing was changed`;
    throw new CorruptionError(error.record, `${error.why}; ${why}`, { cause: error });
  }
}
