// Walking trees to see whether they are what they should be.

import { CorruptionError } from '../errors/index.ts';
import {
  ENTRY,
  checkPage,
  extentBirth,
  extentLength,
  extentStart,
  keyAt,
  keyLengthAt,
  keyType,
  pageCount,
  pageLevel,
  valueAt,
  valueLengthAt,
} from '../format/index.ts';
import { compareBytes } from '../util/index.ts';
import { childBirth, childId } from './child.ts';
import type { Nodes } from './nodes.ts';

/** A run of data blocks that a tree references. */
export interface BlockRun {
  start: number;
  length: number;
  birth: number;
}

/** What a walk of one tree found. */
export interface TreeContents {
  /** Birth of each node, by id. */
  nodes: Map<number, number>;
  blocks: BlockRun[];
  problems: string[];
}

/** Walks the whole tree below `root` and checks every page, the order of all keys and the births of the pointers. */
export function checkTree(nodes: Nodes, root: number): TreeContents {
  const found: TreeContents = { nodes: new Map(), blocks: [], problems: [] };
  try {
    walk(nodes, root, nodes.load(root).birth, undefined, undefined, undefined, found);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    found.problems.push(error.message);
  }
  return found;
}

/** All keys below `id` must lie from `low` on and before `high`. */
function walk(
  nodes: Nodes,
  id: number,
  birth: number,
  level: number | undefined,
  low: Uint8Array | undefined,
  high: Uint8Array | undefined,
  found: TreeContents,
): void {
  const { page } = nodes.load(id);
  const say = (problem: string): void => {
    found.problems.push(`node ${id}: ${problem}`);
  };
  if (found.nodes.has(id)) say('the tree refers to it twice');
  found.nodes.set(id, birth);
  if (nodes.load(id).birth !== birth) say('its birth is not the one that stands beside the pointer');
  if (level !== undefined && pageLevel(page) !== level) say(`level ${pageLevel(page)} below level ${level + 1}`);
  const wrong = checkPage(page);
  if (wrong !== undefined) say(wrong);
  for (let index = 0; index < pageCount(page); index++) {
    const key = keyOf(page, index);
    const counts = pageLevel(page) === 0 || index > 0;
    if (counts && low !== undefined && compareBytes(key, low) < 0) say(`key ${index} lies before its separator`);
    if (counts && high !== undefined && compareBytes(key, high) >= 0)
      say(`key ${index} lies behind the next separator`);
    if (pageLevel(page) === 0) visitEntry(page, index, found);
    else {
      const next = index + 1 < pageCount(page) ? keyOf(page, index + 1) : high;
      const from = index === 0 ? low : key;
      walk(nodes, childId(page, index), childBirth(page, index), pageLevel(page) - 1, from, next, found);
    }
  }
}

function keyOf(page: Uint8Array, index: number): Uint8Array {
  const at = keyAt(page, index);
  return page.slice(at, at + keyLengthAt(page, index));
}

function visitEntry(page: Uint8Array, index: number, found: TreeContents): void {
  if (keyType(page, keyAt(page, index)) !== ENTRY.extent) return;
  const at = valueAt(page, index);
  found.blocks.push({
    start: extentStart(page, at),
    length: extentLength(valueLengthAt(page, index)),
    birth: extentBirth(page, at),
  });
}
