// The leaves of a version that it does not share with the nearest version above it that anybody can look into. Over all versions these are
// all leaves, and each of them once, those below a nameless branching point excepted.

import { CorruptionError } from '../errors/index.ts';
import { VERSION_STATE, keyAt, keyLengthAt, pageCount, pageLevel, searchPage } from '../format/index.ts';
import { childBirth, childId, childSum } from './child.ts';
import type { Forest } from './forest.ts';
import type { Version } from './versions.ts';

/** One leaf of a version's tree. */
export interface OwnLeaf {
  readonly page: Uint8Array;
  /** The first entry that was asked for. */
  readonly from: number;
}

/** Tells the births of what the version has by itself. */
export type IsOwn = (birth: number) => boolean;

/** What of the tree of `version` no version above it shows. Good until the version tree changes. */
export function ownBirths(forest: Forest, version: Version): IsOwn {
  const { versions } = forest;
  let above = versions.parentOf(version);
  while (above !== undefined && above.label === undefined) above = versions.parentOf(above);
  const shown = new Set<number>();
  for (; above !== undefined; above = versions.parentOf(above)) shown.add(above.id);
  return (birth) => !shown.has(versions.resolve(birth));
}

/** Whether the version can be looked into: a head, or one with a name. */
export function isShown({ state, label }: Version): boolean {
  return state === VERSION_STATE.head || (state === VERSION_STATE.frozen && label !== undefined);
}

/**
 * The leaves of the version that are its own, from the key `from` on, in order. A step may give undefined: a node was read that is no leaf.
 * The tree must not change between two steps. Nodes that can't be read are passed over, and `damage` says which.
 */
export function* ownLeaves(
  forest: Forest,
  version: Version,
  isOwn: IsOwn,
  from: Uint8Array,
  damage: string[],
): Generator<OwnLeaf | undefined, void, undefined> {
  if (version.root !== 0 && isOwn(version.rootBirth))
    yield* below(forest, version.root, version.rootSum, isOwn, from, damage);
}

function* below(
  forest: Forest,
  id: number,
  sum: number,
  isOwn: IsOwn,
  from: Uint8Array | undefined,
  damage: string[],
): Generator<OwnLeaf | undefined, void, undefined> {
  const page = loadPage(forest, id, sum, damage);
  if (page === undefined) return;
  const found = from === undefined ? 0 : searchPage(page, from, from.length);
  if (pageLevel(page) === 0) {
    yield { page, from: found < 0 ? ~found : found };
    return;
  }
  yield undefined;
  const first = found < 0 ? Math.max(0, ~found - 1) : found;
  for (let index = first; index < pageCount(page); index++) {
    if (!isOwn(childBirth(page, index))) continue;
    const start = index === first ? from : undefined;
    yield* below(forest, childId(page, index), childSum(page, index), isOwn, start, damage);
  }
}

function loadPage(forest: Forest, id: number, sum: number, damage: string[]): Uint8Array | undefined {
  try {
    return forest.nodes.load(id, sum).page;
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    damage.push(error.message);
    return undefined;
  }
}

/** The key of an entry of a leaf. */
export function leafKey(page: Uint8Array, index: number): Uint8Array {
  const at = keyAt(page, index);
  return page.slice(at, at + keyLengthAt(page, index));
}
