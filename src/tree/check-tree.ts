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
import { childBirth, childId, childSum } from './child.ts';
import { DEPTH_MAX } from './cursor.ts';
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

/** Is told what a walk comes by. */
export interface TreeVisitor {
  /** A node, before it is read; false where the tree refers to it a second time. */
  node(id: number, birth: number): boolean;
  blocks(start: number, length: number, birth: number): void;
  /** `unreadable`: what the node refers to is not known. */
  problem(text: string, unreadable: boolean): void;
}

/** Walks the whole tree below `root` (a node and its checksum) and checks every page, the order of all keys and the births of the pointers. */
export function checkTree(nodes: Nodes, root: number, rootSum: number): TreeContents {
  const found: TreeContents = { nodes: new Map(), blocks: [], problems: [] };
  const visitor: TreeVisitor = {
    node: (id, birth) => {
      const known = found.nodes.has(id);
      found.nodes.set(id, birth);
      return !known;
    },
    blocks: (start, length, birth) => found.blocks.push({ start, length, birth }),
    problem: (text) => found.problems.push(text),
  };
  const steps = walkTree(nodes, { id: root, sum: rootSum, birth: undefined }, visitor);
  while (steps.next().done !== true);
  return found;
}

/** A pointer at the root of a tree: the node, the checksum of its record and, if known, its birth. */
interface RootPointer {
  readonly id: number;
  readonly sum: number;
  readonly birth: number | undefined;
}

/** The walk of {@link checkTree}, a node a step. A node that can't be read is named, and the walk goes on beside it. */
export function* walkTree(
  nodes: Nodes,
  root: RootPointer,
  visitor: TreeVisitor,
): Generator<undefined, void, undefined> {
  yield* walk(nodes, { ...root, level: undefined, low: undefined, high: undefined, depth: 0 }, visitor);
}

/** A pointer, and what must be true of what it leads to: all keys lie from `low` on and before `high`. */
interface Pointer extends RootPointer {
  readonly level: number | undefined;
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
  readonly depth: number;
}

function* walk(nodes: Nodes, pointer: Pointer, visitor: TreeVisitor): Generator<undefined, void, undefined> {
  const { id, depth } = pointer;
  const page = loadPage(nodes, pointer, visitor);
  if (page === undefined) return;
  const isLeaf = pageLevel(page) === 0;
  if (!isLeaf && (depth === DEPTH_MAX - 1 || pageCount(page) === 0)) {
    visitor.problem(`node ${id}: the tree is deeper than any can be, or ends here`, true);
    return;
  }
  yield;
  for (let index = 0; index < pageCount(page); index++) {
    const key = keyOf(page, index);
    if (isLeaf || index > 0) checkBounds(key, index, pointer, visitor);
    if (isLeaf) visitEntry(page, index, visitor);
    else {
      const low = index === 0 ? pointer.low : key;
      const high = index + 1 < pageCount(page) ? keyOf(page, index + 1) : pointer.high;
      const child = { id: childId(page, index), sum: childSum(page, index), birth: childBirth(page, index) };
      yield* walk(nodes, { ...child, level: pageLevel(page) - 1, low, high, depth: depth + 1 }, visitor);
    }
  }
}

/** The page that a pointer leads to; undefined where it can't be read. */
function loadPage(nodes: Nodes, { id, sum, birth, level }: Pointer, visitor: TreeVisitor): Uint8Array | undefined {
  const say = (problem: string): void => {
    visitor.problem(`node ${id}: ${problem}`, false);
  };
  try {
    const node = nodes.load(id, sum);
    if (!visitor.node(id, birth ?? node.birth)) {
      say('the tree refers to it twice');
      return undefined;
    }
    if (birth !== undefined && node.birth !== birth) say('its birth is not the one that stands beside the pointer');
    if (level !== undefined && pageLevel(node.page) !== level)
      say(`level ${pageLevel(node.page)} below level ${level + 1}`);
    const wrong = checkPage(node.page);
    if (wrong !== undefined) say(wrong);
    return node.page;
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    visitor.problem(error.message, true);
    return undefined;
  }
}

function checkBounds(key: Uint8Array, index: number, { id, low, high }: Pointer, visitor: TreeVisitor): void {
  if (low !== undefined && compareBytes(key, low) < 0)
    visitor.problem(`node ${id}: key ${index} lies before its separator`, false);
  if (high !== undefined && compareBytes(key, high) >= 0)
    visitor.problem(`node ${id}: key ${index} lies behind the next separator`, false);
}

function keyOf(page: Uint8Array, index: number): Uint8Array {
  const at = keyAt(page, index);
  return page.slice(at, at + keyLengthAt(page, index));
}

function visitEntry(page: Uint8Array, index: number, visitor: TreeVisitor): void {
  if (keyType(page, keyAt(page, index)) !== ENTRY.extent) return;
  const at = valueAt(page, index);
  visitor.blocks(extentStart(page, at), extentLength(valueLengthAt(page, index)), extentBirth(page, at));
}
