// Splitting a full node. The new right half gets a separator in the parent: for leaves the shortest key that tells the halves
// apart, so that internal nodes stay small. An entry that goes to the very end starts a node of its own: files that grow and
// trees that are filled in order then leave full nodes behind, not half-full ones.

import {
  ENTRY_OVERHEAD_BYTES,
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
  appendEntries,
  clearPage,
  insertSpace,
  keyAt,
  keyLengthAt,
  pageCount,
  pageLevel,
  pageUsedBytes,
  valueLengthAt,
} from '../format/index.ts';
import { assert } from '../util/index.ts';
import { CHILD_BYTES, putChild } from './child.ts';
import type { Cursor } from './cursor.ts';
import type { TreeEditor } from './editor.ts';
import type { TreeNode } from './nodes.ts';

const scratch = new Uint8Array(PAGE_BYTES);

/**
 * Inserts an entry into the full, owned node that `at` holds in `depth`, at `index`, and leaves `at.page` and `at.index` on it
 * for the value to be filled in. Splits parents as far as it has to.
 */
export function splitAndInsert(
  tree: TreeEditor,
  at: Cursor,
  depth: number,
  index: number,
  key: Uint8Array,
  valueLength: number,
): void {
  const left = at.nodes[depth]!;
  const count = pageCount(left.page);
  const splitAt = index === count ? count : balancedSplit(left.page);
  const goesRight = index === count || index > splitAt || (index === splitAt && !leftIsLighter(left.page, splitAt));
  const separator = separatorOf(left.page, splitAt, index === splitAt ? key : undefined, goesRight);

  const right = tree.create(pageLevel(left.page));
  moveTail(left.page, right.page, splitAt);
  tree.nodes.touch(left);
  insertIntoParent(tree, at, depth, left, separator, right);

  const target = goesRight ? right : left;
  const targetIndex = goesRight ? index - splitAt : index;
  const value = insertSpace(target.page, targetIndex, key, 0, key.length, valueLength);
  assert(value >= 0, 'a half has room for any entry');
  at.page = target.page;
  at.index = targetIndex;
}

/** The index at which the bytes of the entries before come closest to half. */
function balancedSplit(page: Uint8Array): number {
  const half = (pageUsedBytes(page) - PAGE_HEADER_BYTES) / 2;
  let bytes = 0;
  for (let index = 0; ; index++) {
    const entry = keyLengthAt(page, index) + valueLengthAt(page, index) + ENTRY_OVERHEAD_BYTES;
    if (bytes + entry >= half) return Math.max(1, bytes + entry - half < half - bytes ? index + 1 : index);
    bytes += entry;
  }
}

function leftIsLighter(page: Uint8Array, splitAt: number): boolean {
  let left = 0;
  for (let index = 0; index < splitAt; index++) {
    left += keyLengthAt(page, index) + valueLengthAt(page, index) + ENTRY_OVERHEAD_BYTES;
  }
  return left < (pageUsedBytes(page) - PAGE_HEADER_BYTES) / 2;
}

/**
 * The key that tells the halves apart, `inserted` being the new key where it lies at the border. In internal nodes it is the
 * right half's whole first key: what lies below the entry before it may be greater than any shorter one.
 */
function separatorOf(
  page: Uint8Array,
  splitAt: number,
  inserted: Uint8Array | undefined,
  goesRight: boolean,
): Uint8Array {
  const low = inserted !== undefined && !goesRight ? inserted : keyOf(page, splitAt - 1);
  const high = inserted !== undefined && goesRight ? inserted : keyOf(page, splitAt);
  if (pageLevel(page) > 0) return high;
  let common = 0;
  while (common < low.length && low[common] === high[common]) common++;
  return high.slice(0, common + 1);
}

function keyOf(page: Uint8Array, index: number): Uint8Array {
  const at = keyAt(page, index);
  return page.slice(at, at + keyLengthAt(page, index));
}

function moveTail(left: Uint8Array, right: Uint8Array, splitAt: number): void {
  scratch.set(left);
  appendEntries(right, scratch, splitAt, pageCount(scratch));
  clearPage(left);
  appendEntries(left, scratch, 0, splitAt);
}

function insertIntoParent(
  tree: TreeEditor,
  at: Cursor,
  depth: number,
  left: TreeNode,
  separator: Uint8Array,
  right: TreeNode,
): void {
  if (depth === 0) {
    growRoot(tree, left, separator, right);
    return;
  }
  const parent = at.nodes[depth - 1]!;
  const index = at.indexes[depth - 1]! + 1;
  tree.nodes.touch(parent);
  if (insertSpace(parent.page, index, separator, 0, separator.length, CHILD_BYTES) >= 0) {
    putChild(parent.page, index, right.id, right.birth, right.sum);
  } else {
    splitAndInsert(tree, at, depth - 1, index, separator, CHILD_BYTES);
    putChild(at.page, at.index, right.id, right.birth, right.sum);
  }
}

function growRoot(tree: TreeEditor, left: TreeNode, separator: Uint8Array, right: TreeNode): void {
  const root = tree.create(pageLevel(left.page) + 1);
  insertSpace(root.page, 0, separator, 0, 0, CHILD_BYTES);
  putChild(root.page, 0, left.id, left.birth, left.sum);
  insertSpace(root.page, 1, separator, 0, separator.length, CHILD_BYTES);
  putChild(root.page, 1, right.id, right.birth, right.sum);
  tree.setRoot(root);
}
