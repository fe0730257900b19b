// The first step of a diff: which inodes differ between two states of a filesystem, and in what. Keys begin with the inode number, so all
// differences of an inode come one after the other.
//
// Generators: each `yield` is a place where the caller may let others have their turn (see diff.ts).

import { FsError } from '../errors/index.ts';
import { ENTRY, extentLength, extentStart, keyIno, keyType } from '../format/index.ts';
import { type KeyRange, TreeDiff } from '../tree/index.ts';
import { direntChild, direntName } from './dirents.ts';
import type { Filesystem } from './filesystem.ts';
import { ORPHAN_LIST_INO } from './filesystem.ts';

/** So many changed inodes take some hundred megabytes; nobody reads a list of more. */
const INODES_MAX = 1_000_000;

/** A name in a directory; a character stands for each byte. */
export interface Name {
  readonly dir: number;
  readonly name: string;
}

/** What differs about an inode. */
export interface InodeDiff {
  readonly ino: number;
  /** Names that only the state before, or only the one after, has. */
  removed: Name[];
  added: Name[];
  /** Data or target of a symlink. */
  content: boolean;
  xattrs: boolean;
  /** As a directory: names in it. */
  names: boolean;
  /** Data blocks that only the state after, or only the one before, has. */
  blocksWritten: number;
  blocksFreed: number;
}

export interface InodeDiffs {
  readonly inodes: Map<number, InodeDiff>;
  /** Nodes of both trees that were read for it. */
  readonly nodesRead: number;
}

type Run = [start: number, end: number];

/** The difference of one inode, or nothing so far. */
export function diffOf(inodes: Map<number, InodeDiff>, ino: number): InodeDiff {
  let diff = inodes.get(ino);
  if (diff === undefined) {
    if (inodes.size === INODES_MAX) {
      throw new FsError(
        'E2BIG',
        'diff-too-large',
        `more than ${INODES_MAX} files differ; compare a single directory with "diff -r" instead`,
      );
    }
    const none = { content: false, xattrs: false, names: false, blocksWritten: 0, blocksFreed: 0 };
    diff = { ino, removed: [], added: [], ...none };
    inodes.set(ino, diff);
  }
  return diff;
}

class Collector {
  readonly inodes = new Map<number, InodeDiff>();
  readonly #walk: TreeDiff;
  #extentsOf = 0;
  readonly #runs: { before: Run[]; after: Run[] } = { before: [], after: [] };

  constructor(walk: TreeDiff) {
    this.#walk = walk;
  }

  /** Takes the difference that the walk stands on. */
  take(): void {
    const { before, after, inBefore, inAfter } = this.#walk;
    const side = inBefore ? before : after;
    const ino = keyIno(side.page, side.keyAt);
    if (ino === ORPHAN_LIST_INO) return;
    switch (keyType(side.page, side.keyAt)) {
      case ENTRY.symlink:
        diffOf(this.inodes, ino).content = true;
        break;
      case ENTRY.xattr:
        diffOf(this.inodes, ino).xattrs = true;
        break;
      case ENTRY.dirent:
        if (inBefore) this.#name(before, 'removed', ino);
        if (inAfter) this.#name(after, 'added', ino);
        break;
      case ENTRY.extent:
        if (this.#extentsOf !== ino) this.settleExtents();
        this.#extentsOf = ino;
        if (inBefore) this.#runs.before.push(runOf(before));
        if (inAfter) this.#runs.after.push(runOf(after));
        break;
      default:
        diffOf(this.inodes, ino);
    }
  }

  #name(side: TreeDiff['before'], list: 'removed' | 'added', dir: number): void {
    const { page, valueAt, valueLength } = side;
    const child = direntChild(page, valueAt);
    diffOf(this.inodes, child)[list].push({ dir, name: direntName(page, valueAt, valueLength) });
  }

  /** All differing extents of an inode are known: what of their blocks do both sides have? */
  settleExtents(): void {
    const { before, after } = this.#runs;
    if (before.length + after.length === 0) return;
    const diff = diffOf(this.inodes, this.#extentsOf);
    const shared = sharedBlocks(before, after);
    diff.content = true;
    diff.blocksFreed += blocksOf(before) - shared;
    diff.blocksWritten += blocksOf(after) - shared;
    this.#runs.before = [];
    this.#runs.after = [];
  }
}

function runOf(side: TreeDiff['before']): Run {
  const start = extentStart(side.page, side.valueAt);
  return [start, start + extentLength(side.valueLength)];
}

function blocksOf(runs: readonly Run[]): number {
  return runs.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** Runs of one list don't overlap. */
function sharedBlocks(a: Run[], b: Run[]): number {
  for (const runs of [a, b]) runs.sort((left, right) => left[0] - right[0]);
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    shared += Math.max(0, Math.min(a[i]![1], b[j]![1]) - Math.max(a[i]![0], b[j]![0]));
    if (a[i]![1] < b[j]![1]) i++;
    else j++;
  }
  return shared;
}

/** A name that moved to another slot of its directory is the same name. */
function dropSameNames(diff: InodeDiff): void {
  if (diff.removed.length === 0 || diff.added.length === 0) return;
  const keyOf = ({ dir, name }: Name): string => `${dir}/${name}`;
  const added = new Set(diff.added.map(keyOf));
  const same = new Set(diff.removed.map(keyOf).filter((name) => added.has(name)));
  diff.removed = diff.removed.filter((name) => !same.has(keyOf(name)));
  diff.added = diff.added.filter((name) => !same.has(keyOf(name)));
}

/** Finds the inodes that differ; in `range` alone, where it is given. Throws FsError E2BIG. */
export function* diffInodes(
  before: Filesystem,
  after: Filesystem,
  range?: KeyRange,
): Generator<undefined, InodeDiffs, undefined> {
  const walk = new TreeDiff(before.tree, after.tree, range);
  const collector = new Collector(walk);
  while (walk.next()) {
    if (walk.inBefore || walk.inAfter) collector.take();
    yield;
  }
  collector.settleExtents();
  const { inodes } = collector;
  for (const diff of [...inodes.values()]) {
    dropSameNames(diff);
    for (const { dir } of [...diff.removed, ...diff.added]) diffOf(inodes, dir).names = true;
  }
  return { inodes, nodesRead: walk.nodesRead };
}
