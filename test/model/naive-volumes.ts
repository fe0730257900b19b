// The volumes of a store, naively: each version is a copy of all its files.

import { NaiveFiles } from './naive-files.ts';

export interface NaiveSnapshot {
  name: string;
  /** Never changes. */
  readonly files: NaiveFiles;
  /** By tag: the moment in milliseconds from which on it holds no longer. */
  readonly holds: Map<string, number>;
}

export interface NaiveVolume {
  live: NaiveFiles;
  /** Inodes that somebody has open, each once. */
  readonly open: Set<number>;
  /** Oldest first. */
  readonly snapshots: NaiveSnapshot[];
}

/** By name. */
export type NaiveVolumes = Map<string, NaiveVolume>;

/** A new volume that holds `files`. */
export function naiveVolume(files = new NaiveFiles()): NaiveVolume {
  return { live: files, open: new Set(), snapshots: [] };
}

/** A new snapshot of `files`. */
export function naiveSnapshot(name: string, files: NaiveFiles): NaiveSnapshot {
  return { name, files: files.copy(), holds: new Map() };
}

/** The tags of the holds that hold at the moment `nowMs`. */
export function tagsAt(snapshot: NaiveSnapshot, nowMs: number): string[] {
  return [...snapshot.holds].filter(([, expiresMs]) => expiresMs > nowMs).map(([tag]) => tag);
}

/** A copy of all, as whoever opens the store finds it: nothing is open. Snapshots share their files, which never change. */
export function copyOf(volumes: NaiveVolumes): NaiveVolumes {
  return new Map(
    [...volumes].map(([name, { live, snapshots }]) => [
      name,
      {
        live: live.copy(),
        open: new Set(),
        snapshots: snapshots.map((snapshot) => ({ ...snapshot, holds: new Map(snapshot.holds) })),
      },
    ]),
  );
}
