// Diffs against a naive comparison: random histories with snapshots and a clone, then every pair of states is compared by walking both
// whole trees by their names. The naive comparison knows nothing of trees, slots or hints.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Listing, ROOT_INO, type Filesystem, setAttributes, setXattrValue, writeFile } from '../../src/vfs/index.ts';
import { diffFilesystems, type Change, type Diff, type Inode } from '../../src/volume/index.ts';
import { openMemoryVolumes } from '../support/memory-volumes.ts';
import { TreeOf, codeOf } from '../unit/vfs/tree-of.ts';

interface Seen {
  readonly inode: Inode;
  readonly paths: string[];
}

const isDirectory = ({ mode }: Inode): boolean => mode >>> 12 === 4;

/** All inodes with their paths. A path that leads to another file of the same number counts as another inode. */
function walk(fs: Filesystem, dir = ROOT_INO, prefix = '', seen = new Map<string, Seen>()): Map<string, Seen> {
  const tree = new TreeOf(fs);
  const note = (inode: Inode, path: string): void => {
    const key = `${inode.ino} ${inode.mode >>> 12} ${inode.btime.sec} ${inode.btime.nsec}`;
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { inode, paths: [path] });
    else known.paths.push(path);
  };
  if (dir === ROOT_INO) note(tree.root(), '/');
  const listing = new Listing();
  const names: string[] = [];
  listing.start(fs, tree.inode(dir), 2, false);
  while (listing.next()) {
    names.push(Buffer.from(listing.bytes.subarray(listing.nameStart, listing.nameEnd)).toString());
  }
  for (const name of names) {
    const inode = tree.find(dir, name)!;
    note(inode, `${prefix}/${name}`);
    if (isDirectory(inode)) walk(fs, inode.ino, `${prefix}/${name}`, seen);
  }
  return seen;
}

function modified(was: Inode, is: Inode): string[] {
  const facts: [string, (inode: Inode) => unknown][] = [
    ['size', (inode) => inode.sizeBytes],
    ['mode', (inode) => inode.mode],
    ['owner', (inode) => [inode.uid, inode.gid]],
    ['times', (inode) => [inode.mtime.sec, inode.mtime.nsec]],
  ];
  return facts.filter(([, fact]) => JSON.stringify(fact(was)) !== JSON.stringify(fact(is))).map(([name]) => name);
}

/** Line for line what the diff should say; of renames and further names only which paths come and go, of the rest what changed. */
function naive(before: Filesystem, after: Filesystem): string[] {
  const [was, is] = [walk(before), walk(after)];
  const lines: string[] = [];
  for (const key of new Set([...was.keys(), ...is.keys()])) {
    const [old, now] = [was.get(key), is.get(key)];
    const ino = (old ?? now)!.inode.ino;
    const gone = (old?.paths ?? []).filter((path) => now?.paths.includes(path) !== true);
    const come = (now?.paths ?? []).filter((path) => old?.paths.includes(path) !== true);
    // Below a renamed directory nothing has changed but the way to it.
    const [oldNames, newNames] = [old, now].map((seen) => (seen === undefined ? [] : seen.paths.length));
    if (old === undefined) lines.push(...come.map((path) => `${ino} + ${path}`));
    if (now === undefined) lines.push(...gone.map((path) => `${ino} - ${path}`));
    if (old === undefined || now === undefined) continue;
    const links = isDirectory(now.inode) ? 0 : Number(newNames) - Number(oldNames);
    const aspects = modified(old.inode, now.inode);
    if (aspects.length > 0 || links !== 0) lines.push(`${ino} M ${aspects.join(',')} ${links}`);
  }
  return lines.sort();
}

/** The same of a diff. */
function described({ changes }: Diff): string[] {
  const aspects = (change: Change): string =>
    change.aspects.filter((aspect) => !['content', 'xattrs', 'names'].includes(aspect)).join(',');
  const kept = changes
    .filter(({ kind }) => kind === 'M')
    .map((c) => [c, `${c.ino} M ${aspects(c)} ${c.links}`] as const);
  return kept
    .filter(([change]) => aspects(change) !== '' || change.links !== 0)
    .map(([, line]) => line)
    .sort();
}

/** Carries the changes of names out on the paths of `before`: the paths of `after` must come out. */
function pathsAfter(before: Filesystem, { changes }: Diff): string[] {
  const renames = changes.filter(({ kind }) => kind === 'R');
  const removed = new Set(changes.filter(({ kind }) => kind === '-').map(({ path }) => path));
  const old = [...walk(before).values()].flatMap(({ inode, paths }) => paths.map((path) => ({ inode, path })));
  const names = new Map<string, string>();
  // The name of each old path, after: its own, or what it was renamed to; its directory's, in turn.
  const after = (path: string): string | undefined => {
    if (path === '/' || path === '') return '';
    if (removed.has(path)) return undefined;
    const known = names.get(path);
    if (known !== undefined) return known;
    const renamed = renames.find(({ oldPath }) => oldPath === path);
    const dir = path.slice(0, path.lastIndexOf('/'));
    const parent = after(dir);
    const result = renamed?.path ?? (parent === undefined ? undefined : `${parent}${path.slice(dir.length)}`);
    if (result !== undefined) names.set(path, result);
    return result;
  };
  const kept = old.map(({ path }) => after(path)).filter((path) => path !== undefined);
  const come = changes.filter(({ kind }) => kind === '+').map(({ path }) => path);
  return [...kept.map((path) => (path === '' ? '/' : path)), ...come].sort();
}

const allPaths = (fs: Filesystem): string[] => [...walk(fs).values()].flatMap(({ paths }) => paths).sort();

const KINDS = [
  'file',
  'file',
  'dir',
  'symlink',
  'link',
  'unlink',
  'rmdir',
  'rename',
  'rename',
  'write',
  'mode',
  'xattr',
];
const step = fc.record({
  kind: fc.constantFrom(...KINDS, 'snapshot', 'clone'),
  from: fc.nat(),
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  to: fc.nat(),
  toName: fc.constantFrom('a', 'b', 'c', 'd'),
  flags: fc.constantFrom(0, 0, 0, 1, 2, 4),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function change(tree: TreeOf, dirs: readonly number[], { kind, from, name, to, toName, flags }: Step): void {
  const [dir, toDir] = [dirs[from % dirs.length]!, dirs[to % dirs.length]!];
  const inode = tree.find(dir, name);
  const actions: Record<string, () => unknown> = {
    file: () => tree.file(dir, name),
    dir: () => tree.dir(dir, name),
    symlink: () => tree.symlink(dir, name, toName),
    link: () => inode && tree.link(inode.ino, toDir, toName),
    unlink: () => tree.unlink(dir, name),
    rmdir: () => tree.rmdir(dir, name),
    rename: () => tree.rename(dir, name, toDir, toName, flags),
    write: () => inode && inode.mode >>> 12 === 8 && write(tree, inode, Buffer.alloc(1 + (from % 9000), to)),
    mode: () => inode && setMode(tree, inode, to % 0o777),
    xattr: () => inode && setXattrValue(tree.fs, inode.ino, Buffer.from('user.x'), Buffer.from(String(to)), 0, false),
  };
  codeOf(() => actions[kind]?.());
}

function write(tree: TreeOf, inode: Inode, bytes: Buffer): void {
  writeFile(tree.fs, inode.ino, 0, bytes, 0, bytes.length, false);
}

const NO_CHANGE = {
  ...{ uid: 0, gid: 0, size: 0, atimeSec: 0, atimeNsec: 0, mtimeSec: 0, mtimeNsec: 0, ctimeSec: 0, ctimeNsec: 0 },
};

function setMode(tree: TreeOf, inode: Inode, mode: number): void {
  setAttributes(tree.fs, inode.ino, { ...NO_CHANGE, valid: 1, mode }, inode);
}

test('every pair of states of random histories', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 70, size: 'max' }), async (steps) => {
      const memory = await openMemoryVolumes({ cacheBytes: 0 });
      const { volumes, clock } = memory;
      const main = volumes.get('main');
      const states: Filesystem[] = [];
      let live = main;
      for (const one of steps) {
        clock.nanoseconds += 1_000_003n;
        const dirs = [...walk(live.filesystem).values()].filter(({ inode }) => isDirectory(inode));
        if (one.kind === 'snapshot' || one.kind === 'clone') {
          const snapshot = volumes.createSnapshot(live, { name: `s${states.length}` });
          states.push(snapshot.filesystem);
          if (one.kind === 'clone') {
            live = live === main ? volumes.clone(live, snapshot, `c${states.length}`) : main;
          }
        } else {
          change(
            new TreeOf(live.filesystem),
            dirs.map(({ inode }) => inode.ino),
            one,
          );
        }
      }
      for (const volume of volumes.list()) states.push(volume.filesystem);
      for (const before of states) {
        for (const after of states) {
          const diff = await diffFilesystems(before, after, { breathe: () => volumes.commit() });
          if (before === after) expect(diff.changes).toEqual([]);
          expect(described(diff)).toEqual(naive(before, after).filter((line) => / M /.test(line)));
          expect(pathsAfter(before, diff)).toEqual(allPaths(after));
        }
      }
      expect(await memory.check()).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
