// The invariants of design section 5 over all trees of a store, in one state of its engine. Versions are looked at one by one; in memory are
// a bit for each node and block, three times over, and never a whole tree.
//
// A store at rest has nothing left to free, and each node and block has to be accounted for. One that is at work may hold versions that are
// being freed: what only these refer to can't be told from what is lost, so it is then not looked for.

import {
  DEAD_NODE,
  type DeadSum,
  SPACE,
  VERSION_STATE,
  addToSum,
  deadKey,
  decodeDead,
  idOfNodeKey,
  parseDeadKey,
  recordSum,
  spaceKey,
} from '../format/index.ts';
import { IdSet } from './check-id-set.ts';
import { isShown } from './check-own.ts';
import type { Pace } from './check-pace.ts';
import { type References, type Say, type Used, print, readReferences } from './check-references.ts';
import { type StoredForest, eachStored } from './check-source.ts';
import type { Version } from './versions.ts';

/** What would put right a figure that follows from the trees. */
export type ForestFix =
  | {
      readonly do: 'set-referenced' | 'set-born';
      readonly version: number;
      readonly nodes: number;
      readonly blocks: number;
    }
  | { readonly do: 'set-sums'; readonly list: number; readonly sums: ReadonlyMap<number, DeadSum> }
  | { readonly do: 'free-block' | 'mark-block'; readonly block: number }
  | { readonly do: 'free-node'; readonly node: number };

export interface ForestCheckOptions {
  /** Is told, after the problem itself, of what would put it right. */
  readonly fix?: ((fix: ForestFix) => void) | undefined;
  readonly pace: Pace;
  /** Nothing waits to be freed, as far as that can be known: everything has to be accounted for. */
  readonly atRest: boolean;
  readonly say: Say;
  /** Called after each version. */
  readonly progress?: (done: number, total: number) => void;
}

/** What a check of all trees looked at. */
export interface ForestCheck {
  readonly versions: number;
  readonly nodes: number;
  readonly blocks: number;
  /** Deleted versions that wait to be freed, with what only they refer to. */
  readonly pending: number;
}

/** Says what is wrong with the versions, trees, dead lists and allocations of a store. */
export async function checkForest(forest: StoredForest, options: ForestCheckOptions): Promise<ForestCheck> {
  const { say } = options;
  checkVersions(forest, say);
  const check = new Check(forest, options);
  const visible = [...forest.versions.all()].filter((version) => isShown(version));
  visible.sort((a, b) => a.id - b.id);
  for (const [index, version] of visible.entries()) {
    await check.version(version);
    options.progress?.(index + 1, visible.length);
  }
  await check.nameless();
  await check.together();
  const { nodes, blocks } = check.used;
  return { versions: visible.length, nodes: nodes.size, blocks: blocks.size, pending: check.pending };
}

/** Whether the version waits to be freed or is being freed. */
function isPending(version: Version): boolean {
  return !isShown(version) && (version.state !== VERSION_STATE.frozen || version.children.size < 2);
}

/** Parents and children agree, and no tag is used twice. */
function checkVersions(forest: StoredForest, say: Say): void {
  const tags = new Set<number>();
  for (const version of forest.versions.all()) {
    if (version.state === VERSION_STATE.merging) continue;
    if (tags.has(version.tag)) say(`version ${version.id}: its tag ${version.tag} is another's too`);
    tags.add(version.tag);
    if (version.parent !== 0 && !forest.versions.get(version.parent).children.has(version)) {
      say(`version ${version.id}: its parent ${version.parent} does not know it`);
    }
    for (const child of version.children) {
      if (child.parent !== version.id) say(`version ${version.id}: its child ${child.id} has another parent`);
    }
  }
}

class Check {
  readonly used: Used = {
    nodes: new IdSet(),
    blocks: new IdSet(),
    bornNodes: new Map(),
    bornBlocks: new Map(),
    complete: true,
  };
  readonly pending: number;
  readonly #forest: StoredForest;
  readonly #options: ForestCheckOptions;
  /** The version that was walked last, often the parent of the next one. */
  #last: { id: number; references: References } | undefined;
  /** Versions that others are being merged into: their dead lists are between two states. */
  readonly #merging = new Set<number>();

  constructor(forest: StoredForest, options: ForestCheckOptions) {
    this.#forest = forest;
    this.#options = options;
    const all = [...forest.versions.all()];
    this.pending = all.filter((version) => isPending(version)).length;
    for (const { state, id } of all)
      if (state === VERSION_STATE.merging) this.#merging.add(forest.versions.resolve(id));
  }

  /** One version: its tree, its counters, its dead list. */
  async version(version: Version): Promise<void> {
    const say = this.#sayOf(version);
    const parent = await this.#parentReferences(version);
    const { pace } = this.#options;
    const own = await readReferences(this.#forest, version, pace, say, this.used);
    this.#last = { id: version.id, references: own };
    if (own.complete) {
      if (own.nodes.size !== version.referencedNodes)
        say(`references ${own.nodes.size} nodes, its counter says ${version.referencedNodes}`);
      if (own.blocks.size !== version.referencedBlocks)
        say(`references ${own.blocks.size} blocks, its counter says ${version.referencedBlocks}`);
      if (own.nodes.size !== version.referencedNodes || own.blocks.size !== version.referencedBlocks)
        this.#fix({ do: 'set-referenced', version: version.id, nodes: own.nodes.size, blocks: own.blocks.size });
    }
    await this.#deadList(version, own, parent);
  }

  #fix(fix: ForestFix): void {
    this.#options.fix?.(fix);
  }

  #sayOf(version: Version): Say {
    return (problem) => {
      this.#options.say(`version ${version.id}: ${problem}`);
    };
  }

  /** Undefined where the version has no parent, or one that has no whole tree any more. */
  async #parentReferences(version: Version): Promise<References | undefined> {
    const parent = this.#forest.versions.parentOf(version);
    if (parent === undefined || !isShown(parent)) return undefined;
    if (this.#last?.id === parent.id) return this.#last.references;
    // Whatever is wrong with it was said when it had its turn.
    return readReferences(this.#forest, parent, this.#options.pace, () => undefined);
  }

  /** A dead list names what the parent references and the version does not, each once; its sums are right. */
  async #deadList(version: Version, own: References | undefined, parent: References | undefined): Promise<void> {
    const say: Say = (problem) => {
      this.#options.say(`dead list of version ${version.id}: ${problem}`);
    };
    const { versions } = this.#forest;
    const between = this.#merging.has(version.id);
    let dropped = 0;
    const sums = await this.#eachDead(version, (kind, id, birth) => {
      const name = `${kind === DEAD_NODE ? 'node' : 'block'} ${id}`;
      const inKind = (set: { nodes: IdSet; blocks: IdSet }): IdSet => (kind === DEAD_NODE ? set.nodes : set.blocks);
      dropped = (dropped + print(kind, id, versions.resolve(birth))) >>> 0;
      if (own !== undefined && inKind(own).has(id)) say(`${name} is in use`);
      if (between) return;
      // A nameless parent has no tree of its own to look into any more.
      if (parent?.complete === true && !inKind(parent).has(id)) say(`${name} is not the parent's`);
    });
    const { sums: stored, areWhole } = await this.#forest.deadLists.readSums(version.deadList);
    if (!areWhole) say('its sums are not those that were stored last');
    if (describeSums(sums) !== describeSums(stored))
      say(`its sums are ${describeSums(stored)}, its records ${describeSums(sums)}`);
    if (!areWhole || describeSums(sums) !== describeSums(stored))
      this.#fix({ do: 'set-sums', list: version.deadList, sums });
    if (between || own?.complete !== true || parent?.complete !== true) return;
    if ((own.inherited + dropped) >>> 0 !== parent.all)
      say('it does not name exactly what the parent references and the version does not');
  }

  async #eachDead(
    version: Version,
    visit: (kind: number, id: number, birth: number) => void,
  ): Promise<Map<number, DeadSum>> {
    const sums = new Map<number, DeadSum>();
    const { deadList } = version;
    const { reads } = this.#forest;
    const [from, to] = [deadKey(deadList, 0, 0, 0), deadKey(deadList + 1, 0, 0, 0)];
    await eachStored(reads, from, to, this.#options.pace, (key, value) => {
      const { birth, kind, start } = parseDeadKey(key);
      const length = decodeDead(key, value, `dead list ${deadList}`);
      const sum = sums.get(birth) ?? { nodes: 0, blocks: 0, records: 0 };
      sums.set(birth, sum);
      if (kind === DEAD_NODE) sum.nodes += length;
      else sum.blocks += length;
      sum.records = addToSum(sum.records, recordSum(key, value));
      for (let id = start; id < start + length; id++) visit(kind, id, birth);
    });
    return sums;
  }

  /** Dead lists of branching points, and what all children of one have dropped: nobody sees it. */
  async nameless(): Promise<void> {
    for (const version of this.#forest.versions.all()) {
      if (isShown(version)) await this.#lostIn(version);
      if (isShown(version) || isPending(version)) continue;
      await this.#deadList(version, undefined, await this.#parentReferences(version));
      await this.#lostIn(version);
      await this.#checkHoisted(version);
    }
  }

  /** What only a dead list names is used by nobody: at rest that is wrong, otherwise it will be freed. */
  async #lostIn(version: Version): Promise<void> {
    const { used } = this;
    const { atRest, say } = this.#options;
    const { versions } = this.#forest;
    const lost: [kind: number, id: number, birth: number][] = [];
    await this.#eachDead(version, (kind, id, birth) => {
      const isNode = kind === DEAD_NODE;
      if ((isNode ? used.nodes : used.blocks).has(id)) return;
      if (!atRest) lost.push([kind, id, birth]);
      else if (used.complete && this.pending === 0)
        say(`dead list of version ${version.id}: nobody uses ${isNode ? 'node' : 'block'} ${id}`);
    });
    for (const [kind, id, birth] of lost) {
      if (!(kind === DEAD_NODE ? used.nodes : used.blocks).add(id)) continue;
      const counts = kind === DEAD_NODE ? used.bornNodes : used.bornBlocks;
      const born = versions.resolve(birth);
      counts.set(born, (counts.get(born) ?? 0) + 1);
    }
  }

  /** No branching point is left whose children all dropped the same object. */
  async #checkHoisted(version: Version): Promise<void> {
    if (!this.#options.atRest || this.pending > 0) return;
    let common: { nodes: IdSet; blocks: IdSet } | undefined;
    for (const child of version.children) {
      const names = { nodes: new IdSet(), blocks: new IdSet() };
      await this.#eachDead(child, (kind, id) => {
        const inKind = (set: { nodes: IdSet; blocks: IdSet }): IdSet => (kind === DEAD_NODE ? set.nodes : set.blocks);
        if (common === undefined || inKind(common).has(id)) inKind(names).add(id);
      });
      common = names;
    }
    for (const kind of ['nodes', 'blocks'] as const) {
      for (const id of common?.[kind] ?? []) {
        this.#options.say(`version ${version.id}: all its children dropped ${kind.slice(0, -1)} ${id}`);
      }
    }
  }

  /** What all versions use together is what is allocated, stored and counted. */
  async together(): Promise<void> {
    const { used } = this;
    const { say } = this.#options;
    const missing = await this.#checkStoredNodes();
    for (const block of this.#freeBlocks()) {
      say(`block ${block} is in use, but marked as free`);
      this.#fix({ do: 'mark-block', block });
    }
    if (!used.complete || this.pending > 0) return;
    for (const node of missing) {
      say(`node ${node} is stored, but nothing refers to it`);
      this.#fix({ do: 'free-node', node });
    }
    this.#checkAllocation();
    this.#checkBorn();
  }

  /** `born` counters equal what is in use of each birth. */
  #checkBorn(): void {
    const { bornNodes, bornBlocks } = this.used;
    for (const version of this.#forest.versions.all()) {
      const say = this.#sayOf(version);
      const [nodes, blocks] = [bornNodes.get(version.id) ?? 0, bornBlocks.get(version.id) ?? 0];
      if (nodes !== version.bornNodes) say(`${nodes} nodes born, its counter says ${version.bornNodes}`);
      if (blocks !== version.bornBlocks) say(`${blocks} blocks born, its counter says ${version.bornBlocks}`);
      if (nodes !== version.bornNodes || blocks !== version.bornBlocks)
        this.#fix({ do: 'set-born', version: version.id, nodes, blocks });
    }
  }

  *#freeBlocks(): Generator<number> {
    for (const block of this.used.blocks) if (!this.#forest.allocator.isAllocated(block)) yield block;
  }

  /** Allocated are no other blocks than those that some version references. */
  #checkAllocation(): void {
    this.#forest.allocator.forEachAllocatedRun((start, count) => {
      for (let block = start; block < start + count; block++) {
        if (this.used.blocks.has(block)) continue;
        this.#options.say(`block ${block} is allocated, but nothing refers to it`);
        this.#fix({ do: 'free-block', block });
      }
    });
  }

  /** Nodes that are stored and used by nobody. */
  async #checkStoredNodes(): Promise<number[]> {
    const unused: number[] = [];
    const { reads } = this.#forest;
    await eachStored(reads, spaceKey(SPACE.node), spaceKey(SPACE.node, true), this.#options.pace, (key) => {
      const id = idOfNodeKey(key);
      if (!this.used.nodes.has(id) && unused.length < UNUSED_MAX) unused.push(id);
    });
    return unused;
  }
}

/** Nodes without a reference that are named, at most. */
const UNUSED_MAX = 10_000;

function describeSums(sums: ReadonlyMap<number, DeadSum>): string {
  const counted = [...sums].filter(([, sum]) => sum.nodes + sum.blocks > 0);
  return counted
    .map(([birth, sum]) => `${birth}:${sum.nodes}+${sum.blocks}/${sum.records.toString(16)}`)
    .sort()
    .join(' ');
}
