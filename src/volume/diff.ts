// What differs between two states of a volume: two snapshots, a snapshot and now, a clone and its origin.
//
// Both trees are walked side by side and what they share is passed over, so the cost grows with what changed. The work is cut into slices
// between which others have their turn; a frozen version does not change meanwhile, a live one may, and then it starts anew, the third
// time without letting go (CONCURRENCY.md).

import { FsError } from '../errors/index.ts';
import { BLOCK_BYTES, Key, createInode } from '../format/index.ts';
import type { Forest, Version } from '../tree/index.ts';
import { type Change, changesOf, isSameFile, someNames } from './diff-changes.ts';
import { type InodeDiff, type Name, diffInodes, diffOf } from './diff-inodes.ts';
import { findDirent } from './dirents.ts';
import { type Filesystem, ROOT_INO } from './filesystem.ts';
import { findInode } from './inodes.ts';

export interface Diff {
  /** By path. */
  readonly changes: readonly Change[];
  /** Data that only the state after, or only the one before, has. */
  readonly writtenBytes: number;
  readonly freedBytes: number;
  /** What it cost: nodes of both trees that were read to find the inodes that differ. */
  readonly nodesRead: number;
}

export interface DiffOptions {
  /** Only this path and what is below it: from the root, which is "/"; a character stands for each byte. */
  readonly path?: string | undefined;
  /** Lets others have their turn. */
  readonly breathe: () => Promise<void>;
}

const SLICE_MS = 4;
/** The clock is looked at after so many steps. */
const STEPS_PER_LOOK = 64;
/** So often the work is cut into slices while the live side changes; then it is done in one stretch. */
const SLICED_ATTEMPTS = 2;

/** What differs. Rejects with FsError: ENOENT (`path` is in neither), ESTALE (a snapshot was deleted meanwhile), E2BIG. */
export async function diffFilesystems(before: Filesystem, after: Filesystem, options: DiffOptions): Promise<Diff> {
  for (let attempt = 0; ; attempt++) {
    const diff = await attemptDiff(before, after, options, attempt < SLICED_ATTEMPTS);
    if (diff !== undefined) return diff;
  }
}

/** undefined: a side changed meanwhile. Frozen sides don't, so nothing is ever done in one stretch for them. */
async function attemptDiff(
  before: Filesystem,
  after: Filesystem,
  { path, breathe }: DiffOptions,
  slicesOfLive: boolean,
): Promise<Diff | undefined> {
  assertShown(before, after);
  const live = before.head !== undefined || after.head !== undefined;
  const stamp = stampOf(before, after);
  const work = path === undefined || path === '/' ? diffAll(before, after) : diffPath(before, after, path);
  let until = Date.now() + SLICE_MS;
  for (let steps = 1; ; steps++) {
    const step = work.next();
    if (step.done === true) return step.value;
    if ((live && !slicesOfLive) || steps % STEPS_PER_LOOK !== 0 || Date.now() < until) continue;
    await breathe();
    assertShown(before, after);
    if (!before.alive || !after.alive) {
      throw new FsError('ESTALE', 'diff-side-deleted', 'what was being compared was deleted meanwhile');
    }
    if (stampOf(before, after) !== stamp) return undefined;
    until = Date.now() + SLICE_MS;
  }
}

function assertShown(...sides: Filesystem[]): void {
  for (const { halfChanged } of sides) if (halfChanged !== undefined) throw halfChanged;
}

/** Another one after any change of either side, a restore included. */
function stampOf(before: Filesystem, after: Filesystem): string {
  return [before, after].map((fs) => `${fs.changes} ${fs.tree.owner.id}`).join(' ');
}

type Work<Result> = Generator<undefined, Result, undefined>;

function* diffAll(before: Filesystem, after: Filesystem): Work<Diff> {
  const { inodes, nodesRead } = yield* diffInodes(before, after);
  const changes = yield* changesOf(before, after, inodes);
  return summary(changes, inodes.values(), nodesRead);
}

function summary(changes: readonly Change[], inodes: Iterable<InodeDiff>, nodesRead: number): Diff {
  let writtenBytes = 0;
  let freedBytes = 0;
  for (const diff of inodes) {
    writtenBytes += diff.blocksWritten * BLOCK_BYTES;
    freedBytes += diff.blocksFreed * BLOCK_BYTES;
  }
  return { changes, writtenBytes, freedBytes, nodesRead };
}

/** Where a path leads. */
interface Place {
  readonly dir: number;
  readonly name: string;
  readonly ino: number;
  readonly directory: boolean;
}

function placeOf(fs: Filesystem, path: string): Place | undefined {
  const inode = createInode();
  let place: Place = { dir: ROOT_INO, name: '', ino: ROOT_INO, directory: true };
  for (const name of path.split('/').filter((part) => part !== '')) {
    if (!place.directory) return undefined;
    const ino = findDirent(fs, place.ino, Buffer.from(name, 'latin1'));
    if (ino === 0 || !findInode(fs, ino, inode)) return undefined;
    place = { dir: place.ino, name, ino, directory: (inode.mode & 0o170000) === 0o040000 };
  }
  return place;
}

/** What is no directory on either side is compared by itself, at next to no cost. */
function* diffPath(before: Filesystem, after: Filesystem, path: string): Work<Diff> {
  const was = placeOf(before, path);
  const is = placeOf(after, path);
  if (was === undefined && is === undefined) {
    const shown = Buffer.from(path, 'latin1').toString();
    throw new FsError(
      'ENOENT',
      'diff-path-unknown',
      `"${shown}" is in neither of the two; paths start at the volume's root`,
    );
  }
  if (was?.directory === true || is?.directory === true) return yield* diffBelow(before, after, path);
  const inodes = new Map<number, InodeDiff>();
  let nodesRead = 0;
  for (const ino of new Set([was?.ino ?? is!.ino, is?.ino ?? was!.ino])) {
    const key = new Key();
    const range = {
      begin: key.inode(ino).bytes.slice(0, key.length),
      end: key.inode(ino + 1).bytes.slice(0, key.length),
    };
    const found = yield* diffInodes(before, after, range);
    nodesRead += found.nodesRead;
    const diff = found.inodes.get(ino) ?? diffOf(new Map(), ino);
    // Names are entries of directories, which were not looked at.
    if (was?.ino !== is?.ino && !isOtherFile(before, after, ino)) {
      diff.removed = was?.ino === ino ? [was] : yield* namesOfOne(before, after, ino);
      diff.added = is?.ino === ino ? [is] : yield* namesOfOne(after, before, ino);
    }
    inodes.set(ino, diff);
  }
  const all = yield* changesOf(before, after, inodes);
  const changes: Change[] = [];
  for (const change of all) {
    if (change.path === path || change.oldPath === path) changes.push(change);
    // Of several names the list has one; here it is the one that was asked about.
    else if (change.kind === 'M' && was?.ino === is?.ino) changes.push({ ...change, path });
  }
  return summary(changes, inodes.values(), nodesRead);
}

/** A name that `ino` has in `fs` and not in `other`, where it has one. */
function* namesOfOne(fs: Filesystem, other: Filesystem, ino: number): Work<Name[]> {
  const names = yield* someNames(fs, ino);
  return names.filter(({ dir, name }) => findDirent(other, dir, Buffer.from(name, 'latin1')) !== ino).slice(0, 1);
}

/** Whether `ino` is one file before and another one after. */
function isOtherFile(before: Filesystem, after: Filesystem, ino: number): boolean {
  const [was, is] = [createInode(), createInode()];
  return findInode(before, ino, was) && findInode(after, ino, is) && !isSameFile(was, is);
}

/** All that differs, reduced to `path` and what is below it on either side. */
function* diffBelow(before: Filesystem, after: Filesystem, path: string): Work<Diff> {
  const { inodes, nodesRead } = yield* diffInodes(before, after);
  const all = yield* changesOf(before, after, inodes);
  const inside = (other: string | undefined): boolean => other === path || other?.startsWith(`${path}/`) === true;
  const changes = all.filter((change) => inside(change.path) || inside(change.oldPath));
  const shown = new Set(changes.map((change) => change.ino));
  return summary(
    changes,
    [...inodes.values()].filter((diff) => shown.has(diff.ino)),
    nodesRead,
  );
}

/** Whether two versions have a common ancestor: else nothing of the one is anything of the other. */
export function areRelated({ versions }: Forest, a: Version, b: Version): boolean {
  const ancestors = new Set<number>();
  for (let at: Version | undefined = a; at !== undefined; at = versions.parentOf(at)) ancestors.add(at.id);
  for (let at: Version | undefined = b; at !== undefined; at = versions.parentOf(at))
    if (ancestors.has(at.id)) return true;
  return false;
}
