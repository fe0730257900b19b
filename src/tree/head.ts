// The mutable end of a volume as its tree sees it: what it owns, where what it drops goes, and its space counters.
//
// Drop rule (design, section 5): what was born in this version is seen by nobody else and is freed by the next commit; anything
// else is still used by an ancestor and goes to the dead list under its birth.
// INVARIANT: referenced and born counters equal what a walk of the tree counts (checked by checkForest).

import { DEAD_BLOCKS, DEAD_NODE } from '../format/index.ts';
import type { BlockAllocator } from '../store/index.ts';
import { AssertionError } from '../util/index.ts';
import type { DeadLists } from './dead-lists.ts';
import type { TreeOwner } from './editor.ts';
import type { Nodes } from './nodes.ts';
import type { Version, Versions } from './versions.ts';

export class Head implements TreeOwner {
  readonly #versions: Versions;
  readonly #deadLists: DeadLists;
  readonly #nodes: Nodes;
  readonly #allocator: BlockAllocator;
  /** Changes at a snapshot: the version so far is frozen, a child of it goes on. */
  version: Version;

  constructor(version: Version, versions: Versions, deadLists: DeadLists, nodes: Nodes, allocator: BlockAllocator) {
    this.version = version;
    this.#versions = versions;
    this.#deadLists = deadLists;
    this.#nodes = nodes;
    this.#allocator = allocator;
  }

  get id(): number {
    return this.version.id;
  }

  get volume(): number {
    return this.version.volume;
  }

  get root(): number {
    return this.version.root;
  }

  set root(id: number) {
    this.version.root = id;
    this.#versions.touch(this.version);
  }

  get rootBirth(): number {
    return this.version.rootBirth;
  }

  set rootBirth(birth: number) {
    this.version.rootBirth = birth;
  }

  get rootSum(): number {
    return this.version.rootSum;
  }

  set rootSum(sum: number) {
    this.version.rootSum = sum;
  }

  rootChanges(): void {
    this.#versions.touch(this.version);
  }

  owns(birth: number): boolean {
    return birth === this.version.id || this.#versions.resolve(birth) === this.version.id;
  }

  nodeAllocated(): void {
    const version = this.version;
    version.referencedNodes++;
    version.bornNodes++;
    this.#versions.touch(version);
  }

  dropNode(id: number, birth: number): void {
    const version = this.version;
    version.referencedNodes--;
    this.#versions.touch(version);
    if (this.owns(birth)) {
      version.bornNodes--;
      this.#nodes.free(id);
    } else {
      this.#deadLists.add(version.deadList, birth, DEAD_NODE, id, 1);
    }
  }

  /** `count` data blocks were allocated for the version. */
  blocksAllocated(count: number): void {
    const version = this.version;
    version.referencedBlocks += count;
    version.bornBlocks += count;
    this.#versions.touch(version);
  }

  /** The version stops referencing `count` data blocks from `start` on, all of one birth. */
  dropBlocks(start: number, count: number, birth: number): void {
    const version = this.version;
    version.referencedBlocks -= count;
    this.#versions.touch(version);
    if (this.owns(birth)) {
      version.bornBlocks -= count;
      this.#allocator.free(start, count);
    } else {
      this.#deadLists.add(version.deadList, birth, DEAD_BLOCKS, start, count);
    }
  }
}

/** The owner of a tree that is only read: it owns nothing, and any attempt to change the tree is a fault of ours. */
export class FrozenOwner implements TreeOwner {
  readonly version: Version;

  constructor(version: Version) {
    this.version = version;
  }

  get id(): number {
    return this.version.id;
  }

  get volume(): number {
    return this.version.volume;
  }

  get root(): number {
    return this.version.root;
  }

  set root(_id: number) {
    throw new AssertionError('a frozen version does not change');
  }

  get rootBirth(): number {
    return this.version.rootBirth;
  }

  set rootBirth(_birth: number) {
    throw new AssertionError('a frozen version does not change');
  }

  get rootSum(): number {
    return this.version.rootSum;
  }

  set rootSum(_sum: number) {
    throw new AssertionError('a frozen version does not change');
  }

  rootChanges(): void {
    throw new AssertionError('a frozen version does not change');
  }

  owns(): boolean {
    return false;
  }

  nodeAllocated(): void {
    throw new AssertionError('a frozen version does not change');
  }

  dropNode(): void {
    throw new AssertionError('a frozen version does not change');
  }
}
