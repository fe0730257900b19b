// The last step of a diff: from inodes that differ to changes of paths, as a person would tell them.
//
// An inode number is never used again in a volume, but a clone and its origin go on from the same one: so two inodes are the same file only
// if they have the same type and were born at the same moment. Access times are left out, since looking at a file is no change of it; so are
// change times, which never change alone for long.

import { type Inode, createInode } from '../format/index.ts';
import { type InodeDiff, type Name, diffOf } from './diff-inodes.ts';
import { DirectoryScan } from './dirents.ts';
import { NameFinder } from './diff-names.ts';
import type { Filesystem } from './filesystem.ts';
import { findInode } from './inodes.ts';

/** What can change about a file that stays the same file. */
export type Aspect = 'content' | 'size' | 'mode' | 'owner' | 'times' | 'xattrs' | 'names';

/** `+` came, `-` went, `R` has another name, `M` is otherwise not as it was. */
export type ChangeKind = '+' | '-' | 'M' | 'R';

export interface Change {
  readonly kind: ChangeKind;
  /** `mode >>> 12`. */
  readonly type: number;
  /** From the root, "/"; a character stands for each byte. Of what went, as it was; of anything else, as it is after. */
  readonly path: string;
  /** Of `R`: as it was. */
  readonly oldPath: string | undefined;
  /** Of `M`. */
  readonly aspects: readonly Aspect[];
  /** Of `M`: how many names more it has after, where it is no directory. */
  readonly links: number;
  readonly ino: number;
}

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

const isDirectory = (inode: Inode): boolean => (inode.mode & S_IFMT) === S_IFDIR;

/** An inode that differs, with what it was and is; undefined: not there, or without a name. */
interface Pair {
  readonly diff: InodeDiff;
  readonly before: Inode | undefined;
  readonly after: Inode | undefined;
}

function nameable(fs: Filesystem, ino: number): Inode | undefined {
  const inode = createInode();
  return findInode(fs, ino, inode) && inode.nlink > 0 ? inode : undefined;
}

/** Whether two inodes of one number are one file. */
export function isSameFile(before: Inode, after: Inode): boolean {
  if ((before.mode & S_IFMT) !== (after.mode & S_IFMT)) return false;
  return before.btime.sec === after.btime.sec && before.btime.nsec === after.btime.nsec;
}

function aspectsOf({ diff, before, after }: Required<Pair>): Aspect[] {
  const aspects: Aspect[] = [];
  if (before === undefined || after === undefined) return aspects;
  if (diff.content) aspects.push('content');
  if (before.sizeBytes !== after.sizeBytes) aspects.push('size');
  if (before.mode !== after.mode) aspects.push('mode');
  if (before.uid !== after.uid || before.gid !== after.gid) aspects.push('owner');
  if (before.mtime.sec !== after.mtime.sec || before.mtime.nsec !== after.mtime.nsec) aspects.push('times');
  if (diff.xattrs) aspects.push('xattrs');
  if (diff.names) aspects.push('names');
  return aspects;
}

/** Changes in the making: names are asked for first, told when all were found. */
class ChangeList {
  readonly #before: NameFinder;
  readonly #after: NameFinder;
  readonly changes: Change[] = [];

  constructor(before: NameFinder, after: NameFinder) {
    this.#before = before;
    this.#after = after;
  }

  /** Asks for the names that `tell` needs. */
  ask(pair: Pair): void {
    const { diff, before, after } = pair;
    for (const { dir } of diff.removed) this.#before.wantDirectory(dir);
    for (const { dir } of diff.added) this.#after.wantDirectory(dir);
    if (before === undefined || after === undefined) return;
    if (isSameFile(before, after)) {
      if (!this.#isModified(pair)) return;
      if (isDirectory(after)) this.#after.wantDirectory(diff.ino);
      else if (Math.min(diff.removed.length, diff.added.length) === 0) {
        this.#after.wantNames(diff.ino, after.nlink, false);
      }
      return;
    }
    // The one may have the very names of the other, which are then no difference.
    this.#askAll(this.#before, before);
    this.#askAll(this.#after, after);
  }

  #askAll(finder: NameFinder, inode: Inode): void {
    if (isDirectory(inode)) finder.wantDirectory(inode.ino);
    else finder.wantNames(inode.ino, inode.nlink, true);
  }

  #isModified(pair: Pair): boolean {
    return aspectsOf(pair).length > 0 || linksOf(pair) !== 0;
  }

  /** Tells what happened to the inode. */
  tell(pair: Pair): void {
    const { diff, before, after } = pair;
    const removed = diff.removed.map((name) => this.#before.pathOf(name)).sort();
    const added = diff.added.map((name) => this.#after.pathOf(name)).sort();
    if (before !== undefined && after !== undefined && isSameFile(before, after)) {
      this.#tellSame(pair, after, removed, added);
      return;
    }
    const both = before !== undefined && after !== undefined;
    const gone = both ? pathsOf(this.#before, before) : removed;
    const come = both ? pathsOf(this.#after, after) : added;
    if (before !== undefined) for (const path of gone) this.#push('-', before, path);
    if (after !== undefined) for (const path of come) this.#push('+', after, path);
  }

  #tellSame(pair: Pair, inode: Inode, removed: readonly string[], added: readonly string[]): void {
    const renamed = Math.min(removed.length, added.length);
    for (let i = 0; i < renamed; i++) this.#push('R', inode, added[i]!, removed[i]);
    for (const path of removed.slice(renamed)) this.#push('-', inode, path);
    for (const path of added.slice(renamed)) this.#push('+', inode, path);
    if (!this.#isModified(pair)) return;
    const path = renamed > 0 ? added[0]! : this.#anyPath(inode, added);
    this.#push('M', inode, path, undefined, aspectsOf(pair), linksOf(pair));
  }

  /** A path of `inode`, one that it had before too if there is one among those that were found. */
  #anyPath(inode: Inode, added: readonly string[]): string {
    const paths = pathsOf(this.#after, inode);
    return paths.find((path) => !added.includes(path)) ?? paths[0] ?? added[0] ?? `/?${inode.ino}`;
  }

  #push(kind: ChangeKind, inode: Inode, path: string, oldPath?: string, aspects: Aspect[] = [], links = 0): void {
    this.changes.push({ kind, type: inode.mode >>> 12, path, oldPath, aspects, links, ino: inode.ino });
  }
}

function linksOf({ before, after }: Pair): number {
  if (before === undefined || after === undefined || isDirectory(after)) return 0;
  return after.nlink - before.nlink;
}

function pathsOf(finder: NameFinder, inode: Inode): string[] {
  if (isDirectory(inode)) return [finder.pathOfDirectory(inode.ino)];
  return finder
    .namesOf(inode.ino)
    .map((name) => finder.pathOf(name))
    .sort();
}

/**
 * A clone and its origin made a directory of the same number each: names that both happen to have in it are not the same names.
 */
function splitDirectory(fsBefore: Filesystem, fsAfter: Filesystem, pair: Pair, inodes: Map<number, InodeDiff>): void {
  const { before, after, diff } = pair;
  if (before === undefined || after === undefined || isSameFile(before, after)) return;
  for (const [fs, inode, list] of [
    [fsBefore, before, 'removed'],
    [fsAfter, after, 'added'],
  ] as const) {
    if (!isDirectory(inode)) continue;
    const scan = new DirectoryScan();
    for (let more = scan.start(fs, diff.ino, 0); more; more = scan.next(fs)) {
      const name = Buffer.from(scan.bytes.subarray(scan.nameStart, scan.nameEnd)).toString('latin1');
      const names = diffOf(inodes, scan.child)[list];
      if (!names.some((known) => known.dir === diff.ino && known.name === name)) names.push({ dir: diff.ino, name });
    }
  }
}

/** By path, what went before what came; then renames, then the rest. */
const ORDER: Readonly<Record<ChangeKind, number>> = { '-': 0, '+': 1, R: 2, M: 3 };

function compareChanges(a: Change, b: Change): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return ORDER[a.kind] - ORDER[b.kind];
}

/** The changes that the differences of inodes amount to, by path. */
export function* changesOf(
  before: Filesystem,
  after: Filesystem,
  inodes: Map<number, InodeDiff>,
): Generator<undefined, Change[], undefined> {
  const finders = { before: new NameFinder(before), after: new NameFinder(after) };
  const list = new ChangeList(finders.before, finders.after);
  const pairOf = (diff: InodeDiff): Pair => ({
    diff,
    before: nameable(before, diff.ino),
    after: nameable(after, diff.ino),
  });
  // What this adds comes up later in the same loop.
  for (const diff of inodes.values()) {
    const pair = pairOf(diff);
    splitDirectory(before, after, pair, inodes);
    list.ask(pair);
    yield;
  }
  yield* finders.before.find();
  yield* finders.after.find();
  // Read again, since to keep two inodes for each would take twice the memory of all else.
  for (const diff of inodes.values()) {
    list.tell(pairOf(diff));
    yield;
  }
  return list.changes.sort(compareChanges);
}

/** Names that `ino` has in `fs`: one at least, where it has any. */
export function* someNames(fs: Filesystem, ino: number): Generator<undefined, readonly Name[], undefined> {
  const inode = nameable(fs, ino);
  if (inode === undefined) return [];
  const finder = new NameFinder(fs);
  finder.wantNames(ino, inode.nlink, false);
  yield* finder.find();
  return finder.namesOf(ino);
}
