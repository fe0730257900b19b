// The whole of volumes, snapshots and clones against a naive copy of every version (design, section 5, "The proof").
//
// Random histories of changes to files and names, snapshots, clones, restores, deletes, commits, crashes and reopenings. After each step
// every live volume, and one snapshot after the other, must show what the naive copy shows, and at a pause the full check must find
// nothing: no leak, nothing lost, every counter, birth, dead list and checksum right.
//
// A failure prints its seed: AMBERFS_FUZZ_SEED=<seed> runs the same histories again. AMBERFS_FUZZ_RUNS=100000 is a longer hunt.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CommandName, History } from './history.ts';
import { randomSteps } from './random-steps.ts';

/** How often each command comes. */
const WEIGHTS: Record<CommandName, number> = {
  createFile: 10,
  createDirectory: 5,
  createSymlink: 2,
  write: 18,
  truncate: 6,
  zero: 4,
  link: 5,
  unlink: 4,
  removeDirectory: 2,
  rename: 8,
  exchange: 3,
  open: 4,
  close: 2,
  setXattr: 9,
  removeXattr: 3,
  snapshot: 11,
  renameSnapshot: 3,
  deleteSnapshot: 7,
  hold: 3,
  release: 3,
  clone: 5,
  restore: 2,
  deleteVolume: 2,
  measureDelete: 2,
  commit: 6,
  breathe: 3,
  check: 2,
  crash: 2,
  reopen: 1,
};

/** How a history begins, so that there is something to work on. */
const FIRST_WEIGHTS: Partial<typeof WEIGHTS> = {
  createFile: 4,
  createDirectory: 2,
  write: 4,
  setXattr: 4,
  link: 1,
  commit: 1,
};
const FIRST_LONGEST = 16;

const HISTORIES = 2000;
/** Each batch is one property; fuzz-budget.ts ends one early only where histories are so slow that the test has failed by its own limit. */
const BATCH = 50;
const HISTORY_LIMIT_MS = 300;

const wanted = Number(process.env['AMBERFS_FUZZ_RUNS'] || HISTORIES);
const timeout = Math.max(wanted, BATCH) * HISTORY_LIMIT_MS;

/** Offsets and lengths in files: often on a block border or beside one. */
const bytes = fc.oneof(
  fc.constantFrom(0, 1, 4095, 4096, 4097, 8191, 8192, 12_288, 12_289),
  fc.integer({ min: 0, max: 5 * 4096 }),
);

/** Runs as many histories as are wanted, and fails where it were fewer. */
async function runHistories(longest: number, checkEach: boolean): Promise<void> {
  const { seed } = fc.readConfigureGlobal();
  const [first, then] = [randomSteps(FIRST_WEIGHTS, bytes, FIRST_LONGEST), randomSteps(WEIGHTS, bytes, longest)];
  let done = 0;
  const history = fc.asyncProperty(first, then, async (someFirst, some) => {
    await new History().run([...someFirst, ...some], checkEach);
    done++;
  });
  for (let from = 0; from < wanted; from += BATCH) {
    // The first batch has the seed that was asked for, the others have others.
    const batch = { numRuns: Math.min(BATCH, wanted - from), ...(seed === undefined ? {} : { seed: seed + from }) };
    await fc.assert(history, batch);
  }
  expect(done).toBe(wanted);
}

describe('volumes, snapshots and clones', () => {
  it('show what a naive copy of every version shows, whatever the background is doing', { timeout }, async () => {
    await runHistories(80, false);
  });

  it('pass the full check after each step', { timeout }, async () => {
    await runHistories(40, true);
  });
});
