// The copy-on-write B+tree of one version.
//
// A node is changed in place where the version owns it (its birth resolves to the version); any other node is copied first and
// the pointer at it replaced, from the root down. A commit writes all changed nodes in one atomic batch, so nothing else has to
// be copied for the sake of crash safety. What is above a changed node changes with it: it holds the checksum (nodes.ts).
// INVARIANT: an internal entry's key is at most the first key below it and more than every key before it; the key of an
// internal node's first entry means nothing, it stands for minus infinity (checked by checkTree).

import { CorruptionError } from '../errors/index.ts';
import {
  ENTRY_VALUE_BYTES_MAX,
  type Key,
  insertSpace,
  pageCount,
  pageLevel,
  removeEntry,
  searchPage,
  valueLengthAt,
} from '../format/index.ts';
import { assert } from '../util/index.ts';
import { Cursor, DEPTH_MAX } from './cursor.ts';
import type { Nodes, TreeNode } from './nodes.ts';
import { childId, childSum, putChild } from './child.ts';
import type { TreeEditor, TreeOwner } from './editor.ts';
import { collapseRoot, mergeUp } from './merge.ts';
import { splitAndInsert } from './split.ts';

/** The way to an entry that is removed. One for all trees: removing is synchronous, and there may be a tree for each of many snapshots. */
const path = new Cursor();

/** Is told of every entry that is put, edited or removed, at the time or shortly before; what became of it is looked up later. */
export interface ChangeListener {
  /** The entry's key is `bytes[at..at+length)`, a view that is good for this call only. */
  changed(tree: Tree, bytes: Uint8Array, at: number, length: number): void;
}

export class Tree implements TreeEditor {
  readonly nodes: Nodes;
  readonly owner: TreeOwner;
  readonly #listener: ChangeListener | undefined;

  constructor(nodes: Nodes, owner: TreeOwner, listener?: ChangeListener) {
    this.nodes = nodes;
    this.owner = owner;
    this.#listener = listener;
  }

  /** Puts `at` on the entry with `key` and gives true, or on the place where it would go and gives false. */
  find(key: Key, at: Cursor): boolean {
    let node = this.nodes.load(this.owner.root, this.owner.rootSum);
    for (let depth = 0; ; depth++) {
      at.nodes[depth] = node;
      const found = searchPage(node.page, key.bytes, key.length);
      if (pageLevel(node.page) === 0) {
        at.depth = depth;
        at.page = node.page;
        at.index = found < 0 ? ~found : found;
        return found >= 0;
      }
      const index = childIndex(found);
      at.indexes[depth] = index;
      if (depth === DEPTH_MAX - 1) throw new CorruptionError(`node ${node.id}`, 'the tree is deeper than any can be');
      node = this.child(node, index);
    }
  }

  /** Puts `at` on the first entry whose key is `key` or sorts after it; false where there is none. */
  seek(key: Key, at: Cursor): boolean {
    if (this.find(key, at)) return true;
    return at.atEntry || this.#nextLeaf(at);
  }

  /** Moves to the previous entry, also from the place behind the last one; false, without moving, at the first. */
  previous(at: Cursor): boolean {
    if (at.index > 0) {
      at.index--;
      return true;
    }
    let depth = at.depth - 1;
    while (depth >= 0 && at.indexes[depth] === 0) depth--;
    if (depth < 0) return false;
    at.indexes[depth]!--;
    this.#descend(at, depth, true);
    return true;
  }

  /** Moves to the next entry; false at the end. */
  next(at: Cursor): boolean {
    at.index++;
    return at.atEntry || this.#nextLeaf(at);
  }

  #nextLeaf(at: Cursor): boolean {
    let depth = at.depth - 1;
    while (depth >= 0 && at.indexes[depth]! + 1 >= pageCount(at.nodes[depth]!.page)) depth--;
    if (depth < 0) return false;
    at.indexes[depth]!++;
    this.#descend(at, depth, false);
    return true;
  }

  /** From the child that `at` points at in `depth` down to its first or last entry. */
  #descend(at: Cursor, depth: number, last: boolean): void {
    let node = at.nodes[depth]!;
    while (pageLevel(node.page) > 0) {
      node = this.child(node, at.indexes[depth]!);
      depth++;
      at.nodes[depth] = node;
      at.indexes[depth] = last ? pageCount(node.page) - 1 : 0;
    }
    at.depth = depth;
    at.page = node.page;
    at.index = at.indexes[depth]!;
  }

  /** Like {@link find}, and the leaf is the version's own: the value's bytes may be changed in place. Only where the key is there. */
  edit(key: Key, at: Cursor): boolean {
    if (!this.find(key, at)) return false;
    this.#listener?.changed(this, key.bytes, 0, key.length);
    this.#own(at);
    return true;
  }

  /**
   * Makes room for the value of `key`, new or in place of the old one, and leaves `at` on it: the caller fills
   * `at.page` from `at.valueAt` on at once, and can't go on to the next entry from it. `length`: 0 to ENTRY_VALUE_BYTES_MAX.
   */
  put(key: Key, length: number, at: Cursor): void {
    assert(length <= ENTRY_VALUE_BYTES_MAX, 'a value is no longer than an entry may be');
    const found = this.find(key, at);
    this.#listener?.changed(this, key.bytes, 0, key.length);
    this.#own(at);
    const leaf = at.nodes[at.depth]!;
    if (found) {
      if (valueLengthAt(leaf.page, at.index) === length) return;
      removeEntry(leaf.page, at.index);
    }
    if (insertSpace(leaf.page, at.index, key.bytes, 0, key.length, length) >= 0) return;
    splitAndInsert(this, at, at.depth, at.index, key.bytes.slice(0, key.length), length);
  }

  /** Removes the entry of `key`; false where there is none. */
  remove(key: Key): boolean {
    if (!this.find(key, path)) return false;
    this.removeAt(path);
    return true;
  }

  /** Removes the entry that `at` is on. `at` is invalid afterwards. */
  removeAt(at: Cursor): void {
    this.#listener?.changed(this, at.page, at.keyAt, at.keyLength);
    this.#own(at);
    removeEntry(at.page, at.index);
    mergeUp(this, at);
    collapseRoot(this);
  }

  /** Makes every node on the path the version's own, from the root down, and marks it as changed. */
  #own(at: Cursor): void {
    for (let depth = 0; depth <= at.depth; depth++) {
      const node = at.nodes[depth]!;
      if (this.owner.owns(node.birth)) {
        if (depth === 0 && !node.dirty) this.owner.rootChanges();
        this.nodes.touch(node);
        continue;
      }
      const copy = this.replace(node);
      at.nodes[depth] = copy;
      if (depth === 0) this.setRoot(copy);
      else this.setChild(at.nodes[depth - 1]!, at.indexes[depth - 1]!, copy);
    }
    at.page = at.nodes[at.depth]!.page;
  }

  /** A copy of `node` for this version; the version stops referencing the original. */
  replace(node: TreeNode): TreeNode {
    const copy = this.nodes.copy(node, this.owner.id);
    this.owner.nodeAllocated();
    this.owner.dropNode(node.id, node.birth);
    return copy;
  }

  create(level: number): TreeNode {
    this.owner.nodeAllocated();
    return this.nodes.create(level, this.owner.id);
  }

  drop(node: TreeNode): void {
    this.owner.dropNode(node.id, node.birth);
  }

  setRoot(node: TreeNode): void {
    this.owner.root = node.id;
    this.owner.rootBirth = node.birth;
    this.owner.rootSum = node.sum;
  }

  /** Points entry `index` of the internal node `parent` at `child`. */
  setChild(parent: TreeNode, index: number, child: TreeNode): void {
    this.nodes.touch(parent);
    putChild(parent.page, index, child.id, child.birth, child.sum);
  }

  /** Loads child `index` of the internal node `parent`. */
  child(parent: TreeNode, index: number): TreeNode {
    return this.nodes.load(childId(parent.page, index), childSum(parent.page, index));
  }

  /** Loads child `index` of `parent` as the version's own. */
  ownChild(parent: TreeNode, index: number): TreeNode {
    const child = this.child(parent, index);
    if (this.owner.owns(child.birth)) return child;
    const copy = this.replace(child);
    this.setChild(parent, index, copy);
    return copy;
  }
}

/** The child to descend into after a search among separators: the last one that is not greater. */
function childIndex(found: number): number {
  if (found >= 0) return found;
  const before = ~found - 1;
  return before < 0 ? 0 : before;
}
