// An open store with its volumes: what both the daemon and a command without one work on.

import { openStore, type OpenStore } from '../store/index.ts';
import type { Log } from '../util/index.ts';
import { Scrubber, Volumes } from '../volume/index.ts';
import { CheckRunner } from './check-runner.ts';
import { scrubFile } from './scrub-file.ts';

export interface Core {
  readonly store: OpenStore;
  readonly volumes: Volumes;
  readonly scrubber: Scrubber;
  readonly checks: CheckRunner;
  /** Commits what is left and lets go of the store, whatever fails on the way; rejects with what failed first. */
  close(): Promise<void>;
}

/** Opens the store at `path`, with `rewind` also one with damage in its latest changes. Rejects as `openStore` does. */
export async function openCore(path: string, log: Log, rewind = false): Promise<Core> {
  const store = await openStore(path, { log, rewind });
  try {
    const volumes = await Volumes.open(store, { log });
    const scrubber = new Scrubber(volumes, scrubFile(store.path), log);
    const checks = new CheckRunner(volumes);
    return {
      store,
      volumes,
      scrubber,
      checks,
      close: async () => {
        try {
          await checks.stop();
          await scrubber.close();
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
