// The way of a scrub through the data of a store: version by version, oldest first, and in each by key. The trees are looked at as they are
// at the moment, a slice at a time; between two slices anything may change, and the place is a key, not a cursor.

import { ENTRY, keyAfter, keyAt, keyType, pageCount } from '../format/index.ts';
import { type Forest, type Version, isShown, leafKey, ownBirths, ownLeaves } from '../tree/index.ts';
import { type Extent, extentAt } from './check-data.ts';

/** Where a scrub goes on: in the tree of version `version`, from `key` on. */
export interface DataPlace {
  readonly version: number;
  readonly key: Uint8Array;
}

/** Some extents of one version, and where it goes on behind them. */
export interface DataSlice {
  readonly version: number;
  readonly extents: readonly Extent[];
  readonly next: DataPlace;
  /** What of the trees could not be read. */
  readonly damage: readonly string[];
}

const DATA_BEGIN: DataPlace = { version: 0, key: new Uint8Array(0) };

const BLOCKS_PER_SLICE = 256;
const NODES_PER_SLICE = 64;

/** The next extents from `place` on; undefined at the end. */
export function nextSlice(forest: Forest, place: DataPlace): DataSlice | undefined {
  const version = versionFrom(forest, place.version);
  if (version === undefined) return undefined;
  const from = version.id === place.version ? place.key : DATA_BEGIN.key;
  const extents: Extent[] = [];
  const isOwn = ownBirths(forest, version);
  const behind: DataPlace = { version: version.id + 1, key: DATA_BEGIN.key };
  let [blocks, nodes] = [0, 0];
  let last = from;
  const damage: string[] = [];
  for (const leaf of ownLeaves(forest, version, isOwn, from, damage)) {
    nodes++;
    for (let index = leaf?.from ?? 0; leaf !== undefined && index < pageCount(leaf.page); index++) {
      if (keyType(leaf.page, keyAt(leaf.page, index)) !== ENTRY.extent) continue;
      const extent = extentAt(leaf.page, index);
      if (!isOwn(extent.birth)) continue;
      extents.push(extent);
      blocks += extent.sums.length;
      last = leafKey(leaf.page, index);
      if (blocks >= BLOCKS_PER_SLICE) return { version: version.id, extents, next: after(version, last), damage };
    }
    if (leaf !== undefined && pageCount(leaf.page) > 0) last = leafKey(leaf.page, pageCount(leaf.page) - 1);
    if (nodes >= NODES_PER_SLICE && last !== from)
      return { version: version.id, extents, next: after(version, last), damage };
  }
  return { version: version.id, extents, next: behind, damage };
}

/** The visible version with the lowest id from `id` on: parents come before their children. */
function versionFrom(forest: Forest, id: number): Version | undefined {
  let found: Version | undefined;
  for (const version of forest.versions.all()) {
    if (version.id >= id && isShown(version) && (found === undefined || version.id < found.id)) found = version;
  }
  return found;
}

function after(version: Version, key: Uint8Array): DataPlace {
  return { version: version.id, key: keyAfter(key) };
}
