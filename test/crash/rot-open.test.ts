// The disk changes tables of LevelDB while a store is open. LevelDB doesn't look at their checksums: a key that changed can bring an older state
// of a record back, or hide one, and a merge makes that lasting. What is read, then and afterwards, is what was written or an error; a healthy
// store has everything. LevelDB may end the process by an assertion of its own, which does no more harm than a kill.
//
// A failure prints its seed: AMBERFS_FUZZ_SEED=<seed> begins with that round. AMBERFS_FUZZ_RUNS=1000 is a longer hunt.

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initStore } from '../../src/store/index.ts';
import { crashBudget } from '../support/crash-budget.ts';
import type { Deed } from '../support/known-states.ts';
import { type ShownStore, judge, runWorker } from '../support/rot-rounds.ts';
import { tablesOf } from '../support/rotten-table.ts';

const ROUNDS = 12;
/** So many on a slow machine too: of fewer, all may come to nothing. */
const ROUNDS_MIN = 6;
const TIME_MS = 11_000;
const runs = process.env['AMBERFS_FUZZ_RUNS'];
const firstSeed = Number(process.env['AMBERFS_FUZZ_SEED'] ?? Math.floor(Math.random() * 1_000_000));

const temporary = await dir({ unsafeCleanup: true });
const at = (name: string): string => join(temporary.path, name);
let built: Deed[];

beforeAll(async () => {
  await initStore(at('store'));
  built = (await runWorker('build', at('store'), '1')).deeds;
  writeFileSync(at('deeds'), built.map((deed) => `${JSON.stringify(deed)}\n`).join(''));
});
afterAll(() => temporary.cleanup());

describe('rot in the tables of an open store', () => {
  it('has tables on several levels to happen in', () => {
    const tables = tablesOf(join(at('store'), 'db'));
    expect(new Set(tables.map(({ level }) => level)).size).toBeGreaterThan(1);
    expect(tables.length).toBeGreaterThan(3);
  });

  it(
    'is never shown as what it held',
    async () => {
      const budget = crashBudget(0, 0);
      const endMs = performance.now() + TIME_MS;
      const rounds = runs === undefined ? ROUNDS : Number(runs);
      const counts: Record<string, number> = {};
      const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);
      const isTime = (round: number): boolean => runs !== undefined || round < ROUNDS_MIN || performance.now() < endMs;
      for (let round = 0; round < rounds && isTime(round); round++) await tryOut(firstSeed + round, count);
      const sorted = Object.fromEntries(Object.entries(counts).sort());
      budget.report('tables of an open store changed', sorted);
      // Not all of it comes to nothing.
      expect(Object.keys(counts).filter((what) => what.startsWith('opened') && !what.endsWith('whole'))).not.toEqual(
        [],
      );
    },
    runs === undefined ? 60_000 : 36_000_000,
  );
});

/** One store, opened and changed by the disk, and what it shows afterwards. */
async function tryOut(seed: number, count: (what: string) => void): Promise<void> {
  const rewind = seed % 2 === 1;
  let story: readonly string[] = [];
  try {
    rmSync(at('rotten'), { recursive: true, force: true });
    cpSync(at('store'), at('rotten'), { recursive: true });
    const told = await runWorker('work', at('rotten'), String(seed), at('deeds'));
    story = told.lines.filter((line) => /^(rot|failed)/.test(line));
    count(
      `open: ${told.isAborted ? 'ended by LevelDB' : told.inFlight === undefined ? 'went on' : 'became read-only'}`,
    );
    rmSync(at('shown'), { force: true });
    const { isAborted } = await runWorker('show', at('rotten'), rewind ? 'rewind' : '', at('shown'));
    if (isAborted) {
      count('opened again: ended by LevelDB');
      return;
    }
    const shown = JSON.parse(readFileSync(at('shown'), 'utf8')) as ShownStore;
    count(`opened again: ${judge(shown, built, told, rewind)}`);
  } catch (error) {
    throw new Error(`seed ${seed}${rewind ? ', rewound' : ''}: ${story.join('; ')}: ${String(error)}`, {
      cause: error,
    });
  }
}
