import { type Clock, type Log, noLog, systemClock } from '../util/index.ts';

export interface VolumesOptions {
  /** Memory for tree nodes. */
  cacheBytes?: number;
  /** Changes are committed within this time. */
  commitIntervalMs?: number;
  clock?: Clock;
  log?: Log;
  /** The owner of the root directory of a new volume. */
  uid?: number;
  gid?: number;
}

const CACHE_BYTES = 96 * 1024 * 1024;
const COMMIT_INTERVAL_MS = 2000;

/** `options` with a value for everything that was left out. */
export function withDefaults(options: VolumesOptions): Required<VolumesOptions> {
  return {
    cacheBytes: CACHE_BYTES,
    commitIntervalMs: COMMIT_INTERVAL_MS,
    clock: systemClock,
    log: noLog,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    ...options,
  };
}
