/**
 * How long a crash test hunts: short by itself, for `AMBERFS_CRASH_SECONDS` where that is set (scripts/crash-kill and
 * scripts/crash-power), when it prints what it did as well. `AMBERFS_CRASH_SEED` repeats rounds that failed.
 */
import { appendFileSync } from 'node:fs';

export interface CrashBudget {
  /** At most so many rounds, within so much time. */
  readonly rounds: number;
  /** Whether somebody asked for a long hunt. */
  readonly isLong: boolean;
  readonly timeMs: number;
  /** Of the first round; each further one has the next number. */
  readonly seed: number;
  /** One line of the table: what was done to the store, and how often what was found. */
  report(fault: string, counts: Readonly<Record<string, number>>): void;
}

export function crashBudget(rounds: number, timeMs: number): CrashBudget {
  const seconds = wholeNumber('AMBERFS_CRASH_SECONDS');
  const seed = wholeNumber('AMBERFS_CRASH_SEED');
  return {
    rounds: seconds === undefined ? rounds : Infinity,
    isLong: seconds !== undefined,
    timeMs: seconds === undefined ? timeMs : seconds * 1000,
    seed: seed ?? Math.floor(Math.random() * 1_000_000),
    report(fault, counts) {
      const table = process.env['AMBERFS_CRASH_TABLE'];
      if (table === undefined) return;
      const cells = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
      appendFileSync(table, `| ${fault} | ${cells.join(', ')} |\n`);
    },
  };
}

function wholeNumber(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`${variable} must be a whole number, not '${text}'`);
  return Number(text);
}
