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

export const LIMITS = {
  /** What a change costs in memory until it is committed, on average over many: changes share nodes. */
  changeBytes: 512,
  /** With so much waiting in memory a commit starts at once. */
  dirtyBytes: 32 * 1024 * 1024,
  /** A commit starts at once when so much was recorded since the last one. */
  journalBytes: 16 * 1024 * 1024,
  /** How long reclaiming waits for a host that is full. */
  roomPauseMs: 1000,
  /** How long an operation that found no space waits for what is on its way back. */
  roomWaitMs: 5000,
  /** How long after a change it is looked for what all clones of a deleted snapshot have dropped. */
  revisitMs: 60_000,
} as const;
