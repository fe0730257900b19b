// Crashes of random histories: power cuts and kills at writes and flushes, in commits, in recoveries, and in recoveries of those.
//
// A failure prints its seed: AMBERFS_FUZZ_SEED=<seed> runs the same histories again. AMBERFS_FUZZ_RUNS=10000 is a longer hunt.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import type { HostEvent } from '../support/failing-host.ts';
import { type CrashCommandName, CrashHistory, type CrashOptions } from './crash-history.ts';
import { randomSteps } from '../model/random-steps.ts';

/** How often each command comes. */
const WEIGHTS: Record<CrashCommandName, number> = {
  createFile: 10,
  createDirectory: 4,
  createSymlink: 2,
  write: 26,
  truncate: 6,
  zero: 5,
  link: 4,
  unlink: 5,
  removeDirectory: 2,
  rename: 7,
  exchange: 3,
  open: 4,
  close: 3,
  setXattr: 6,
  removeXattr: 2,
  snapshot: 9,
  renameSnapshot: 2,
  deleteSnapshot: 7,
  hold: 3,
  release: 2,
  clone: 4,
  restore: 3,
  deleteVolume: 2,
  flush: 6,
  beginFlush: 5,
  beginCommit: 9,
  breathe: 4,
  fill: 2,
  kill: 1,
  powerCut: 3,
  reopen: 1,
};

const FIRST_WEIGHTS: Partial<typeof WEIGHTS> = { createFile: 5, createDirectory: 2, write: 8, link: 1, beginCommit: 1 };

const HISTORIES = 400;
/** Each batch is one property; fuzz-budget.ts ends one early only where histories are so slow that the test has failed by its own limit. */
const BATCH = 50;
const wanted = Number(process.env['AMBERFS_FUZZ_RUNS'] || HISTORIES);
const HISTORY_LIMIT_MS = 1000;

/** Offsets and lengths in files: on a block border or beside one, and on both sides of what is kept for the journal. */
const bytes = fc.oneof(
  fc.constantFrom(0, 1, 4095, 4096, 4097, 8192, 12_289, 16_384, 16_385, 20_480, 36_000),
  fc.integer({ min: 0, max: 6 * 4096 }),
);

// No flush takes any time: so the journal is flushed at once wherever it may be, whatever else the machine is doing.
beforeEach(() => {
  vi.spyOn(performance, 'now').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs as many histories as are wanted, and fails where it were fewer. Gives how many crashes were looked at. */
async function runHistories(numRuns: number, longest: number, options: Omit<CrashOptions, 'random'>): Promise<number> {
  let [done, crashes] = [0, 0];
  const [first, then] = [randomSteps(FIRST_WEIGHTS, bytes, 14), randomSteps(WEIGHTS, bytes, longest)];
  const history = fc.asyncProperty(fc.nat(), first, then, async (seed, someFirst, some) => {
    const one = new CrashHistory({ random: seededRandom(seed), ...options });
    await one.run([...someFirst, ...some]);
    done++;
    crashes += one.crashes;
  });
  const { seed } = fc.readConfigureGlobal();
  for (let from = 0; from < numRuns; from += BATCH) {
    // The first batch has the seed that was asked for, the others have others.
    const batch = { numRuns: Math.min(BATCH, numRuns - from), ...(seed === undefined ? {} : { seed: seed + from }) };
    await fc.assert(history, batch);
  }
  expect(done).toBe(numRuns);
  return crashes;
}

describe('a crash leaves the state after one operation, with all that was durable and nothing by halves', () => {
  it('at each write and each flush of some histories', { timeout: wanted * HISTORY_LIMIT_MS }, async () => {
    const some = Math.ceil(wanted / 50);
    const crashes = await runHistories(some, 40, { oneIn: () => 1, oneInRecovery: 40 });
    expect(crashes).toBeGreaterThan(50 * some);
  });

  it('here and there in many histories, and in recoveries', { timeout: wanted * HISTORY_LIMIT_MS }, async () => {
    const oneIn = (event: HostEvent): number => (event === 'journal' || event === 'data' ? 24 : 12);
    const crashes = await runHistories(wanted, 60, { oneIn, oneInRecovery: 32 });
    expect(crashes).toBeGreaterThan(4 * wanted);
  });
});
