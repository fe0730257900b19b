// An open store with its volumes: what both the daemon and a command without one work on.

import { openStore, type OpenStore } from '../store/index.ts';
import type { Log } from '../util/index.ts';
import { Volumes } from '../volume/index.ts';

export interface Core {
  readonly store: OpenStore;
  readonly volumes: Volumes;
  /** Commits what is left and lets go of the store, whatever fails on the way; rejects with what failed first. */
  close(): Promise<void>;
}

/** Opens the store at `path`. Rejects as `openStore` does. */
export async function openCore(path: string, log: Log): Promise<Core> {
  const store = await openStore(path, { log });
  try {
    const volumes = await Volumes.open(store, { log });
    return {
      store,
      volumes,
      close: async () => {
        try {
          await volumes.close();
        } finally {
          await store.close();
        }
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
