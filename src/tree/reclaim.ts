// Deleting versions in the background, one at a time, in bounded slices (design, section 5, "Delete").
//
// Every slice leaves memory consistent, and a commit takes memory as it is at one moment; so a crash at any point goes on where
// the last commit stood. The state of a version says what is being done with it:
// - no child: `dying`. Its tree is taken apart from its last leaf on; pointers at what older versions own are forgotten.
// - one child: `merging`. The child stands for it at once (alias); then what only the two saw is freed, and its dead list joins
//   the child's, the shorter of the two being moved.
// - more children: it stays, nameless, as a branching point, and hoisting frees what none of them uses (hoist.ts).

import { FsError } from '../errors/index.ts';
import {
  DEAD_NODE,
  type DeadSum,
  ENTRY,
  VERSION_STATE,
  extentBirth,
  extentLength,
  extentStart,
  keyAt,
  keyType,
  pageCount,
  pageLevel,
  removeEntry,
  valueAt,
  valueLengthAt,
} from '../format/index.ts';
import { childBirth, childId, childSum } from './child.ts';
import type { DeadRecord } from './dead-lists.ts';
import { DeadReader } from './dead-reader.ts';
import type { Forest } from './forest.ts';
import { hoist } from './hoist.ts';
import type { TreeNode } from './nodes.ts';
import type { Version } from './versions.ts';

/** What the reclaimer needs from around it. */
export interface ReclaimHost {
  /** Makes everything so far durable. */
  commit(): Promise<void>;
  /** Something changed that a commit has to take. */
  markDirty(): void;
  /** Lets other work run between two slices. */
  breathe(): Promise<void>;
  /** Resolves after a while: the host was full. */
  roomAgain(): Promise<void>;
  /** The reclaimer had to stop; what it was doing is taken up at the next start. */
  failed(error: unknown): void;
}

const LEAVES_PER_SLICE = 32;

export class Reclaimer {
  readonly #forest: Forest;
  readonly #host: ReclaimHost;
  readonly #queue: Version[] = [];
  /** For each branching point, what its children's lists looked like when it was last hoisted. */
  readonly #hoisted = new Map<number, string>();
  #running: Promise<void> | undefined;
  #stopped = false;
  #failure: unknown;

  constructor(forest: Forest, host: ReclaimHost) {
    this.#forest = forest;
    this.#host = host;
  }

  /** Versions that wait to be freed, the current one included. */
  get pending(): number {
    return this.#queue.length;
  }

  /** Takes up what a crash or a shutdown left undone. */
  resume(): void {
    const left = [...this.#forest.versions.all()].filter(
      (v) => v.state !== VERSION_STATE.head && v.label === undefined,
    );
    // What was begun comes first; then parents, whose ids are lower, before their children.
    const begun = (version: Version): number => (version.state === VERSION_STATE.frozen ? 1 : 0);
    left.sort((a, b) => begun(a) - begun(b) || a.id - b.id);
    for (const version of left) this.enqueue(version);
  }

  /** To be called when a frozen version lost its name. */
  enqueue(version: Version): void {
    this.#queue.push(version);
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is left to free; throws what stopped the reclaimer, where something did. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  /** Stops after the slice at hand; the next start takes it up again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<void> {
    // Asynchronous from the start, so that `#running` is set before the first slice.
    await this.#host.breathe();
    try {
      // The version at hand stays at the front until it is done: `pending` counts it, and its parent goes in behind it.
      for (let next = this.#queue[0]; next !== undefined && !this.#stopped; next = this.#queue[0]) {
        if (await this.#settleOrWait(next)) this.#queue.shift();
      }
    } catch (error) {
      this.#failure = error;
      this.#host.failed(error);
    } finally {
      this.#running = undefined;
    }
  }

  /** False where the host was full and has to be tried again: a commit that finds no room leaves everything as it was. */
  async #settleOrWait(version: Version): Promise<boolean> {
    try {
      await this.#settle(version);
      return true;
    } catch (error) {
      if (!(error instanceof FsError) || error.code !== 'ENOSPC') throw error;
      await this.#host.roomAgain();
      return false;
    }
  }

  async #settle(version: Version): Promise<void> {
    const current = this.#forest.versions.has(version.id);
    if (!current || version.label !== undefined || version.state === VERSION_STATE.head) return;
    if (version.state === VERSION_STATE.merging) await this.#merge(version);
    else if (version.children.size === 0) await this.#dismantle(version);
    else if (version.children.size === 1) {
      // A child that is being taken apart has forgotten pointers which would now be its own. It comes back here when it is gone.
      if (version.children.values().next().value!.state === VERSION_STATE.dying) return;
      this.#forest.versions.mergeIntoChild(version);
      version.state = VERSION_STATE.merging;
      this.#host.markDirty();
      await this.#merge(version);
    } else await this.#hoist(version);
  }

  async #hoist(version: Version): Promise<void> {
    this.#hoisted.set(version.id, this.#changesBelow(version));
    const moved = await hoist(this.#forest, version, {
      commit: () => this.#host.commit(),
      markDirty: () => {
        this.#host.markDirty();
      },
      goOn: () => this.#goOn(),
    });
    if (moved) this.#enqueueParent(version);
  }

  /** Lets other work run between two slices; false where the next is not to be begun. */
  async #goOn(): Promise<boolean> {
    await this.#host.breathe();
    return !this.#stopped;
  }

  /** Changes whenever the dead list of a child of `version` does. */
  #changesBelow(version: Version): string {
    return [...version.children]
      .map((child) => `${child.id}:${this.#forest.deadLists.changesOf(child.deadList)}`)
      .join();
  }

  /**
   * The parent of the version at hand is next, before anything else: a branching point from which something was hoisted has no whole
   * tree any more, so it must be merged into its last child while there is one.
   */
  #enqueueParent(version: Version): void {
    const parent = this.#forest.versions.parentOf(version);
    if (parent !== undefined && parent.label === undefined) this.#queue.splice(1, 0, parent);
  }

  /** Looks again at branching points below which heads have dropped more since; cheap where there is nothing to do. */
  revisit(): void {
    for (const version of this.#forest.versions.all()) {
      const nameless = version.state === VERSION_STATE.frozen && version.label === undefined;
      if (!nameless || version.children.size < 2) continue;
      const changes = this.#changesBelow(version);
      if (this.#hoisted.get(version.id) === changes) continue;
      // Once is enough, however often this is called before its turn comes.
      this.#hoisted.set(version.id, changes);
      this.enqueue(version);
    }
  }

  /** Frees all that was born in `version`, which has no child, and forgets it. */
  async #dismantle(version: Version): Promise<void> {
    version.state = VERSION_STATE.dying;
    this.#forest.versions.touch(version);
    this.#host.markDirty();
    while (this.#owns(version, version.rootBirth)) {
      for (let i = 0; i < LEAVES_PER_SLICE && this.#owns(version, version.rootBirth); i++) this.#freeLastLeaf(version);
      this.#host.markDirty();
      if (!(await this.#goOn())) return;
    }
    // What the list names lives on in ancestors: only the records go.
    if (!(await this.#takeAll(version, () => undefined))) return;
    this.#forest.deadLists.forget(version.deadList);
    this.#enqueueParent(version);
    this.#forest.versions.remove(version);
    this.#forest.releaseTag(version.tag);
    this.#hoisted.delete(version.id);
    this.#host.markDirty();
  }

  #owns(version: Version, birth: number): boolean {
    return this.#forest.versions.resolve(birth) === version.id;
  }

  /** Frees the last leaf that `version` owns, with its blocks, and every node above it that has become empty. */
  #freeLastLeaf(version: Version): void {
    const { nodes } = this.#forest;
    const path: TreeNode[] = [nodes.load(version.root, version.rootSum)];
    for (let node = path[0]!; pageLevel(node.page) > 0 && pageCount(node.page) > 0;) {
      const last = pageCount(node.page) - 1;
      if (!this.#owns(version, childBirth(node.page, last))) {
        // The whole path changes, and #freePath marks what stays of it.
        removeEntry(node.page, last);
        continue;
      }
      node = nodes.load(childId(node.page, last), childSum(node.page, last));
      path.push(node);
    }
    this.#freeBlocks(version, path.at(-1)!);
    this.#freePath(version, path);
  }

  #freeBlocks(version: Version, leaf: TreeNode): void {
    const { page } = leaf;
    if (pageLevel(page) > 0) return;
    for (let index = 0; index < pageCount(page); index++) {
      if (keyType(page, keyAt(page, index)) !== ENTRY.extent) continue;
      const at = valueAt(page, index);
      if (!this.#owns(version, extentBirth(page, at))) continue;
      const blocks = extentLength(valueLengthAt(page, index));
      this.#forest.allocator.free(extentStart(page, at), blocks);
      version.bornBlocks -= blocks;
    }
  }

  /** Frees the lowest node of `path` and then upwards each whose last entry went with it. */
  #freePath(version: Version, path: TreeNode[]): void {
    const { nodes } = this.#forest;
    for (let depth = path.length - 1; depth >= 0; depth--) {
      nodes.free(path[depth]!.id);
      version.bornNodes--;
      if (depth === 0) {
        // Nothing of the tree is left: no birth resolves to version 0.
        version.root = 0;
        version.rootBirth = 0;
        break;
      }
      const parent = path[depth - 1]!;
      removeEntry(parent.page, pageCount(parent.page) - 1);
      if (pageCount(parent.page) === 0) continue;
      for (const above of path.slice(0, depth)) nodes.touch(above);
      break;
    }
    this.#forest.versions.touch(version);
  }

  /** Frees what `version` and the child that it merged into no longer need, and joins their dead lists. */
  async #merge(version: Version): Promise<void> {
    const { versions, deadLists } = this.#forest;
    const child = versions.get(versions.resolve(version.id));
    if (!(await this.#freeShared(child))) return;
    await this.#chooseList(version, child);
    const target = child.deadList;
    await deadLists.loadSums(target);
    try {
      const joined = await this.#takeAll(version, (record) => {
        deadLists.add(target, record.birth, record.kind, record.start, record.length);
      });
      if (!joined) return;
    } finally {
      deadLists.release(target);
    }
    versions.removeMerged(version);
    deadLists.forget(version.deadList);
    this.#forest.releaseTag(version.tag);
    this.#hoisted.delete(version.id);
    this.#host.markDirty();
    // The child's list has grown.
    this.#enqueueParent(child);
  }

  /** Frees what the dead list of `child` holds of births that have become its own. False where it was stopped before the end. */
  async #freeShared(child: Version): Promise<boolean> {
    const { versions, deadLists } = this.#forest;
    const list = child.deadList;
    const sums = await deadLists.loadSums(list);
    try {
      const births = [...sums.keys()].filter((birth) => versions.resolve(birth) === child.id);
      if (births.length > 0) await this.#host.commit();
      for (const birth of births) {
        const done = await this.#eachDead(child, birth, (record) => {
          this.#forest.freeDead(record.kind, record.start, record.length);
          if (record.kind === DEAD_NODE) child.bornNodes -= record.length;
          else child.bornBlocks -= record.length;
        });
        if (!done) return false;
      }
      return true;
    } finally {
      deadLists.release(list);
    }
  }

  /** Lets `child` have the longer of both lists, so that the shorter one is what has to be moved. */
  async #chooseList(version: Version, child: Version): Promise<void> {
    const { versions, deadLists } = this.#forest;
    const held = [version.deadList, child.deadList];
    // In memory all the while: a head may be given the one and let go of the other.
    const [own, other] = await Promise.all(held.map((list) => deadLists.loadSums(list)));
    if (sizeOf(own!) > sizeOf(other!)) {
      [version.deadList, child.deadList] = [child.deadList, version.deadList];
      if (child.state === VERSION_STATE.head) deadLists.moveHolder(version.deadList, child.deadList);
      versions.touch(child);
      versions.touch(version);
    }
    for (const list of held) deadLists.release(list);
  }

  /** Takes every record out of the dead list of `version`, as {@link #eachDead} does; costs nothing where there is none. */
  async #takeAll(version: Version, visit: (record: DeadRecord) => void): Promise<boolean> {
    const { deadLists } = this.#forest;
    const size = sizeOf(await deadLists.loadSums(version.deadList));
    deadLists.release(version.deadList);
    if (size === 0) return true;
    await this.#host.commit();
    return this.#eachDead(version, undefined, visit);
  }

  /**
   * Takes every committed record (of one birth, or all) out of the dead list of `version`, in slices, calling `visit` for each.
   * What was added since the last commit is not seen: callers commit first. False where the reclaimer was stopped before the end.
   */
  async #eachDead(version: Version, birth: number | undefined, visit: (record: DeadRecord) => void): Promise<boolean> {
    const { deadLists } = this.#forest;
    const list = version.deadList;
    await deadLists.loadSums(list);
    const view = this.#forest.kv.readView();
    try {
      const reader = new DeadReader(view, deadLists, list, birth);
      if (!(await reader.compare(() => this.#goOn()))) return false;
      for (;;) {
        const records = await reader.next();
        for (const record of records) {
          deadLists.remove(list, record);
          visit(record);
        }
        this.#forest.versions.touch(version);
        if (records.length === 0) return true;
        this.#host.markDirty();
        if (!(await this.#goOn())) return false;
      }
    } finally {
      await view.close();
      deadLists.release(list);
    }
  }
}

/** How many entries a dead list with these sums holds. */
function sizeOf(sums: ReadonlyMap<number, DeadSum>): number {
  let size = 0;
  for (const { nodes, blocks } of sums.values()) size += nodes + blocks;
  return size;
}
