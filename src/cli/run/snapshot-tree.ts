// Snapshots as a tree. A snapshot with one follower has it right below, in the same column, so that a long line of snapshots stays a
// list; several followers branch off with a stroke each. Clones and the live files are followers, too.

import type { SnapshotInfo } from '../../daemon/control/index.ts';

/** A line of the tree: what stands before the name, and the snapshot, or what else stands there. */
export interface TreeLine {
  readonly text: string;
  readonly snapshot: SnapshotInfo | undefined;
}

interface Place {
  /** A snapshot, or the text of a leaf that is none. */
  readonly what: SnapshotInfo | string;
  /** What stands before it, and before whatever comes below it. */
  readonly stroke: string;
  readonly indent: string;
}

/** The lines for all `snapshots` of one volume, which come oldest first. */
export function treeLines(snapshots: readonly SnapshotInfo[]): TreeLine[] {
  const byName = new Map(snapshots.map((snapshot) => [snapshot.name, snapshot]));
  const roots = snapshots.filter(({ parent }) => parent === null || !byName.has(parent));
  const lines: TreeLine[] = [];
  // A stack, since a line of snapshots is as deep as it is long.
  const open: Place[] = roots.map((what) => ({ what, stroke: '', indent: '' })).reverse();
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { what, stroke, indent } = place;
    if (typeof what === 'string') {
      lines.push({ text: stroke + what, snapshot: undefined });
      continue;
    }
    lines.push({ text: stroke + what.name, snapshot: what });
    const below = followers(what, byName);
    const only = below.length === 1;
    const places = below.map((follower, index): Place => {
      if (only) return { what: follower, stroke: indent, indent };
      const last = index === below.length - 1;
      return {
        what: follower,
        stroke: `${indent}${last ? '`-- ' : '|-- '}`,
        indent: `${indent}${last ? '    ' : '|   '}`,
      };
    });
    open.push(...places.reverse());
  }
  return lines;
}

function followers(snapshot: SnapshotInfo, byName: ReadonlyMap<string, SnapshotInfo>): (SnapshotInfo | string)[] {
  const { children, clones, current, volume } = snapshot;
  return [
    ...clones.map((clone) => `${clone} (clone)`),
    ...children.flatMap((name) => byName.get(name) ?? []),
    ...(current ? [`${volume} (live files)`] : []),
  ];
}
