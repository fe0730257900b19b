// All trees of a store: nodes, versions and dead lists together, and the three moves that make the version tree grow: a first
// version, a freeze (snapshot) and a fork (clone). Each is O(1): nothing but version records is written.

import { CorruptionError } from '../errors/index.ts';
import { DEAD_NODE, SPACE, VERSION_STATE, decodeSuper, encodeSuper, spaceKey } from '../format/index.ts';
import type { SnapshotLabel, SuperRecord } from '../format/index.ts';
import type { Batch, BlockAllocator, KeyValue } from '../store/index.ts';
import { equalBytes } from '../util/index.ts';
import { DeadLists, type DeadRecord } from './dead-lists.ts';
import { FrozenOwner, Head } from './head.ts';
import { Nodes } from './nodes.ts';
import { type ChangeListener, Tree } from './tree.ts';
import { type Version, Versions } from './versions.ts';

/** nodeids have 24 bits for the tag of the version that they show. */
const TAG_MAX = 0xff_ffff;

export interface ForestOptions {
  /** Memory for nodes that are not waiting to be written. */
  cacheBytes: number;
  /** Seed of the directory hash of a new store (u32); a store that exists has its own. */
  hashSeed: number;
}

export class Forest {
  readonly kv: KeyValue;
  readonly allocator: BlockAllocator;
  readonly nodes: Nodes;
  readonly versions: Versions;
  readonly deadLists: DeadLists;
  readonly #counters: SuperRecord;
  #writtenCounters: Uint8Array = new Uint8Array(0);
  readonly #tags = new Set<number>();

  private constructor(
    kv: KeyValue,
    allocator: BlockAllocator,
    counters: SuperRecord,
    versions: Versions,
    nodes: Nodes,
    deadLists: DeadLists,
  ) {
    this.kv = kv;
    this.allocator = allocator;
    this.#counters = counters;
    this.versions = versions;
    this.nodes = nodes;
    this.deadLists = deadLists;
    for (const version of versions.all()) this.#tags.add(version.tag);
  }

  /** Reads what a store holds; an empty one gets its first counters. */
  static async load(kv: KeyValue, allocator: BlockAllocator, options: ForestOptions): Promise<Forest> {
    const stored = kv.get(spaceKey(SPACE.super));
    const counters: SuperRecord =
      stored === undefined
        ? { nextNode: 1, nextVersion: 1, nextVolume: 1, nextTag: 1, hashSeed: options.hashSeed }
        : decodeSuper(stored);
    const { nextVersion } = counters;
    const versions = await (kv.damage === undefined
      ? Versions.load(kv, nextVersion)
      : Versions.loadReadable(kv, nextVersion));
    const deadLists = kv.damage === undefined ? await DeadLists.load(kv) : DeadLists.unverified(kv);
    const nodes = new Nodes(kv, counters.nextNode, options.cacheBytes);
    const forest = new Forest(kv, allocator, counters, versions, nodes, deadLists);
    for (const version of versions.all()) {
      if (version.state === VERSION_STATE.head) await forest.#loadSums(version.deadList);
    }
    return forest;
  }

  async #loadSums(list: number): Promise<void> {
    try {
      await this.deadLists.loadSums(list);
    } catch (error) {
      // What is only read needs no books; those that are kept in memory of what the journal does again are never written.
      if (this.kv.damage === undefined || !(error instanceof CorruptionError)) throw error;
      this.deadLists.start(list);
    }
  }

  get hashSeed(): number {
    return this.#counters.hashSeed;
  }

  /** An id for a new volume. */
  takeVolumeId(): number {
    return this.#counters.nextVolume++;
  }

  /** A tag that no version has. Tags wrap around after 16 million, long after the kernel forgot what it held of the first ones. */
  takeTag(): number {
    for (;;) {
      const tag = this.#counters.nextTag;
      this.#counters.nextTag = tag === TAG_MAX ? 1 : tag + 1;
      if (this.#tags.has(tag)) continue;
      this.#tags.add(tag);
      return tag;
    }
  }

  /** The first version of a new volume: an empty tree without a parent. */
  plant(volume: number, nowMs: number): Head {
    const version = this.versions.create({
      ...NO_SPACE,
      state: VERSION_STATE.head,
      parent: 0,
      tag: this.takeTag(),
      volume,
      root: 0,
      rootBirth: 0,
      rootSum: 0,
      createdMs: nowMs,
      label: undefined,
    });
    this.deadLists.start(version.deadList);
    const head = this.head(version);
    const root = this.nodes.create(0, version.id);
    head.nodeAllocated();
    head.root = root.id;
    head.rootBirth = version.id;
    return head;
  }

  /** The head of a volume, to be changed through. */
  head(version: Version): Head {
    return new Head(version, this.versions, this.deadLists, this.nodes, this.allocator);
  }

  /** The tree of a volume's head; `listener` is told of its changes. */
  liveTree(head: Head, listener?: ChangeListener): Tree {
    return new Tree(this.nodes, head, listener);
  }

  /** The tree of a frozen version, to be read only. */
  frozenTree(version: Version): Tree {
    return new Tree(this.nodes, new FrozenOwner(version));
  }

  /**
   * Freezes what `head` holds and lets it go on as a child. The live side keeps its tag, and with it the nodeids that the kernel
   * knows; the frozen version gets a new one. Gives the frozen version.
   */
  freeze(head: Head, label: SnapshotLabel | undefined, nowMs: number): Version {
    const frozen = head.version;
    const liveTag = frozen.tag;
    frozen.state = VERSION_STATE.frozen;
    frozen.label = label;
    frozen.tag = this.takeTag();
    frozen.createdMs = nowMs;
    this.versions.touch(frozen);
    this.deadLists.release(frozen.deadList);
    head.version = this.#childOf(frozen, liveTag, frozen.volume, nowMs);
    return frozen;
  }

  /**
   * Freezes what `head` holds, under `label` or without a name, and lets it go on from the frozen version `target`. The live side gets a
   * new tag: what the kernel held of it before leads nowhere any more. Gives the version that was frozen.
   */
  restore(head: Head, target: Version, label: SnapshotLabel | undefined, nowMs: number): Version {
    const frozen = head.version;
    frozen.state = VERSION_STATE.frozen;
    frozen.label = label;
    this.releaseTag(frozen.tag);
    frozen.tag = this.takeTag();
    frozen.createdMs = nowMs;
    this.versions.touch(frozen);
    this.deadLists.release(frozen.deadList);
    head.version = this.#childOf(target, this.takeTag(), frozen.volume, nowMs);
    return frozen;
  }

  /** A new head below the frozen version `origin`, for the volume `volume`. */
  fork(origin: Version, volume: number, nowMs: number): Head {
    return this.head(this.#childOf(origin, this.takeTag(), volume, nowMs));
  }

  #childOf(parent: Version, tag: number, volume: number, nowMs: number): Version {
    const version = this.versions.create({
      ...NO_SPACE,
      state: VERSION_STATE.head,
      parent: parent.id,
      tag,
      volume,
      root: parent.root,
      rootBirth: parent.rootBirth,
      rootSum: parent.rootSum,
      referencedBlocks: parent.referencedBlocks,
      referencedNodes: parent.referencedNodes,
      createdMs: nowMs,
      label: undefined,
    });
    this.deadLists.start(version.deadList);
    return version;
  }

  /** Ends a volume: its head is frozen without a name and without a successor, for the reclaimer to take apart. */
  retire(head: Head): Version {
    const version = head.version;
    version.state = VERSION_STATE.frozen;
    version.label = undefined;
    this.versions.touch(version);
    this.deadLists.release(version.deadList);
    return version;
  }

  /** The version is gone: its tag may be used again once the counter comes round. */
  releaseTag(tag: number): void {
    this.#tags.delete(tag);
  }

  /** Frees a node or a run of blocks that a dead list held and nobody sees any more. */
  freeDead(kind: number, start: number, length: number): void {
    if (kind === DEAD_NODE) for (let id = start; id < start + length; id++) this.nodes.free(id);
    else this.allocator.free(start, length);
  }

  /** Frees what was born in `version` and every child of it has dropped. */
  freeHoisted(version: Version, record: DeadRecord): void {
    if (record.kind === DEAD_NODE) version.bornNodes -= record.length;
    else version.bornBlocks -= record.length;
    this.versions.touch(version);
    this.freeDead(record.kind, record.start, record.length);
  }

  capture(batch: Batch): void {
    this.nodes.capture(batch);
    this.deadLists.capture(batch);
    this.versions.capture(batch, (root) => this.nodes.capturedSum(root));
    this.#counters.nextNode = this.nodes.nextId;
    this.#counters.nextVersion = this.versions.nextId;
    const record = encodeSuper(this.#counters);
    // An fsync of nothing new stays free.
    if (equalBytes(record, this.#writtenCounters)) return;
    batch.put(spaceKey(SPACE.super), record);
    this.#writtenCounters = record;
  }

  durable(): void {
    this.nodes.durable();
    this.deadLists.durable();
  }
}

const NO_SPACE = { referencedBlocks: 0, referencedNodes: 0, bornBlocks: 0, bornNodes: 0 };
