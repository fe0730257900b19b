// Where a snapshot stands among the others: what it was made after, what came after it, and what was cloned from it.

import { VERSION_STATE } from '../format/index.ts';
import type { Forest, Version } from '../tree/index.ts';

export interface SnapshotRelations {
  /** The snapshot last taken or restored before it: its name, as `VOLUME@NAME` where it is another volume's; null: there is none (any more). */
  readonly parent: string | null;
  /** The names of the volume's snapshots of which it is the parent, oldest first. */
  readonly children: string[];
  /** The volumes that were cloned from it. */
  readonly clones: string[];
  /** Whether the live files of its volume go on from it. */
  readonly current: boolean;
}

/** The relations of the snapshot `version`. `volumeName` gives the name of the volume with an id; undefined: it was deleted. */
export function relationsOf(
  forest: Forest,
  version: Version,
  volumeName: (id: number) => string | undefined,
): SnapshotRelations {
  const children: Version[] = [];
  const clones = new Set<string>();
  let current = false;
  // Nameless versions are passed through: they are branching points that deleted snapshots left behind.
  const open = [version];
  for (let above = open.pop(); above !== undefined; above = open.pop()) {
    for (const child of above.children) {
      if (child.volume !== version.volume) {
        const name = above === version ? volumeName(child.volume) : undefined;
        if (name !== undefined) clones.add(name);
      } else if (child.state === VERSION_STATE.head) current = true;
      else if (child.label === undefined) open.push(child);
      else children.push(child);
    }
  }
  children.sort((a, b) => a.id - b.id);
  return {
    parent: parentName(forest, version, volumeName),
    children: children.map(({ label }) => label!.name),
    clones: [...clones],
    current,
  };
}

function parentName(forest: Forest, version: Version, volumeName: (id: number) => string | undefined): string | null {
  let parent = forest.versions.parentOf(version);
  while (parent !== undefined && parent.label === undefined) parent = forest.versions.parentOf(parent);
  if (parent === undefined) return null;
  const { name } = parent.label!;
  return parent.volume === version.volume ? name : `${volumeName(parent.volume) ?? '?'}@${name}`;
}
