// Random histories while commits are under way: what the background does to dead lists and what becomes of them in the trees, beside changes
// that don't wait for it. After all, every version holds what was written into it and the full check finds nothing.
//
// A failure prints its seed: AMBERFS_FUZZ_SEED=<seed> begins with that history. AMBERFS_FUZZ_RUNS=1000 is a longer hunt. How far the background
// gets between two steps depends on the machine too, so a seed may have to be tried several times.

import { expect, it } from 'vitest';
import { BusyHistory } from './busy-history.ts';

const HISTORIES = 60;
const STEPS = 150;
/** A full host makes the background pause for a second: meanwhile others go on. */
const SIDE_BY_SIDE = 4;
const TIME_MS = 10_000;
const HISTORY_LIMIT_MS = 10_000;

const wanted = Number(process.env['AMBERFS_FUZZ_RUNS'] || HISTORIES);
const hasBudget = Boolean(process.env['AMBERFS_FUZZ_RUNS']);
const firstSeed = Number(process.env['AMBERFS_FUZZ_SEED'] || Math.floor(Math.random() * 1_000_000));
const timeout = Math.max(wanted, 2 * SIDE_BY_SIDE) * HISTORY_LIMIT_MS;

it('nothing is lost while commits are under way', { timeout }, async () => {
  const endMs = performance.now() + TIME_MS;
  let begun = 0;
  const failures: string[] = [];
  // A slow machine gets fewer histories; who asks for a number of them gets them all.
  const goesOn = (): boolean =>
    failures.length === 0 && begun < wanted && (hasBudget || begun < SIDE_BY_SIDE || performance.now() < endMs);
  const runSome = async (): Promise<void> => {
    while (goesOn()) {
      const seed = firstSeed + begun++;
      await new BusyHistory(seed).run(STEPS).catch((error: unknown) => failures.push(`seed ${seed}: ${String(error)}`));
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, runSome));
  expect(failures).toEqual([]);
});
