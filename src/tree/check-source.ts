// The trees of a store as one state of the engine has them: what a check looks at while the store goes on.

import { SPACE, decodeSuper, keyAfter, spaceKey } from '../format/index.ts';
import { BlockAllocator, type Reads } from '../store/index.ts';
import type { Pace } from './check-pace.ts';
import { DeadLists } from './dead-lists.ts';
import { FrozenOwner } from './head.ts';
import { Nodes } from './nodes.ts';
import { Tree } from './tree.ts';
import { type Version, Versions } from './versions.ts';

/** Nodes that a check keeps in memory. */
const CACHE_BYTES = 16 * 1024 * 1024;
/** Records of one range: their values are in memory together. */
const RECORDS_PER_SLICE = 256;

export class StoredForest {
  readonly reads: Reads;
  readonly versions: Versions;
  readonly nodes: Nodes;
  readonly deadLists: DeadLists;
  readonly allocator: BlockAllocator;

  private constructor(reads: Reads, versions: Versions, nodes: Nodes, deadLists: DeadLists, allocator: BlockAllocator) {
    this.reads = reads;
    this.versions = versions;
    this.nodes = nodes;
    this.deadLists = deadLists;
    this.allocator = allocator;
  }

  /** Reads versions and bitmaps. Throws CorruptionError where one of these is damaged, or there is no store at all. */
  static async load(reads: Reads): Promise<StoredForest> {
    const stored = reads.get(spaceKey(SPACE.super));
    const counters = stored === undefined ? { nextNode: 1, nextVersion: 1 } : decodeSuper(stored);
    const versions = await Versions.load(reads, counters.nextVersion);
    const allocator = await BlockAllocator.load(reads);
    const nodes = new Nodes(reads, counters.nextNode, CACHE_BYTES);
    return new StoredForest(reads, versions, nodes, await DeadLists.load(reads), allocator);
  }

  /** The tree of a version, to be read only. */
  tree(version: Version): Tree {
    return new Tree(this.nodes, new FrozenOwner(version));
  }
}

/** Calls `visit` for every record from the key `from` on and before `to`, with pauses. */
export async function eachStored(
  reads: Reads,
  from: Uint8Array,
  to: Uint8Array,
  pace: Pace,
  visit: (key: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  for (let low = from; ;) {
    const slice = await reads.range(low, to, RECORDS_PER_SLICE);
    for (const [key, value] of slice) {
      visit(key, value);
      if (pace.due) await pace.breathe();
    }
    if (slice.length < RECORDS_PER_SLICE) return;
    low = keyAfter(slice.at(-1)![0]);
  }
}
