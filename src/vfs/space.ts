// statfs(2): space in blocks of 4 KiB. Live files share what the store uses and what the host has left; a snapshot is
// as large as what it references, and full.

import { BLOCK_BYTES, type Snapshot } from '../volume/index.ts';
import type { View } from './view.ts';

/** The unit of {@link Space} in bytes. */
export const SPACE_UNIT_BYTES = BLOCK_BYTES;

/** Figures of a filesystem, in units of 4 KiB. */
export interface Space {
  totalBlocks: number;
  availableBlocks: number;
}

/**
 * Fills `space` for live files: at all times the total is what is used and what is available. With a quota, used is what the live files
 * take, and what the host has left bounds what is available.
 */
export function liveSpace(view: View, space: Space): void {
  const hostBlocks = Math.floor(view.availableBytes() / BLOCK_BYTES);
  const { quotaBlocks, quotaLeftBlocks } = view.filesystem;
  if (quotaBlocks === Infinity) {
    space.availableBlocks = hostBlocks;
    space.totalBlocks = view.volumes.allocatedBlocks + hostBlocks;
    return;
  }
  space.availableBlocks = Math.max(0, Math.min(hostBlocks, quotaLeftBlocks));
  space.totalBlocks = quotaBlocks - quotaLeftBlocks + space.availableBlocks;
}

/** Fills `space` for a snapshot. */
export function snapshotSpace(snapshot: Snapshot, space: Space): void {
  space.availableBlocks = 0;
  space.totalBlocks = referencedUnits(snapshot);
}

/** What a snapshot refers to, data blocks and tree nodes, in units of 4 KiB; shared with others or not. */
export function referencedUnits(snapshot: Snapshot): number {
  return snapshot.version.referencedBlocks + snapshot.version.referencedNodes;
}
