// What snapshots cost. Figures are blocks of 4 KiB: data blocks, and a node of the tree counts for one.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Forest, type Version, rehearse } from '../tree/index.ts';
import { passesOver } from './passes.ts';
import type { Volume } from './volume.ts';

/** So many versions are looked up at a time: each look-up may be a wait for the engine, and those of one group are one wait. */
const GROUP = 512;

/** What the version references: how large a full copy of it would be. */
export function referencedBlocks(version: Version): number {
  return version.referencedBlocks + version.referencedNodes;
}

/** What was written in the version's time as head and is still in use somewhere. */
export function writtenBlocks(version: Version): number {
  return version.bornBlocks + version.bornNodes;
}

/**
 * What deleting a frozen version alone would free; of several, each alone, and nothing for one that was deleted meanwhile. Of a version with
 * one child and no branching point beside it, that is what was born in it and the child has dropped: read from the sums of the child's dead
 * list. The others are rehearsed, in one pass. Everything must be committed for that.
 */
export function uniqueBlocks(forest: Forest, version: Version): Promise<number>;
export function uniqueBlocks(forest: Forest, versions: readonly Version[]): Promise<number[]>;
export async function uniqueBlocks(forest: Forest, asked: Version | readonly Version[]): Promise<number | number[]> {
  if ('id' in asked) return (await uniqueBlocks(forest, [asked]))[0]!;
  const blocks = new Array<number>(asked.length).fill(0);
  const branching: number[] = [];
  for (let at = 0; at < asked.length; at += GROUP) {
    const work = asked.slice(at, at + GROUP).map(async (version, place) => {
      if (version.label === undefined) return;
      if (isBranching(forest, version)) branching.push(at + place);
      else blocks[at + place] = await droppedByChild(forest, version);
    });
    await Promise.all(work);
    // Most look-ups don't wait, and there may be many thousands.
    if (at + GROUP < asked.length) await nextTurn();
  }
  const alone = branching.map((place) => [asked[place]!]);
  for (const [index, freed] of (await freedByEach(forest, alone)).entries()) blocks[branching[index]!] = freed;
  return blocks;
}

function isBranching(forest: Forest, version: Version): boolean {
  const parent = forest.versions.parentOf(version);
  return version.children.size !== 1 || (parent !== undefined && parent.label === undefined);
}

async function droppedByChild(forest: Forest, version: Version): Promise<number> {
  const list = version.children.values().next().value!.deadList;
  if (!forest.versions.standsForOthers(version)) {
    // One look-up instead of a walk, which counts where thousands of snapshots are listed.
    const sum = forest.deadLists.sumOf(list, version.id);
    return sum === undefined ? 0 : sum.nodes + sum.blocks;
  }
  const sums = await forest.deadLists.loadSums(list);
  let blocks = 0;
  for (const [birth, sum] of sums) {
    if (forest.versions.resolve(birth) === version.id) blocks += sum.nodes + sum.blocks;
  }
  forest.deadLists.release(list);
  return blocks;
}

/** What deleting all snapshots together would free, whoever holds them, for each of `volumes`. Everything must be committed. */
export function snapshotsBlocks(forest: Forest, volumes: readonly Volume[]): Promise<number[]> {
  return freedByEach(
    forest,
    volumes.map((volume) => volume.snapshots().map(({ version }) => version)),
  );
}

/** What deleting each of `sets` of named, frozen versions alone would free. */
async function freedByEach(forest: Forest, sets: readonly (readonly Version[])[]): Promise<number[]> {
  const blocks = new Array<number>(sets.length).fill(0);
  for (const pass of passesOver(forest, sets)) {
    const together = pass.map((set) => sets[set]!);
    const freed = await rehearse(forest, together.flat(), (rehearsal) => rehearsal.freedByEach(together));
    for (const [index, set] of pass.entries()) blocks[set] = freed[index]!;
  }
  return blocks;
}
