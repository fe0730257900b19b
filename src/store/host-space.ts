// Room on the host's filesystem. A LevelDB that meets ENOSPC in the middle of a record has a log that it can't go on with (see
// native-notes/leveldb.md), so the host must never become full by our doing: file contents stop at a reserve that only commits may
// use, and a commit starts only where it leaves room for the compactions that it may cause.

import { statfsSync } from 'node:fs';

const MIB = 1024 * 1024;
/** What file contents leave free: a share of the host, within bounds. */
const RESERVE_SHARE = 1 / 8;
const RESERVE_BYTES_MIN = 64 * MIB;
const RESERVE_BYTES_MAX = 160 * MIB;
/** The part of the reserve that commits leave free too: compactions write new tables before they delete old ones. */
const COMPACTION_SHARE = 0.4;

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
    forData: () => free(path, 1),
    forCommit: () => free(path, COMPACTION_SHARE),
  };
}

/** Free bytes, less `part` of the reserve. */
function free(path: string, part: number): number {
  const { bavail, blocks, bsize } = statfsSync(path);
  const reserveBytes = Math.min(RESERVE_BYTES_MAX, Math.max(RESERVE_BYTES_MIN, blocks * bsize * RESERVE_SHARE));
  return Math.max(0, bavail * bsize - reserveBytes * part);
}
