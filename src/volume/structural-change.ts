import type { SnapshotLabel } from '../format/index.ts';

/**
 * What is done to volumes and snapshots as a whole, with everything that was decided: doing it again leads to the same. Volumes and snapshots
 * go by the names that they have before the change; `nowMs` is the time by the clock of the store.
 */
export type StructuralChange =
  | { do: 'create-volume'; name: string; nowMs: number }
  | { do: 'delete-volume'; volume: string }
  | { do: 'rename-volume'; volume: string; name: string }
  | { do: 'set-properties'; volume: string; properties: Readonly<Record<string, string>> }
  | { do: 'create-snapshot'; volume: string; label: SnapshotLabel; nowMs: number }
  | { do: 'delete-snapshot'; volume: string; snapshot: string; nowMs: number }
  | { do: 'relabel-snapshot'; volume: string; snapshot: string; label: SnapshotLabel; nowMs: number }
  | {
      do: 'restore';
      volume: string;
      snapshot: string;
      /** What it held is kept as a snapshot with this label; without one it is given up. */
      preserve: SnapshotLabel | undefined;
      /** The volume gets these properties; without them it keeps its own. */
      properties: Readonly<Record<string, string>> | undefined;
      nowMs: number;
    }
  | { do: 'clone'; volume: string; snapshot: string; name: string; nowMs: number };
