// Whether the records that are read when a store is opened are those that its ledger counts.

import { SPACE, recordSum, spaceKey } from '../format/index.ts';
import { LEDGER_SPACES, LedgerTally, type Reads } from '../store/index.ts';
import type { Pace } from './check-pace.ts';
import { eachStored } from './check-source.ts';

/** What is wrong with the ledger of a store, or undefined. Throws like `reads`. */
export async function checkLedger(reads: Reads, pace: Pace): Promise<string | undefined> {
  const tally = new LedgerTally();
  for (const space of LEDGER_SPACES) {
    await eachStored(reads, spaceKey(space), spaceKey(space, true), pace, (key, value) => {
      tally.add(space, recordSum(key, value));
    });
  }
  const mismatch = tally.mismatch(reads.get(spaceKey(SPACE.ledger)));
  return mismatch === undefined ? undefined : `records of an older time, or lost ones: of the ledger, ${mismatch}`;
}
