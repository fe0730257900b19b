// The B+tree against a sorted array: every key and value after random puts and removes, the node invariants, and the nodes that it
// keeps: none leaked, none lost.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Key } from '../../../src/format/index.ts';
import { BlockAllocator } from '../../../src/store/index.ts';
import { Cursor, Forest, type Tree, checkTree } from '../../../src/tree/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';

interface Planted {
  forest: Forest;
  tree: Tree;
  kv: MemoryKeyValue;
}

async function plant(): Promise<Planted> {
  const kv = new MemoryKeyValue();
  const allocator = await BlockAllocator.load(kv);
  const forest = await Forest.load(kv, allocator, { cacheBytes: 1 << 20, hashSeed: 1 });
  return { forest, kv, tree: forest.liveTree(forest.plant(1, 0)) };
}

const key = new Key();
const at = new Cursor();

function put(tree: Tree, ino: number, slot: number, fill: number, length: number): void {
  tree.put(key.dirent(ino, slot), length, at);
  at.page.fill(fill, at.valueAt, at.valueAt + length);
}

function contents(tree: Tree): string[] {
  const found: string[] = [];
  for (let more = tree.seek(key.inode(0), at); more; more = tree.next(at)) {
    const bytes = at.page.subarray(at.keyAt, at.keyAt + at.keyLength);
    found.push(
      `${Buffer.from(bytes).toString('hex')}=${at.valueLength}:${at.valueLength > 0 ? at.page[at.valueAt]! : ''}`,
    );
  }
  return found;
}

describe('Tree', () => {
  it('agrees with a sorted map after random puts and removes, and keeps its invariants', async () => {
    const operation = fc.record({
      remove: fc.boolean(),
      ino: fc.integer({ min: 1, max: 6 }),
      slot: fc.integer({ min: 0, max: 120 }),
      length: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 900, max: 1200 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 600 }), async (operations) => {
        const { tree, forest } = await plant();
        const model = new Map<string, string>();
        operations.forEach(({ remove, ino, slot, length }, i) => {
          const name = Buffer.from(key.dirent(ino, slot).bytes.subarray(0, key.length)).toString('hex');
          if (remove) expect(tree.remove(key.dirent(ino, slot))).toBe(model.delete(name));
          else {
            put(tree, ino, slot, i & 255, length);
            model.set(name, `${length}:${length > 0 ? i & 255 : ''}`);
          }
        });
        const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value}`);
        expect(contents(tree)).toEqual(expected);
        expect(checkTree(forest.nodes, tree.owner.root, tree.owner.rootSum).problems).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('fills nodes when keys come in order, and finds each key and its neighbours', async () => {
    const { tree, forest } = await plant();
    for (let slot = 0; slot < 5000; slot++) put(tree, 7, slot * 3, 1, 30);
    const { nodes, problems } = checkTree(forest.nodes, tree.owner.root, tree.owner.rootSum);
    expect(problems).toEqual([]);
    // 5,000 entries of 48 bytes: 84 to a node.
    expect(nodes.size).toBeLessThan(65);
    expect(tree.find(key.dirent(7, 3000), at)).toBe(true);
    expect(tree.find(key.dirent(7, 3001), at)).toBe(false);
    expect(tree.previous(at)).toBe(true);
    expect(at.hasPrefix(key.dirent(7, 3000), key.length)).toBe(true);
    expect(tree.seek(key.dirent(7, 14_998), at)).toBe(false);
  });

  it('gives back nodes as it empties, down to one leaf', async () => {
    const { tree, forest } = await plant();
    for (let slot = 0; slot < 3000; slot++) put(tree, 7, slot, 1, 60);
    for (let slot = 0; slot < 3000; slot++) expect(tree.remove(key.dirent(7, (slot * 7919) % 3000))).toBe(true);
    expect(checkTree(forest.nodes, tree.owner.root, tree.owner.rootSum).nodes.size).toBe(1);
    expect(forest.versions.get(tree.owner.id).referencedNodes).toBe(1);
  });

  it('copies only the path that a change touches, and leaves the frozen tree as it was', async () => {
    const { forest, kv } = await plant();
    const head = forest.plant(2, 0);
    const tree = forest.liveTree(head);
    for (let slot = 0; slot < 4000; slot++) put(tree, 7, slot, 1, 60);
    const before = contents(tree);
    const frozen = forest.freeze(head, { name: 'a', accessPoint: 'a' }, 0);
    put(tree, 7, 2000, 2, 60);
    const written = forest.versions.get(head.id).bornNodes;
    expect(written).toBeGreaterThan(1);
    expect(written).toBeLessThan(5);
    expect(contents(forest.frozenTree(frozen))).toEqual(before);
    expect(contents(tree)).not.toEqual(before);
    const batch = kv.newBatch();
    forest.capture(batch);
    await kv.write(batch);
    forest.durable();
    expect(contents(forest.frozenTree(frozen))).toEqual(before);
  });
});
