// What splitting and merging need of the tree that they change, and what the tree needs of the version that it belongs to.

import type { Nodes, TreeNode } from './nodes.ts';

/** What a tree needs to know of its version: where the root is, what it owns and where dropped nodes go. */
export interface TreeOwner {
  readonly id: number;
  /** The volume that the version belongs to. */
  readonly volume: number;
  root: number;
  rootBirth: number;
  /** The checksum of the root's record; means nothing while the root waits to be stored. */
  rootSum: number;
  /** The root is about to be changed in place, so its checksum will be another. */
  rootChanges(): void;
  /** Whether an object with this birth belongs to this version alone. */
  owns(birth: number): boolean;
  /** A node of this birth was allocated for the version. */
  nodeAllocated(): void;
  /** The version stops referencing the node `id`. */
  dropNode(id: number, birth: number): void;
}

/** A tree that may be changed. Every node given to it is owned by its version. */
export interface TreeEditor {
  readonly nodes: Nodes;
  readonly owner: TreeOwner;
  /** A new empty node of the version. */
  create(level: number): TreeNode;
  /** The version stops referencing `node`. */
  drop(node: TreeNode): void;
  setRoot(node: TreeNode): void;
  /** Loads child `index` of the internal node `parent`. */
  child(parent: TreeNode, index: number): TreeNode;
  /** Loads child `index` of the internal node `parent`, copied where the version did not own it. */
  ownChild(parent: TreeNode, index: number): TreeNode;
}
