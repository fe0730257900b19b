// The differences between two trees of one forest, in key order.
//
// Both trees are walked side by side. A pointer that both have leads to the same node, and so to the same entries: it is passed over
// without being read. So the walk reads the nodes that one of the two does not have, and no others; their number grows with what changed,
// not with the size of the trees.
//
// A place in a walk is the path from the root to a leaf's entry or to a pointer that was not followed yet, with a key that nothing before it
// reaches and nothing behind it is less than: the entry's own, or the separator of the pointer.
// The trees must not change while they are walked: see CONCURRENCY.md.

import { CorruptionError } from '../errors/index.ts';
import { keyAt, keyLengthAt, pageCount, pageLevel, searchPage, valueAt, valueLengthAt } from '../format/index.ts';
import { childId, childSum } from './child.ts';
import { DEPTH_MAX } from './cursor.ts';
import type { Tree } from './tree.ts';

const KEY_BYTES_MAX = 255;
const NO_PAGE = new Uint8Array(0);

/** Which keys are looked at: from `begin` on and before `end`. */
export interface KeyRange {
  readonly begin: Uint8Array;
  readonly end: Uint8Array;
}

/** One of the two walks; where a difference was found, the entry that it stands on can be read. */
class DiffSide {
  readonly #tree: Tree;
  readonly #range: KeyRange | undefined;
  readonly #pages = new Array<Uint8Array>(DEPTH_MAX).fill(NO_PAGE);
  readonly #indexes = new Int32Array(DEPTH_MAX);
  #depth = -1;
  /** Nothing from here on is less than this; length -1: than anything. */
  readonly low = new Uint8Array(KEY_BYTES_MAX);
  lowLength = -1;
  nodesRead = 0;

  constructor(tree: Tree, range: KeyRange | undefined) {
    this.#tree = tree;
    this.#range = range;
  }

  start(): void {
    const { root, rootSum } = this.#tree.owner;
    this.#enter(root, rootSum);
  }

  get ended(): boolean {
    return this.#depth < 0;
  }

  get page(): Uint8Array {
    return this.#pages[this.#depth]!;
  }

  get index(): number {
    return this.#indexes[this.#depth]!;
  }

  /** 0 on an entry; on a pointer, one more than the level of the node that it leads to. */
  get level(): number {
    return pageLevel(this.page);
  }

  /** Where the entry's key starts in `page`. */
  get keyAt(): number {
    return keyAt(this.page, this.index);
  }

  get valueAt(): number {
    return valueAt(this.page, this.index);
  }

  get valueLength(): number {
    return valueLengthAt(this.page, this.index);
  }

  get child(): number {
    return childId(this.page, this.index);
  }

  /** Follows the pointer. */
  descend(): void {
    this.#enter(this.child, childSum(this.page, this.index));
  }

  /** Passes over the entry, or over all that the pointer leads to. */
  advance(): void {
    this.#indexes[this.#depth]!++;
    this.#settle();
  }

  #enter(id: number, sum: number): void {
    const { page } = this.#tree.nodes.load(id, sum);
    this.nodesRead++;
    this.#depth++;
    if (this.#depth === DEPTH_MAX) throw new CorruptionError(`node ${id}`, 'the tree is deeper than any can be');
    this.#pages[this.#depth] = page;
    this.#indexes[this.#depth] = this.#range === undefined ? 0 : firstIndex(page, this.#range.begin);
    this.#settle();
  }

  /** Goes up from ends of nodes, and notes the least key. */
  #settle(): void {
    while (this.#depth >= 0 && this.index >= pageCount(this.page)) {
      this.#depth--;
      if (this.#depth >= 0) this.#indexes[this.#depth]!++;
    }
    if (this.#depth < 0) return;
    // The key of an internal node's first entry means nothing: the bound of the node itself goes on.
    if (this.level > 0 && this.index === 0) return;
    const at = this.keyAt;
    this.lowLength = keyLengthAt(this.page, this.index);
    for (let i = 0; i < this.lowLength; i++) this.low[i] = this.page[at + i]!;
    if (this.#range !== undefined && compareLow(this, this.#range.end, this.#range.end.length) >= 0) this.#depth = -1;
  }
}

export class TreeDiff {
  readonly before: DiffSide;
  readonly after: DiffSide;
  /** Whether the difference that was found last has an entry on that side; both: two values under one key. */
  inBefore = false;
  inAfter = false;

  constructor(before: Tree, after: Tree, range?: KeyRange) {
    this.before = new DiffSide(before, range);
    this.after = new DiffSide(after, range);
    if (before.owner.root === after.owner.root) return;
    this.before.start();
    this.after.start();
  }

  /** Nodes read so far, of both trees. */
  get nodesRead(): number {
    return this.before.nodesRead + this.after.nodesRead;
  }

  /**
   * One step of bounded work; false at the end. Where it came to a difference, `inBefore` or `inAfter` is set and the sides stand on its
   * entries until the next step.
   */
  next(): boolean {
    const { before, after } = this;
    if (this.inBefore) before.advance();
    if (this.inAfter) after.advance();
    this.inBefore = false;
    this.inAfter = false;
    if (before.ended && after.ended) return false;
    const order = before.ended ? 1 : after.ended ? -1 : compareLow(before, after.low, after.lowLength);
    if (order !== 0 && (before.ended || after.ended || !this.#skipShared())) {
      if (order < 0) this.inBefore = take(before);
      else this.inAfter = take(after);
    } else if (order === 0 && !this.#skipShared()) {
      this.#stepEqual();
    }
    return true;
  }

  /** Both sides start at the same key. */
  #stepEqual(): void {
    const { before, after } = this;
    if (before.level > after.level) before.descend();
    else if (after.level > before.level) after.descend();
    else if (before.level > 0) {
      before.descend();
      after.descend();
    } else if (sameValue(before, after)) {
      before.advance();
      after.advance();
    } else {
      this.inBefore = true;
      this.inAfter = true;
    }
  }

  /** Passes over a pointer that both sides have; false where there is none. */
  #skipShared(): boolean {
    const { before, after } = this;
    if (before.level === 0 || after.level !== before.level || before.child !== after.child) return false;
    before.advance();
    after.advance();
    return true;
  }
}

/** True on an entry; a pointer is followed. */
function take(side: DiffSide): boolean {
  if (side.level === 0) return true;
  side.descend();
  return false;
}

function firstIndex(page: Uint8Array, begin: Uint8Array): number {
  const found = searchPage(page, begin, begin.length);
  if (found >= 0) return found;
  return pageLevel(page) === 0 ? ~found : Math.max(~found - 1, 0);
}

function compareLow(side: DiffSide, key: Uint8Array, length: number): number {
  if (side.lowLength < 0 || length < 0) return side.lowLength - length;
  const limit = Math.min(side.lowLength, length);
  for (let i = 0; i < limit; i++) {
    const order = side.low[i]! - key[i]!;
    if (order !== 0) return order;
  }
  return side.lowLength - length;
}

function sameValue(a: DiffSide, b: DiffSide): boolean {
  const length = a.valueLength;
  if (length !== b.valueLength) return false;
  const [pageA, pageB, atA, atB] = [a.page, b.page, a.valueAt, b.valueAt];
  for (let i = 0; i < length; i++) if (pageA[atA + i] !== pageB[atB + i]) return false;
  return true;
}
