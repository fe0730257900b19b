/**
 * The power fails at random moments under load: everything that was made durable is there, and what is there is what was
 * done up to some moment. A longer hunt, with a table at its end: scripts/crash-power.
 */
import { expect, test } from 'vitest';
import { crashBudget } from '../support/crash-budget.ts';
import { boundsAfterCut, type WriterLog } from '../support/crash-verdict.ts';
import { CrashWriters, judgeMount } from '../support/crash-writers.ts';
import { withPowerCutDisk, type PowerCut, type PowerCutDisk } from '../support/power-cut-disk.ts';
import { seededRandom } from '../support/seeded-random.ts';

const budget = crashBudget(2, 25_000);

interface Totals {
  cuts: number;
  operations: number;
  'operations lost that nothing had made durable': number;
}

/** Some power cuts under one load. */
async function cutUnderLoad(disk: PowerCutDisk, seed: number): Promise<{ logs: WriterLog[]; cuts: PowerCut[] }> {
  const random = seededRandom(seed);
  const cuts: PowerCut[] = [];
  const writers = await CrashWriters.start(disk.mounted, disk.dir, {
    seed,
    writers: 1 + random(3),
    syncPercent: [0, 1, 5][random(3)]!,
  });
  let logs;
  try {
    for (let count = 0; count < 3; count++) {
      await new Promise((resolve) => setTimeout(resolve, random(random(2) === 0 ? 300 : 2500)));
      cuts.push(await disk.cut());
    }
  } finally {
    logs = await writers.finish();
  }
  return { logs, cuts };
}

async function judgeCut(disk: PowerCutDisk, logs: WriterLog[], cut: PowerCut, totals: Totals): Promise<void> {
  await disk.examine(cut, async (dir) => {
    const bounds = (log: WriterLog): ReturnType<typeof boundsAfterCut> =>
      boundsAfterCut(log, logs, cut.beginsUs, cut.endsUs);
    const verdict = await judgeMount(disk.mounted, dir, logs, bounds);
    totals.cuts++;
    for (const log of logs) {
      const { present } = verdict[log.name]!;
      const before = log.entries.filter((entry) => (entry.acknowledgedUs ?? Infinity) < cut.beginsUs).length;
      totals.operations += before;
      totals['operations lost that nothing had made durable'] += Math.max(0, before - present);
    }
  });
}

test(
  'after a power cut all that was durable is there, and nothing that came after something that is not',
  () =>
    withPowerCutDisk(async (disk) => {
      const totals: Totals = { cuts: 0, operations: 0, 'operations lost that nothing had made durable': 0 };
      const end = Date.now() + budget.timeMs;
      for (let count = 0; count < budget.rounds && Date.now() < end; count++) {
        const seed = budget.seed + count;
        try {
          const { logs, cuts } = await cutUnderLoad(disk, seed);
          for (const cut of cuts) await judgeCut(disk, logs, cut, totals);
        } catch (error) {
          throw new Error(`round with seed ${seed} (AMBERFS_CRASH_SEED=${seed})`, { cause: error });
        }
        const dir = disk.dir;
        await disk.mounted.sh('cd "$1"; for s in .snapshots/w*; do [ ! -d "$s" ] || rmdir "$s"; done; rm -rf w*', dir);
      }
      budget.report('power cut', { ...totals });
      expect(totals.cuts).toBeGreaterThan(0);
    }),
  budget.timeMs + 90_000,
);
