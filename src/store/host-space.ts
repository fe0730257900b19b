// Room on the host's filesystem. A LevelDB that meets ENOSPC in the middle of a record has a log that it can't go on with (see
// native-notes/leveldb.md), so the host must never become full by our doing: file contents stop at a reserve that only commits may
// use, and a commit starts only where it leaves room for the compactions that it may cause. In between, what adds names and attributes
// stops before what only takes away, so that on a full host deleting works to the end, commits included.

import { type StatsFs, statfsSync } from 'node:fs';
import { hostFailure } from './host-failure.ts';

const MIB = 1024 * 1024;
/** What file contents leave free: a share of the host, within bounds. */
const RESERVE_SHARE = 1 / 8;
const RESERVE_BYTES_MIN = 64 * MIB;
const RESERVE_BYTES_MAX = 160 * MIB;
/** The part of the reserve that new names and attributes leave free: the rest below it is for commits of what takes away. */
const GROWTH_SHARE = 0.8;
/** The part of the reserve that commits leave free too: compactions write new tables before they delete old ones. */
const COMPACTION_SHARE = 0.4;

/** What a change that is not committed yet takes on the host in the end: in LevelDB's log, and in the table that the log becomes. */
const COMMIT_COPIES = 2;
/** Changes that wait for a commit may fill such a part of what commits may take before the next one is due. */
const TIGHT_SHARE = 1 / 4;
/** For so long an answer about {@link HostRoom} holds: it is asked for with each change. */
const RECENT_MS = 10;

/** How much of the host may be filled. */
export interface HostSpace {
  /** Bytes that file contents may still take. */
  forData(): number;
  /** Bytes that a commit may still take. */
  forCommit(): number;
}

/** The room on the filesystem that holds `path`. */
export function hostSpace(path: string): HostSpace {
  return {
    forData: () => beyond(figuresOf(path), 1),
    forCommit: () => beyond(figuresOf(path), COMPACTION_SHARE),
  };
}

/** What changes that wait for a commit may still become. */
export interface HostRoom {
  /** Whether names and attributes may be added, while changes of `uncommittedBytes` wait for a commit. */
  mayGrow(uncommittedBytes: number): boolean;
  /** Whether the host is so full that a commit of `uncommittedBytes` should not become larger. */
  isTight(uncommittedBytes: number): boolean;
}

/** The room for changes on the filesystem that holds `path`. Quick to ask. */
export function hostRoom(path: string): HostRoom {
  let asked: Figures = { freeBytes: 0, reserveBytes: 0 };
  let askedMs = -Infinity;
  const recent = (): Figures => {
    const nowMs = performance.now();
    if (nowMs - askedMs > RECENT_MS) {
      asked = figuresOf(path);
      askedMs = nowMs;
    }
    return asked;
  };
  return {
    mayGrow: (uncommittedBytes) => beyond(recent(), GROWTH_SHARE) > COMMIT_COPIES * uncommittedBytes,
    isTight: (uncommittedBytes) => beyond(recent(), COMPACTION_SHARE) * TIGHT_SHARE < COMMIT_COPIES * uncommittedBytes,
  };
}

interface Figures {
  readonly freeBytes: number;
  readonly reserveBytes: number;
}

function figuresOf(path: string): Figures {
  const { bavail, blocks, bsize } = statfs(path);
  return {
    freeBytes: bavail * bsize,
    reserveBytes: Math.min(RESERVE_BYTES_MAX, Math.max(RESERVE_BYTES_MIN, blocks * bsize * RESERVE_SHARE)),
  };
}

function statfs(path: string): StatsFs {
  try {
    return statfsSync(path);
  } catch (cause) {
    throw hostFailure(cause, `asking for the free space of ${path}`);
  }
}

/** Free bytes, less `part` of the reserve. */
function beyond({ freeBytes, reserveBytes }: Figures, part: number): number {
  return Math.max(0, freeBytes - reserveBytes * part);
}
