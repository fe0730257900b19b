// The nodes of all trees of a store: loaded on demand, kept in one cache bounded in bytes, written by commits.
//
// A node is in exactly one of three places: `#dirty` (changed since the last capture), `#flushing` (captured, its batch not yet
// durable, not changed since) or `#clean`, the evictable cache. A read looks there first and in LevelDB last; since LevelDB may
// still hold older bytes of a node that is being flushed, only clean nodes may leave memory.

import { LRUCache } from 'lru-cache';
import { CorruptionError } from '../errors/index.ts';
import { PAGE_BYTES, createPage, decodePage, encodePage, nodeKey, pageBirth, setPageBirth } from '../format/index.ts';
import type { Batch, Reads } from '../store/index.ts';
import { assert } from '../util/index.ts';

/** One B+tree node in memory. */
export class TreeNode {
  readonly id: number;
  readonly page: Uint8Array;
  /** Never captured by a commit: LevelDB does not know it, so freeing it needs no delete. */
  fresh: boolean;
  dirty = false;

  constructor(id: number, page: Uint8Array, fresh: boolean) {
    this.id = id;
    this.page = page;
    this.fresh = fresh;
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

  /** The node `id`. Throws CorruptionError where it is missing or damaged. */
  load(id: number): TreeNode {
    const cached = this.#clean.get(id) ?? this.#dirty.get(id) ?? this.#flushing.get(id);
    if (cached !== undefined) return cached;
    const stored = this.#kv.get(nodeKey(id));
    if (stored === undefined) throw new CorruptionError(`node ${id}`, 'a tree refers to it, but it is not there');
    const node = new TreeNode(id, decodePage(stored, `node ${id}`), false);
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
    const node = new TreeNode(this.#nextId++, page, true);
    node.dirty = true;
    this.#dirty.set(node.id, node);
    return node;
  }

  /** To be called with each change of a node's page, before or after it, within the same synchronous stretch. */
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
    for (const node of this.#dirty.values()) {
      batch.put(nodeKey(node.id), encodePage(node.page, record));
      node.dirty = false;
      node.fresh = false;
      this.#flushing.set(node.id, node);
    }
    this.#dirty.clear();
    for (const id of this.#freed) batch.delete(nodeKey(id));
    this.#freed = [];
  }

  /** The batch of the last capture is durable. */
  durable(): void {
    for (const node of this.#flushing.values()) this.#clean.set(node.id, node);
    this.#flushing = new Map();
  }
}
