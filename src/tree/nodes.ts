// The nodes of all trees of a store: loaded on demand, kept in one cache bounded in bytes, written by commits.
//
// A node is in exactly one of three places: `#dirty` (changed since the last capture), `#flushing` (captured, its batch not yet
// durable, not changed since) or `#clean`, the evictable cache. A read looks there first and in LevelDB last; since LevelDB may
// still hold older bytes of a node that is being flushed, only clean nodes may leave memory.
//
// A record may be whole and yet of an earlier time, where the disk lost the one that replaced it. So the checksum of each stands in the node
// above it as well, and that of a root in its version, which a ledger covers (store/ledger.ts).
// INVARIANT: what is above a dirty node is dirty too, up to its version's record (checked by checkTree).

import { LRUCache } from 'lru-cache';
import { CorruptionError } from '../errors/index.ts';
import {
  PAGE_BYTES,
  createPage,
  decodePage,
  encodePage,
  nodeKey,
  pageBirth,
  pageCount,
  pageLevel,
  setPageBirth,
  sumOfPage,
} from '../format/index.ts';
import type { Batch, Reads } from '../store/index.ts';
import { assert } from '../util/index.ts';
import { childId, putChildSum } from './child.ts';

/** One B+tree node in memory. */
export class TreeNode {
  readonly id: number;
  readonly page: Uint8Array;
  /** Never captured by a commit: LevelDB does not know it, so freeing it needs no delete. */
  fresh: boolean;
  dirty = false;
  /** The checksum of its record as it was stored last. */
  sum: number;

  constructor(id: number, page: Uint8Array, fresh: boolean, sum: number) {
    this.id = id;
    this.page = page;
    this.fresh = fresh;
    this.sum = sum;
  }

  /** The version in which the node was allocated. */
  get birth(): number {
    return pageBirth(this.page);
  }
}

/** What a node costs in memory: its page, its object and its place in the cache. */
const NODE_MEMORY_BYTES = PAGE_BYTES + 400;

export class Nodes {
  readonly #kv: Reads;
  readonly #clean: LRUCache<number, TreeNode>;
  readonly #dirty = new Map<number, TreeNode>();
  #flushing = new Map<number, TreeNode>();
  #freed: number[] = [];
  #nextId: number;

  /** `nextId`: the first node id that was never used. `cacheBytes`: how much memory clean nodes may take. */
  constructor(kv: Reads, nextId: number, cacheBytes: number) {
    this.#kv = kv;
    this.#nextId = nextId;
    this.#clean = new LRUCache({ max: Math.max(64, Math.floor(cacheBytes / NODE_MEMORY_BYTES)) });
  }

  /** The first node id that was never used; stored with each commit. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Bytes of nodes that only a commit can write and so let go of. */
  get dirtyBytes(): number {
    return (this.#dirty.size + this.#flushing.size) * NODE_MEMORY_BYTES;
  }

  /** The node `id`, whose record has the checksum `sum`. Throws CorruptionError where it is missing, damaged or of another time. */
  load(id: number, sum: number): TreeNode {
    const cached = this.#clean.get(id) ?? this.#dirty.get(id) ?? this.#flushing.get(id);
    if (cached !== undefined) return cached;
    const stored = this.#kv.get(nodeKey(id));
    if (stored === undefined) throw new CorruptionError(`node ${id}`, 'a tree refers to it, but it is not there');
    const page = decodePage(stored, `node ${id}`);
    if (sumOfPage(stored) !== sum)
      throw new CorruptionError(`node ${id}`, 'it is not what was stored last, but an older state of it');
    const node = new TreeNode(id, page, false, sum);
    this.#clean.set(id, node);
    return node;
  }

  /** A new empty node of `level`, born in version `birth`. */
  create(level: number, birth: number): TreeNode {
    return this.#add(createPage(level, birth));
  }

  /** A new node with the entries of `node`, born in version `birth`. */
  copy(node: TreeNode, birth: number): TreeNode {
    const page = node.page.slice();
    setPageBirth(page, birth);
    return this.#add(page);
  }

  #add(page: Uint8Array): TreeNode {
    const node = new TreeNode(this.#nextId++, page, true, 0);
    node.dirty = true;
    this.#dirty.set(node.id, node);
    return node;
  }

  /**
   * To be called with each change of a node's page, before or after it, within the same synchronous stretch; and for all that is above it.
   */
  touch(node: TreeNode): void {
    if (node.dirty) return;
    node.dirty = true;
    this.#clean.delete(node.id);
    this.#flushing.delete(node.id);
    this.#dirty.set(node.id, node);
  }

  /** Frees the node `id`, which nothing refers to any more. */
  free(id: number): void {
    const fresh = this.#dirty.get(id)?.fresh === true;
    this.#dirty.delete(id);
    if (fresh) return;
    this.#flushing.delete(id);
    this.#clean.delete(id);
    this.#freed.push(id);
  }

  /** Puts all changes since the last capture into `batch`. */
  capture(batch: Batch): void {
    assert(this.#flushing.size === 0, 'one capture is in flight at a time');
    // One for all: a batch copies what it is given.
    const record = new Uint8Array(PAGE_BYTES);
    for (const nodes of this.#dirtyByLevel()) {
      for (const node of nodes) {
        this.#fillSums(node);
        const stored = encodePage(node.page, record);
        batch.put(nodeKey(node.id), stored);
        node.sum = sumOfPage(stored);
        node.dirty = false;
        node.fresh = false;
        this.#flushing.set(node.id, node);
      }
    }
    this.#dirty.clear();
    for (const id of this.#freed) batch.delete(nodeKey(id));
    this.#freed = [];
  }

  /** Children before what is above them. */
  #dirtyByLevel(): TreeNode[][] {
    const levels: TreeNode[][] = [];
    for (const node of this.#dirty.values()) {
      const level = pageLevel(node.page);
      while (levels.length <= level) levels.push([]);
      levels[level]!.push(node);
    }
    return levels;
  }

  /** Puts the checksums of those children that this capture stores into the node above them. */
  #fillSums({ page }: TreeNode): void {
    if (pageLevel(page) === 0) return;
    for (let index = 0; index < pageCount(page); index++) {
      const child = this.#flushing.get(childId(page, index));
      if (child !== undefined) putChildSum(page, index, child.sum);
    }
  }

  /** The checksum of the node `id` in the last capture; undefined where it was not part of that, or is stored by now. */
  capturedSum(id: number): number | undefined {
    return this.#flushing.get(id)?.sum;
  }

  /** The batch of the last capture is durable. */
  durable(): void {
    for (const node of this.#flushing.values()) this.#clean.set(node.id, node);
    this.#flushing = new Map();
  }
}
