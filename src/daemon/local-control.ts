// A store that this process opens because no daemon serves it.

import { initStore } from '../store/index.ts';
import type { Log } from '../util/index.ts';
import type { Control, ControlMethod, ParamsOf, ResultOf } from './control/methods.ts';
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
