// Shrinking after a removal: an empty node goes, a nearly empty one joins a neighbour below the same parent, and a root with one
// child gives way to it. Nodes between a quarter and full are left alone, so that a tree under churn does not swing.

import {
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
  appendEntries,
  compactPage,
  insertSpace,
  keyAt,
  keyLengthAt,
  pageCount,
  pageLevel,
  pageUsedBytes,
  removeEntry,
} from '../format/index.ts';
import { assert } from '../util/index.ts';
import { CHILD_BYTES, childBirth, childId, childSum, putChild } from './child.ts';
import type { Cursor } from './cursor.ts';
import type { TreeEditor } from './editor.ts';
import type { TreeNode } from './nodes.ts';

const MERGE_BELOW_BYTES = PAGE_BYTES / 4;
/** Merged nodes keep room for some inserts, else the next one would split them again. */
const MERGED_BYTES_MAX = (PAGE_BYTES * 3) / 4;

/** Repairs the path of `at`, from the leaf up, after an entry of its leaf was removed. All nodes of the path are owned. */
export function mergeUp(tree: TreeEditor, at: Cursor): void {
  for (let depth = at.depth; depth > 0; depth--) {
    const node = at.nodes[depth]!;
    const parent = at.nodes[depth - 1]!;
    const index = at.indexes[depth - 1]!;
    if (pageCount(node.page) === 0) {
      tree.nodes.touch(parent);
      tree.drop(node);
      removeEntry(parent.page, index);
      continue;
    }
    if (pageUsedBytes(node.page) >= MERGE_BELOW_BYTES) return;
    if (!mergeWithNeighbour(tree, node, parent, index)) return;
  }
}

function mergeWithNeighbour(tree: TreeEditor, node: TreeNode, parent: TreeNode, index: number): boolean {
  if (index + 1 < pageCount(parent.page)) {
    const right = tree.child(parent, index + 1);
    if (fitTogether(node, right)) {
      absorb(tree, node, right, parent, index + 1);
      return true;
    }
  }
  if (index > 0) {
    const neighbour = tree.child(parent, index - 1);
    if (fitTogether(neighbour, node)) {
      absorb(tree, tree.ownChild(parent, index - 1), node, parent, index);
      return true;
    }
  }
  return false;
}

function fitTogether(left: TreeNode, right: TreeNode): boolean {
  return pageUsedBytes(left.page) + pageUsedBytes(right.page) - PAGE_HEADER_BYTES <= MERGED_BYTES_MAX;
}

/** Moves the entries of `right`, child `index` of `parent`, to the end of `left`, which is owned. */
function absorb(tree: TreeEditor, left: TreeNode, right: TreeNode, parent: TreeNode, index: number): void {
  tree.nodes.touch(left);
  tree.nodes.touch(parent);
  compactPage(left.page);
  let from = 0;
  if (pageLevel(right.page) > 0) {
    // The key of an internal node's first entry means nothing; in the middle of a node it must be the separator.
    const at = pageCount(left.page);
    const value = insertSpace(
      left.page,
      at,
      parent.page,
      keyAt(parent.page, index),
      keyLengthAt(parent.page, index),
      CHILD_BYTES,
    );
    assert(value >= 0, 'nodes that are merged fit together');
    putChild(left.page, at, childId(right.page, 0), childBirth(right.page, 0), childSum(right.page, 0));
    from = 1;
  }
  appendEntries(left.page, right.page, from, pageCount(right.page));
  tree.drop(right);
  removeEntry(parent.page, index);
}

/** Takes levels off the top that hold nothing but one pointer; a tree without entries becomes one empty leaf. */
export function collapseRoot(tree: TreeEditor): void {
  for (;;) {
    const root = tree.nodes.load(tree.owner.root, tree.owner.rootSum);
    if (pageLevel(root.page) === 0 || pageCount(root.page) > 1) return;
    const below = pageCount(root.page) === 1 ? tree.child(root, 0) : tree.create(0);
    tree.drop(root);
    tree.setRoot(below);
  }
}
