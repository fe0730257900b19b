// What snapshots cost. Figures are blocks of 4 KiB: data blocks, and a node of the tree counts for one.

import { type Forest, type Version, rehearseDelete } from '../tree/index.ts';
import type { Volume } from './volume.ts';

/** What the version references: how large a full copy of it would be. */
export function referencedBlocks(version: Version): number {
  return version.referencedBlocks + version.referencedNodes;
}

/** What was written in the version's time as head and is still in use somewhere. */
export function writtenBlocks(version: Version): number {
  return version.bornBlocks + version.bornNodes;
}

/**
 * What deleting the frozen `version` alone would free. With one child and no branching point beside it, that is what was born in it and
 * the child has dropped: read from the sums of the child's dead list. Else it is rehearsed. Everything must be committed for that.
 */
export async function uniqueBlocks(forest: Forest, version: Version): Promise<number> {
  const parent = forest.versions.parentOf(version);
  const beside = parent !== undefined && parent.label === undefined;
  if (beside || version.children.size !== 1) return rehearseDelete(forest, [version]);
  const child = version.children.values().next().value!;
  const list = child.deadList;
  if (!forest.versions.standsForOthers(version)) {
    // One look-up instead of a walk, which counts where thousands of snapshots are listed.
    const sum = forest.deadLists.sumOf(list, version.id);
    return sum === undefined ? 0 : sum.nodes + sum.blocks;
  }
  const sums = await forest.deadLists.loadSums(list);
  let blocks = 0;
  for (const [birth, sum] of sums) {
    if (forest.versions.resolve(birth) === version.id) blocks += sum.nodes + sum.blocks;
  }
  forest.deadLists.release(list);
  return blocks;
}

/** What deleting all snapshots of the volume together would free, whoever holds them. Everything must be committed. */
export async function snapshotsBlocks(forest: Forest, volume: Volume): Promise<number> {
  if (volume.snapshotCount === 0) return 0;
  return rehearseDelete(
    forest,
    volume.snapshots().map(({ version }) => version),
  );
}
