// The invariants of design section 5 over a whole store. To be run on a store at rest: everything committed, nothing being reclaimed.

import { DEAD_NODE, SPACE, VERSION_STATE, idOfNodeKey } from '../format/index.ts';
import type { DeadRecord, DeadSum } from './dead-lists.ts';
import type { BlockRun, TreeContents } from './check-tree.ts';
import { checkTree } from './check-tree.ts';
import type { Forest } from './forest.ts';
import { type Version, eachRecord } from './versions.ts';

/** What the versions of a store use together. */
interface Used {
  /** Birth of each node and of each block. */
  nodes: Map<number, number>;
  blocks: Map<number, number>;
}

/** What is wrong with the versions, trees, dead lists and allocations of a store: one line each, empty where nothing is. */
export async function checkForest(forest: Forest): Promise<string[]> {
  const problems = checkVersions(forest);
  const contents = new Map<number, TreeContents>();
  for (const version of forest.versions.all()) {
    if (isVisible(version)) contents.set(version.id, checkTree(forest.nodes, version.root));
  }
  const used: Used = { nodes: new Map(), blocks: new Map() };
  for (const [id, found] of contents) {
    problems.push(...found.problems.map((problem) => `version ${id}: ${problem}`));
    problems.push(...checkReferences(forest, forest.versions.get(id), found, used));
  }
  problems.push(
    ...checkBorn(forest, used),
    ...checkAllocation(forest, used),
    ...(await checkStoredNodes(forest, used)),
  );
  const dead = new Map<number, Set<string>>();
  for (const version of forest.versions.all()) {
    if (version.state !== VERSION_STATE.merging)
      problems.push(...(await checkDeadList(forest, version, contents, used, dead)));
  }
  return [...problems, ...checkHoisted(forest, dead)];
}

/** Whether somebody can look into the version: it is a head or has a name. What a nameless one alone refers to is free. */
function isVisible(version: Version): boolean {
  return version.state === VERSION_STATE.head || version.state === VERSION_STATE.dying || version.label !== undefined;
}

/** Parents and children agree, and no tag is used twice. */
function checkVersions(forest: Forest): string[] {
  const problems: string[] = [];
  const tags = new Set<number>();
  for (const version of forest.versions.all()) {
    if (version.state === VERSION_STATE.merging) continue;
    if (tags.has(version.tag)) problems.push(`version ${version.id}: its tag ${version.tag} is another's too`);
    tags.add(version.tag);
    if (version.parent !== 0 && !forest.versions.get(version.parent).children.has(version)) {
      problems.push(`version ${version.id}: its parent ${version.parent} does not know it`);
    }
    for (const child of version.children) {
      if (child.parent !== version.id) problems.push(`version ${version.id}: its child ${child.id} has another parent`);
    }
  }
  return problems;
}

/** Counters, births and single ownership of what one version references; adds it to `used`. */
function checkReferences(forest: Forest, version: Version, found: TreeContents, used: Used): string[] {
  const problems: string[] = [];
  const say = (problem: string): void => {
    problems.push(`version ${version.id}: ${problem}`);
  };
  const blocks = found.blocks.reduce((sum, run) => sum + run.length, 0);
  if (found.nodes.size !== version.referencedNodes) {
    say(`references ${found.nodes.size} nodes, its counter says ${version.referencedNodes}`);
  }
  if (blocks !== version.referencedBlocks)
    say(`references ${blocks} blocks, its counter says ${version.referencedBlocks}`);
  for (const overlap of overlaps(found.blocks)) say(`references block ${overlap} twice`);
  const lineage = lineageOf(forest, version);
  const claim = (owners: Map<number, number>, id: number, birth: number, what: string): void => {
    if (!lineage.has(forest.versions.resolve(birth))) say(`${what} ${id} was born in ${birth}, which is no ancestor`);
    const other = owners.get(id);
    if (other !== undefined && other !== birth) say(`${what} ${id} was born in ${birth} and in ${other}`);
    owners.set(id, birth);
  };
  for (const [id, birth] of found.nodes) claim(used.nodes, id, birth, 'node');
  for (const run of found.blocks) {
    for (let block = run.start; block < run.start + run.length; block++) claim(used.blocks, block, run.birth, 'block');
  }
  return problems;
}

function overlaps(runs: BlockRun[]): number[] {
  const sorted = [...runs].sort((a, b) => a.start - b.start);
  return sorted
    .filter((run, i) => i > 0 && sorted[i - 1]!.start + sorted[i - 1]!.length > run.start)
    .map((r) => r.start);
}

/** The version and all its ancestors. */
function lineageOf(forest: Forest, version: Version): Set<number> {
  const lineage = new Set<number>();
  for (let at: Version | undefined = version; at !== undefined; at = forest.versions.parentOf(at)) lineage.add(at.id);
  return lineage;
}

/** `born` counters equal what is in use of each birth. */
function checkBorn(forest: Forest, used: Used): string[] {
  const count = (births: Iterable<number>): Map<number, number> => {
    const sums = new Map<number, number>();
    for (const birth of births) {
      const version = forest.versions.resolve(birth);
      sums.set(version, (sums.get(version) ?? 0) + 1);
    }
    return sums;
  };
  const nodes = count(used.nodes.values());
  const blocks = count(used.blocks.values());
  const problems: string[] = [];
  for (const version of forest.versions.all()) {
    if (version.state === VERSION_STATE.merging) continue;
    const [n, b] = [nodes.get(version.id) ?? 0, blocks.get(version.id) ?? 0];
    if (n !== version.bornNodes)
      problems.push(`version ${version.id}: ${n} nodes born, its counter says ${version.bornNodes}`);
    if (b !== version.bornBlocks)
      problems.push(`version ${version.id}: ${b} blocks born, its counter says ${version.bornBlocks}`);
  }
  return problems;
}

/** Allocated are exactly the blocks that some version references. */
function checkAllocation(forest: Forest, used: Used): string[] {
  const problems: string[] = [];
  let allocated = 0;
  forest.allocator.forEachAllocatedRun((start, count) => {
    allocated += count;
    for (let block = start; block < start + count; block++) {
      if (!used.blocks.has(block)) problems.push(`block ${block} is allocated, but nothing refers to it`);
    }
  });
  if (allocated < used.blocks.size)
    problems.push(`${used.blocks.size} blocks are referred to, ${allocated} are allocated`);
  return problems;
}

/** Stored are exactly the nodes that some version references. */
async function checkStoredNodes(forest: Forest, used: Used): Promise<string[]> {
  const problems: string[] = [];
  const missing = new Set(used.nodes.keys());
  await eachRecord(forest.kv, SPACE.node, (key) => {
    const id = idOfNodeKey(key);
    if (!missing.delete(id)) problems.push(`node ${id} is stored, but nothing refers to it`);
  });
  for (const id of missing) problems.push(`node ${id} is referred to, but not stored`);
  return problems;
}

/** A dead list names what the parent references and the version does not, each once; its sums are right. */
async function checkDeadList(
  forest: Forest,
  version: Version,
  contents: Map<number, TreeContents>,
  used: Used,
  dead: Map<number, Set<string>>,
): Promise<string[]> {
  const problems: string[] = [];
  const say = (problem: string): void => {
    problems.push(`dead list of version ${version.id}: ${problem}`);
  };
  const own = referencesOf(contents.get(version.id));
  const parent = contents.get(version.parent);
  const parents = referencesOf(parent);
  const names = new Set<string>();
  dead.set(version.id, names);
  const sums = new Map<number, DeadSum>();
  for (const record of await readAll(forest, version)) {
    const sum = sums.get(record.birth) ?? { nodes: 0, blocks: 0 };
    sums.set(record.birth, sum);
    if (record.kind === DEAD_NODE) sum.nodes += record.length;
    else sum.blocks += record.length;
    for (let id = record.start; id < record.start + record.length; id++) {
      const name = nameOf(record.kind, id);
      names.add(name);
      if (own.has(name)) say(`${name} is in use`);
      // A nameless parent has no tree of its own to look into any more.
      if (parent !== undefined && !parents.has(name)) say(`${name} is not the parent's`);
      if (!(record.kind === DEAD_NODE ? used.nodes : used.blocks).has(id)) say(`nobody uses ${name}`);
    }
  }
  const stored = await forest.deadLists.loadSums(version.deadList);
  if (describeSums(sums) !== describeSums(stored))
    say(`its sums are ${describeSums(stored)}, its records ${describeSums(sums)}`);
  forest.deadLists.release(version.deadList);
  return problems;
}

function describeSums(sums: ReadonlyMap<number, DeadSum>): string {
  const counted = [...sums].filter(([, sum]) => sum.nodes + sum.blocks > 0);
  return counted
    .map(([birth, sum]) => `${birth}:${sum.nodes}+${sum.blocks}`)
    .sort()
    .join(' ');
}

/** No branching point is left whose children all dropped the same object. */
function checkHoisted(forest: Forest, dead: Map<number, Set<string>>): string[] {
  const problems: string[] = [];
  for (const version of forest.versions.all()) {
    if (isVisible(version) || version.children.size < 2) continue;
    const [first, ...others] = [...version.children].map((child) => dead.get(child.id)!);
    for (const name of first!) {
      if (others.every((names) => names.has(name)))
        problems.push(`version ${version.id}: all its children dropped ${name}`);
    }
  }
  return problems;
}

async function readAll(forest: Forest, version: Version): Promise<DeadRecord[]> {
  return forest.deadLists.read(version.deadList, undefined, undefined, Number.MAX_SAFE_INTEGER);
}

function referencesOf(contents: TreeContents | undefined): Set<string> {
  const names = new Set<string>();
  if (contents === undefined) return names;
  for (const id of contents.nodes.keys()) names.add(nameOf(DEAD_NODE, id));
  for (const run of contents.blocks)
    for (let i = 0; i < run.length; i++) names.add(nameOf(DEAD_NODE + 1, run.start + i));
  return names;
}

function nameOf(kind: number, id: number): string {
  return kind === DEAD_NODE ? `node ${id}` : `block ${id}`;
}
