// The namespace operations of src/vfs against a naive tree of objects: the same answers, errors included, and after each
// step the same names, kinds, link counts and parents. Snapshots are taken on the way and must still show, at the end,
// what the model showed when they were taken; and the full check must find nothing.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Listing, ROOT_INO, type Filesystem } from '../../src/vfs/index.ts';
import { openMemoryVolumes } from '../support/memory-volumes.ts';
import { TreeOf, codeOf } from '../unit/vfs/tree-of.ts';

interface ModelNode {
  kind: 'file' | 'dir' | 'symlink' | 'whiteout';
  nlink: number;
  children: Map<string, ModelNode>;
  parent: ModelNode | undefined;
}

class Refusal extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const NAMES = ['a', 'b', 'c', 'd'];
const EXCHANGE = 2;

function modelNode(kind: ModelNode['kind']): ModelNode {
  return { kind, nlink: kind === 'dir' ? 2 : 1, children: new Map(), parent: undefined };
}

function refuse(condition: boolean, code: string): void {
  if (condition) throw new Refusal(code);
}

function attach(dir: ModelNode, name: string, node: ModelNode): void {
  dir.children.set(name, node);
  if (node.kind !== 'dir') return;
  node.parent = dir;
  dir.nlink++;
}

function detach(dir: ModelNode, name: string): ModelNode {
  const node = dir.children.get(name)!;
  dir.children.delete(name);
  if (node.kind === 'dir') dir.nlink--;
  return node;
}

function drop(node: ModelNode): void {
  if (node.kind === 'dir') node.nlink = 0;
  else node.nlink--;
}

function isInside(dir: ModelNode, ancestor: ModelNode): boolean {
  for (let at: ModelNode | undefined = dir; at !== undefined; at = at.parent) if (at === ancestor) return true;
  return false;
}

const model = {
  make(dir: ModelNode, name: string, kind: ModelNode['kind']): void {
    refuse(dir.children.has(name), 'EEXIST');
    attach(dir, name, modelNode(kind));
  },

  link(dir: ModelNode, name: string, toDir: ModelNode, toName: string): void {
    const node = dir.children.get(name);
    if (node === undefined) return;
    refuse(node.kind === 'dir', 'EPERM');
    refuse(toDir.children.has(toName), 'EEXIST');
    attach(toDir, toName, node);
    node.nlink++;
  },

  unlink(dir: ModelNode, name: string): void {
    refuse(!dir.children.has(name), 'ENOENT');
    refuse(dir.children.get(name)!.kind === 'dir', 'EISDIR');
    drop(detach(dir, name));
  },

  rmdir(dir: ModelNode, name: string): void {
    refuse(!dir.children.has(name), 'ENOENT');
    const node = dir.children.get(name)!;
    refuse(node.kind !== 'dir', 'ENOTDIR');
    refuse(node.children.size > 0, 'ENOTEMPTY');
    drop(detach(dir, name));
  },

  rename(dir: ModelNode, name: string, toDir: ModelNode, toName: string, flags: number): void {
    const node = dir.children.get(name);
    const target = toDir.children.get(toName);
    if (node === undefined) throw new Refusal('ENOENT');
    refuse((flags & 1) !== 0 && target !== undefined, 'EEXIST');
    if (node === target) return;
    refuse(node.kind === 'dir' && dir !== toDir && isInside(toDir, node), 'EINVAL');
    if ((flags & EXCHANGE) !== 0) {
      if (target === undefined) throw new Refusal('ENOENT');
      refuse(target.kind === 'dir' && dir !== toDir && isInside(dir, target), 'EINVAL');
      detach(dir, name);
      detach(toDir, toName);
      attach(dir, name, target);
      attach(toDir, toName, node);
      return;
    }
    if (target !== undefined) {
      refuse(node.kind === 'dir' && target.kind !== 'dir', 'ENOTDIR');
      refuse(node.kind !== 'dir' && target.kind === 'dir', 'EISDIR');
      refuse(target.children.size > 0, 'ENOTEMPTY');
      drop(detach(toDir, toName));
    }
    detach(dir, name);
    attach(toDir, toName, node);
    if ((flags & 4) !== 0) attach(dir, name, modelNode('whiteout'));
  },
};

/** All directories, the root first. */
function directories(root: ModelNode): ModelNode[] {
  const found = [root];
  for (const dir of found) for (const child of dir.children.values()) if (child.kind === 'dir') found.push(child);
  return found;
}

function pathOf(dir: ModelNode): string[] {
  if (dir.parent === undefined) return [];
  const name = [...dir.parent.children].find(([, child]) => child === dir)![0];
  return [...pathOf(dir.parent), name];
}

function inoOf(tree: TreeOf, path: string[]): number {
  return path.reduce((dir, name) => tree.find(dir, name)!.ino, ROOT_INO);
}

const KINDS: Record<number, ModelNode['kind']> = { 0o10: 'file', 0o04: 'dir', 0o12: 'symlink', 0o02: 'whiteout' };

/** One line for each path: kind and link count. Hard links show in the counts. */
function describeModel(dir: ModelNode, prefix = ''): string[] {
  return [...dir.children].flatMap(([name, node]) => [
    `${prefix}${name} ${node.kind} ${node.nlink}`,
    ...describeModel(node, `${prefix}${name}/`),
  ]);
}

function describeTree(fs: Filesystem, ino = ROOT_INO, prefix = ''): string[] {
  const tree = new TreeOf(fs);
  const listing = new Listing();
  const names: string[] = [];
  listing.start(fs, tree.inode(ino), 2, false);
  while (listing.next()) {
    names.push(Buffer.from(listing.bytes.subarray(listing.nameStart, listing.nameEnd)).toString());
  }
  return names.flatMap((name) => {
    const inode = tree.find(ino, name)!;
    const kind = KINDS[inode.mode >>> 12]!;
    const line = `${prefix}${name} ${kind} ${inode.nlink}`;
    if (kind === 'dir') expect(inode.parent).toBe(ino);
    return kind === 'dir' ? [line, ...describeTree(fs, inode.ino, `${prefix}${name}/`)] : [line];
  });
}

const step = fc.record({
  kind: fc.constantFrom('file', 'dir', 'dir', 'symlink', 'link', 'unlink', 'rmdir', 'rename', 'rename', 'snapshot'),
  from: fc.nat(),
  name: fc.constantFrom(...NAMES),
  to: fc.nat(),
  toName: fc.constantFrom(...NAMES),
  flags: fc.constantFrom(0, 0, 0, 1, EXCHANGE, 4),
});

test('names behave as in a naive tree, and snapshots keep theirs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const memory = await openMemoryVolumes({ cacheBytes: 0 });
      const { volumes } = memory;
      const volume = volumes.get('main');
      const tree = new TreeOf(volume.filesystem);
      const root = modelNode('dir');
      const taken: { fs: Filesystem; lines: string[] }[] = [];
      for (const { kind, from, name, to, toName, flags } of steps) {
        const all = directories(root);
        const [dir, toDir] = [all[from % all.length]!, all[to % all.length]!];
        const [ino, toIno] = [inoOf(tree, pathOf(dir)), inoOf(tree, pathOf(toDir))];
        const linked = dir.children.has(name) ? tree.find(ino, name)!.ino : 0;
        const both: Record<string, [expected: () => void, real: () => unknown]> = {
          file: [() => model.make(dir, name, 'file'), () => tree.file(ino, name)],
          dir: [() => model.make(dir, name, 'dir'), () => tree.dir(ino, name)],
          symlink: [() => model.make(dir, name, 'symlink'), () => tree.symlink(ino, name, 'x')],
          link: [() => model.link(dir, name, toDir, toName), () => linked && tree.link(linked, toIno, toName)],
          unlink: [() => model.unlink(dir, name), () => tree.unlink(ino, name)],
          rmdir: [() => model.rmdir(dir, name), () => tree.rmdir(ino, name)],
          rename: [
            () => model.rename(dir, name, toDir, toName, flags),
            () => tree.rename(ino, name, toIno, toName, flags),
          ],
          snapshot: [
            () => undefined,
            () => {
              const { filesystem } = volumes.createSnapshot(volume, { name: `s${taken.length}` });
              taken.push({ fs: filesystem, lines: describeModel(root).sort() });
            },
          ],
        };
        const [expected, real] = both[kind]!;
        const code = codeOf(expected);
        expect(codeOf(real), `${kind} ${name} ${toName} ${flags}`).toBe(code);
        expect(describeTree(tree.fs).sort()).toEqual(describeModel(root).sort());
        expect(tree.root().nlink).toBe(root.nlink);
      }
      for (const { fs, lines } of taken) expect(describeTree(fs).sort()).toEqual(lines);
      expect(await memory.check()).toEqual([]);
    }),
  );
});
