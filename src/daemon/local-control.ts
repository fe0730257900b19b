// A store that this process opens because no daemon serves it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptionError } from '../errors/index.ts';
import { initStore, openStore, type KeyValue, type OpenStore } from '../store/index.ts';
import type { Log } from '../util/index.ts';
import { Volumes, checkClosedStore, repairVolumes } from '../volume/index.ts';
import type { CheckInfo, RepairInfo } from './control/health.ts';
import type { Control, ControlMethod, ParamsOf, ResultOf } from './control/methods.ts';
import { keepRecords } from './kept-records.ts';
import { openCore } from './core.ts';
import { callMethod } from './methods/index.ts';

/** Says what a person at the command line should know; what is merely going on is not for them. */
const stderrLog: Log = {
  info: () => undefined,
  warn: (message) => {
    process.stderr.write(`amberfs: ${message}\n`);
  },
  error: (message) => {
    process.stderr.write(`amberfs: ${message}\n`);
  },
};

/** Opens the store for this process alone. Rejects as `openStore` does. */
export async function openLocalControl(path: string): Promise<Control> {
  const core = await openCore(path, stderrLog);
  let deleted = false;
  return {
    store: core.store.path,
    daemonPid: undefined,
    call: <M extends ControlMethod>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> => {
      deleted ||= method === 'snapshot.delete' || method === 'snapshot.restore' || method === 'volume.delete';
      return callMethod({ core, log: stderrLog, daemon: undefined }, method, params) as Promise<ResultOf<M>>;
    },
    close: async () => {
      // No daemon is there to free in the background what was deleted. What an earlier command left over is for later, though: to list
      // snapshots should not take longer because of it.
      if (deleted) await core.volumes.reclaimed();
      await core.close();
    },
  };
}

/** Makes a store at `path` with its first volume; gives its real path. Rejects as `initStore` does. */
export async function initialise(path: string): Promise<string> {
  await initStore(path);
  // Opening it for the first time plants the volume main, with a root directory of whoever runs this.
  const core = await openCore(path, stderrLog);
  await core.close();
  return core.store.path;
}

/** What is behind `checkUnopenable`. */
export async function checkHere(path: string, failure: Error, data: boolean): Promise<CheckInfo> {
  const first = { text: `the store can't be opened: ${failure.message}`, path: null };
  let store: OpenStore;
  try {
    // What is left is looked at as it is, though some of it may be of an earlier time.
    store = await openStore(path, { log: stderrLog, rewind: true });
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return { ...NOTHING_CHECKED, problems: [first] };
  }
  try {
    const report = await checkClosedStore(store, { data });
    const problems = report.problems.map(({ text, path: file }) => ({ text, path: file ?? null }));
    return { ...report, problems: [first, ...problems] };
  } finally {
    await store.close();
  }
}

const NOTHING_CHECKED = { records: 0, versions: 0, nodes: 0, blocks: 0, inodes: 0, comparedBlocks: 0, pending: 0 };

/**
 * What is behind `repairHere`: repairs the store at `path`, which nobody else may have open; with `dryRun` it changes nothing but what a crash
 * left to be done again. Rejects as `openStore` does.
 */
export async function repairStore(path: string, dryRun: boolean): Promise<RepairInfo> {
  const kept = join(path, `repair-${new Date().toISOString().slice(0, 19).replaceAll(':', '.')}.ndjson`);
  // What opening alone changes is not of the repair.
  let isRepairing = false;
  const keyValue = async (_path: string, open: () => Promise<KeyValue>): Promise<KeyValue> =>
    keepRecords(await open(), kept, () => isRepairing);
  const store = await openStore(path, dryRun ? { log: stderrLog } : { log: stderrLog, keyValue });
  try {
    const volumes = await Volumes.open(store, { log: stderrLog });
    try {
      const { repairs, check } = await repairVolumes(volumes, dryRun, () => {
        isRepairing = true;
      });
      const problems = check.problems.map(({ text, path: file }) => ({ text, path: file ?? null }));
      return { repairs, check: { ...check, problems }, kept: existsSync(kept) ? kept : null };
    } finally {
      await volumes.close();
    }
  } finally {
    await store.close();
  }
}
