// What a version references, and what all of them do together.

import { IdSet } from './check-id-set.ts';
import type { Pace } from './check-pace.ts';
import type { StoredForest } from './check-source.ts';
import { walkTree } from './check-tree.ts';
import type { Version } from './versions.ts';

/** Says what is wrong. */
export type Say = (problem: string) => void;

/** Nodes and blocks that a version's tree refers to. */
export interface References {
  readonly nodes: IdSet;
  readonly blocks: IdSet;
  /** The sum of {@link print} over all that was not born in the version. */
  inherited: number;
  /** The same over everything. */
  all: number;
  /** Whether the whole tree could be read. */
  complete: boolean;
}

/** What the versions of a store use together. */
export interface Used {
  readonly nodes: IdSet;
  readonly blocks: IdSet;
  /** How many of them were born in each version. */
  readonly bornNodes: Map<number, number>;
  readonly bornBlocks: Map<number, number>;
  /** Whether all trees could be read. */
  complete: boolean;
}

/** A number for an object with its birth, whose sums tell two sets of them apart (they are equal by chance once in 2^32 times). */
export function print(kind: number, id: number, birth: number): number {
  let hash = Math.imul(id ^ Math.floor(id / 2 ** 32) ^ Math.imul(kind + 1, 0x27d4eb2d), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ birth, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The version and all its ancestors. */
function lineageOf(forest: StoredForest, version: Version): Set<number> {
  const lineage = new Set<number>();
  for (let at: Version | undefined = version; at !== undefined; at = forest.versions.parentOf(at)) lineage.add(at.id);
  return lineage;
}

/** Walks the tree of `version`: every page, the births of what it refers to, and that it refers to nothing twice. */
export async function readReferences(
  forest: StoredForest,
  version: Version,
  pace: Pace,
  say: Say,
  used?: Used,
): Promise<References> {
  const found: References = { nodes: new IdSet(), blocks: new IdSet(), inherited: 0, all: 0, complete: true };
  const lineage = lineageOf(forest, version);
  const note = (kind: 0 | 1, id: number, birth: number): void => {
    const born = forest.versions.resolve(birth);
    const number = print(kind, id, born);
    found.all = (found.all + number) >>> 0;
    if (born !== version.id) found.inherited = (found.inherited + number) >>> 0;
    if (used === undefined) return;
    const what = kind === 0 ? 'node' : 'block';
    if (!lineage.has(born)) say(`${what} ${id} was born in ${birth}, which is no ancestor`);
    const counts = kind === 0 ? used.bornNodes : used.bornBlocks;
    if ((kind === 0 ? used.nodes : used.blocks).add(id)) counts.set(born, (counts.get(born) ?? 0) + 1);
    else if (born === version.id) say(`${what} ${id} is another version's too`);
  };
  const root = { id: version.root, sum: version.rootSum, birth: version.rootBirth };
  const steps = walkTree(forest.nodes, root, {
    node: (id, birth) => {
      if (!found.nodes.add(id)) return false;
      note(0, id, birth);
      return true;
    },
    blocks: (start, length, birth) => {
      for (let block = start; block < start + length; block++) {
        if (found.blocks.add(block)) note(1, block, birth);
        else say(`references block ${block} twice`);
      }
    },
    problem: (text, unreadable) => {
      if (unreadable) found.complete = false;
      say(text);
    },
  });
  while (steps.next().done !== true) if (pace.due) await pace.breathe();
  if (used !== undefined && !found.complete) used.complete = false;
  return found;
}
