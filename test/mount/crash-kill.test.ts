/**
 * The daemon is killed at random moments under load, again and again: after each mount everything that was acknowledged
 * is there, exactly, without any fsync. A longer hunt, with a table at its end: scripts/crash-kill.
 */
import { expect, test } from 'vitest';
import { boundsAfterKill } from '../support/crash-verdict.ts';
import { CrashWriters, checkStore, judgeMount } from '../support/crash-writers.ts';
import { crashBudget } from '../support/crash-budget.ts';
import { isAlive, withMounted, type Mounted } from '../support/mounted.ts';
import { waitUntil } from '../support/run-command.ts';
import { seededRandom } from '../support/seeded-random.ts';

const budget = crashBudget(10, 28_000);

function sleep(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}

/** Kills the daemon `pid` and waits until its mount is dead, without asking it anything. */
async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await waitUntil(`daemon ${pid} gone`, 10_000, () => !isAlive(pid));
}

interface Totals {
  kills: number;
  killsInRecovery: number;
  operations: number;
  inFlight: number;
  snapshots: number;
}

async function round(mounted: Mounted, seed: number, totals: Totals): Promise<void> {
  const random = seededRandom(seed);
  const writers = await CrashWriters.start(mounted, mounted.dir, {
    seed,
    writers: 1 + random(3),
    syncPercent: random(3) === 0 ? 3 : 0,
  });
  let logs;
  try {
    const pid = await mounted.daemonPid();
    await sleep(random(random(4) === 0 ? 2500 : 300));
    await kill(pid);
    totals.kills++;
  } finally {
    logs = await writers.finish();
  }
  await mounted.remountDead();
  if (random(3) === 0) {
    // What was done again is being committed, or was just.
    const pid = await mounted.daemonPid();
    await sleep(random(60));
    await kill(pid);
    totals.killsInRecovery++;
    await mounted.remountDead();
  }
  const verdict = await judgeMount(mounted, mounted.dir, logs, boundsAfterKill);
  for (const { present, acknowledged } of Object.values(verdict)) {
    totals.operations += acknowledged;
    totals.inFlight += present - acknowledged;
  }
  totals.snapshots += Number(await mounted.sh('ls .snapshots | grep -c . || true'));
  await mounted.sh('for s in .snapshots/w*; do [ ! -d "$s" ] || rmdir "$s"; done; rm -rf w*');
}

test(
  'everything acknowledged survives kill -9, exactly',
  () =>
    withMounted(async (mounted) => {
      const totals: Totals = { kills: 0, killsInRecovery: 0, operations: 0, inFlight: 0, snapshots: 0 };
      const end = Date.now() + budget.timeMs;
      for (let count = 0; count < budget.rounds && Date.now() < end; count++) {
        const seed = budget.seed + count;
        try {
          await round(mounted, seed, totals);
          // Each round goes on with the store that the crash left; every few it is closed and read in full.
          if (count % 5 === 0) {
            await mounted.umount();
            await checkStore(mounted, mounted.store);
            await mounted.remountDead();
          }
        } catch (error) {
          throw new Error(`round with seed ${seed} (AMBERFS_CRASH_SEED=${seed})`, { cause: error });
        }
      }
      await mounted.umount();
      await checkStore(mounted, mounted.store);
      budget.report('kill -9 of the daemon', { ...totals });
      expect(totals.kills).toBeGreaterThan(0);
    }),
  budget.timeMs + 90_000,
);
