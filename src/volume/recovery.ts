// What a crash left in the journal is done again when a store is opened, before anybody uses it.

import { SPACE, decodeJournalMark, spaceKey, visitJournalItems } from '../format/index.ts';
import type { OpenStore } from '../store/index.ts';
import type { Log } from '../util/index.ts';
import { Replay, hasItsData } from './replay.ts';
import type { StructuralChange } from './structural-change.ts';
import type { VolumeSet } from './volume-set.ts';

/**
 * Does again what follows the last commit, in one stretch; gives how many operations that were. To be committed before the journal begins.
 * Throws CorruptionError where a record does not fit what is there, and what the engine and the host fail with.
 */
export function recover({ kv, journal, blocks, allocator }: OpenStore, set: VolumeSet, log: Log): number {
  const stored = kv.get(spaceKey(SPACE.journal));
  const mark = stored === undefined ? 0 : decodeJournalMark(stored);
  const { records, lost } = journal.remains(mark);
  const replay = new Replay({
    blocks,
    allocator,
    volumeById: (id) => set.volumeById(id),
    restructure: (json) => {
      set.apply(JSON.parse(json) as StructuralChange);
    },
  });
  const durable = records.reduce((last, record) => Math.max(last, record.durable), mark);
  let done = mark;
  for (const record of records) {
    // What was on stable storage once is done again even where its data is damaged now: reading it then fails, nothing else does.
    if (record.sequence > durable && !hasItsData(blocks, record)) break;
    visitJournalItems(record.items, replay);
    done = record.sequence;
  }
  if (lost > 0) {
    log.error(
      `the journal is damaged behind record ${done}: ${lost} operations that had been made durable are lost; ` +
        'compare what the store shows with a backup',
    );
  }
  journal.resume(done);
  return done - mark;
}

/**
 * As {@link recover}, of a damaged store, which is not committed. Gives false where that ended halfway, since something was missing: what is in
 * memory is then no state that ever was, and has to be loaded anew.
 */
export function tryRecover(store: OpenStore, set: VolumeSet, log: Log): boolean {
  try {
    const redone = recover(store, set, log);
    if (redone > 0) log.info(`${redone} operations of before a crash are shown`);
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.error(`the journal can't be done again: ${why}; the last changes before a crash are not shown`);
    return false;
  }
}
