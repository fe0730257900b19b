/**
 * SQLite with synchronous commits, in each of its journal modes, through kills of the daemon and power cuts: databases stay
 * sound, and no transaction that was acknowledged is missing. Longer hunts, with PostgreSQL too: scripts/crash-kill and
 * scripts/crash-power.
 */
import { beforeAll, expect, test } from 'vitest';
import { crashBudget } from '../support/crash-budget.ts';
import { withMounted, type Mounted } from '../support/mounted.ts';
import { withPowerCutDisk, type PowerCut } from '../support/power-cut-disk.ts';
import { PostgresWriter, checkPostgres, syncMethods } from '../support/postgres-crash.ts';
import { requireCommands } from '../support/run-command.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { SqliteWriter, checkSqlite, journalModes } from '../support/sqlite-crash.ts';
import type { Commit } from '../support/transactions.ts';

const budget = crashBudget(3, 20_000);
const random = seededRandom(budget.seed);

beforeAll(() => requireCommands({ sqlite3: 'sqlite3' }));

interface Work {
  file: string;
  commits: Commit[];
}

/** Databases of all journal modes being written on the mount `dir` while `body` runs. */
async function whileWriting(mounted: Mounted, dir: string, name: string, body: () => Promise<void>): Promise<Work[]> {
  const writers: SqliteWriter[] = [];
  const works: Work[] = [];
  try {
    for (const mode of journalModes) writers.push(await SqliteWriter.start(mounted, dir, mode, name));
    await body();
  } finally {
    for (const writer of writers) works.push({ file: writer.file, commits: await writer.finish() });
  }
  return works;
}

function sleep(limitMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, random(limitMs)));
}

test(
  'SQLite loses nothing to kill -9 of the daemon',
  () =>
    withMounted(async (mounted) => {
      const totals = { kills: 0, databases: 0, transactions: 0 };
      const end = Date.now() + budget.timeMs;
      for (let round = 0; round < budget.rounds && Date.now() < end; round++) {
        const works = await whileWriting(mounted, mounted.dir, `r${round}`, async () => {
          await sleep(1500);
          await mounted.killDaemon();
        });
        await mounted.remountDead();
        totals.kills++;
        for (const { file, commits } of works) {
          totals.transactions += await checkSqlite(mounted, `${mounted.dir}/${file}`, commits);
          totals.databases++;
        }
        await mounted.sh('rm -f *.db*');
      }
      budget.report('kill -9 of the daemon under SQLite', totals);
      expect(totals.transactions).toBeGreaterThan(0);
    }),
  budget.timeMs + 90_000,
);

test(
  'SQLite loses nothing to a power cut',
  () =>
    withPowerCutDisk(async (disk) => {
      const { mounted } = disk;
      const totals = { cuts: 0, databases: 0, transactions: 0 };
      const end = Date.now() + budget.timeMs;
      for (let round = 0; round < budget.rounds - 1 && Date.now() < end; round++) {
        const cuts: PowerCut[] = [];
        const works = await whileWriting(mounted, disk.dir, `r${round}`, async () => {
          for (let count = 0; count < 2; count++) {
            await sleep(1500);
            cuts.push(await disk.cut());
          }
        });
        for (const cut of cuts) {
          totals.cuts++;
          await disk.examine(cut, async (dir) => {
            for (const { file, commits } of works) {
              totals.transactions += await checkSqlite(mounted, `${dir}/${file}`, commits, cut.beginsUs);
              totals.databases++;
            }
          });
        }
        await mounted.sh('cd "$1"; rm -f *.db*', disk.dir);
      }
      budget.report('power cut under SQLite', totals);
      expect(totals.transactions).toBeGreaterThan(0);
    }),
  budget.timeMs + 90_000,
);

function postgresLosesNothingToKills(): Promise<void> {
  return withMounted(async (mounted) => {
    const totals = { kills: 0, transactions: 0 };
    const end = Date.now() + budget.timeMs;
    for (let round = 0; Date.now() < end; round++) {
      const directory = `${mounted.dir}/postgres${round}`;
      const writer = await PostgresWriter.start(mounted, directory, syncMethods[round % syncMethods.length]!);
      let commits;
      try {
        await sleep(2500);
        await mounted.killDaemon();
      } finally {
        commits = await writer.finish();
      }
      await mounted.remountDead();
      totals.kills++;
      totals.transactions += await checkPostgres(mounted, directory, commits);
      await mounted.sh('rm -rf postgres*');
    }
    budget.report('kill -9 of the daemon under PostgreSQL', totals);
    expect(totals.transactions).toBeGreaterThan(0);
  });
}

function postgresLosesNothingToPowerCuts(): Promise<void> {
  return withPowerCutDisk(async (disk) => {
    const { mounted } = disk;
    const totals = { cuts: 0, transactions: 0 };
    const end = Date.now() + budget.timeMs;
    for (let round = 0; Date.now() < end; round++) {
      const name = `postgres${round}`;
      const writer = await PostgresWriter.start(
        mounted,
        `${disk.dir}/${name}`,
        syncMethods[round % syncMethods.length]!,
      );
      const cuts: PowerCut[] = [];
      let commits: Commit[] = [];
      try {
        for (let count = 0; count < 2; count++) {
          await sleep(2000);
          cuts.push(await disk.cut());
        }
      } finally {
        commits = await writer.finish();
      }
      for (const cut of cuts) {
        totals.cuts++;
        await disk.examine(cut, async (dir) => {
          totals.transactions += await checkPostgres(mounted, `${dir}/${name}`, commits, cut.beginsUs);
        });
      }
      await mounted.sh('cd "$1"; rm -rf postgres*', disk.dir);
    }
    budget.report('power cut under PostgreSQL', totals);
    expect(totals.transactions).toBeGreaterThan(0);
  });
}

// It takes a server to be installed, and seconds a round.
if (budget.isLong) {
  test('PostgreSQL loses nothing to kill -9 of the daemon', postgresLosesNothingToKills, budget.timeMs + 90_000);
  test('PostgreSQL loses nothing to a power cut', postgresLosesNothingToPowerCuts, budget.timeMs + 90_000);
}
