// Bounds fast-check for every test file. A longer hunt: AMBERFS_FUZZ_RUNS=100000. A failure seen before:
// AMBERFS_FUZZ_SEED=<seed from its report>. A property that gives its own `numRuns` keeps it.

import fc from 'fast-check';

const TIME_LIMIT_MS = 20_000;

const runs = wholeNumber('AMBERFS_FUZZ_RUNS');
const seed = wholeNumber('AMBERFS_FUZZ_SEED');

fc.configureGlobal({ numRuns: runs ?? 100, ...(seed === undefined ? {} : { seed }) });

// A slow machine gets fewer runs and no false alarm; who asks for a number of runs gets them all.
if (runs === undefined) fc.installGlobalPlugin(fc.interruptAfterTimeLimit(TIME_LIMIT_MS));

function wholeNumber(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === '') return undefined;
  if (!/^-?\d+$/.test(text)) throw new Error(`${variable} must be a whole number, not '${text}'`);
  return Number(text);
}
