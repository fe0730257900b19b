// The walk of two trees against a comparison of all their entries, on trees of all depths, which split and merge between the two states;
// with and without a range.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Key } from '../../../src/format/index.ts';
import { BlockAllocator } from '../../../src/store/index.ts';
import { Cursor, Forest, TreeDiff, type KeyRange, type Tree } from '../../../src/tree/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';

const key = new Key();
const at = new Cursor();

const hex = (page: Uint8Array, start: number, length: number): string =>
  Buffer.from(page.subarray(start, start + length)).toString('hex');

function put(tree: Tree, place: number, fill: number, length: number): void {
  tree.put(key.dirent(1 + (place >> 8), place & 255), length, at);
  at.page.fill(fill, at.valueAt, at.valueAt + length);
}

function contents(tree: Tree): Map<string, string> {
  const found = new Map<string, string>();
  for (let more = tree.seek(key.inode(0), at); more; more = tree.next(at)) {
    found.set(hex(at.page, at.keyAt, at.keyLength), hex(at.page, at.valueAt, at.valueLength));
  }
  return found;
}

/** Key, value before, value after, in key order. */
function naive(before: Tree, after: Tree, range?: KeyRange): string[] {
  const [was, is] = [contents(before), contents(after)];
  const inside = (name: string): boolean =>
    range === undefined ||
    (name >= Buffer.from(range.begin).toString('hex') && name < Buffer.from(range.end).toString('hex'));
  return [...new Set([...was.keys(), ...is.keys()])]
    .sort()
    .filter((name) => inside(name) && was.get(name) !== is.get(name))
    .map((name) => `${name} ${was.get(name)} ${is.get(name)}`);
}

function walked(diff: TreeDiff): string[] {
  const lines: string[] = [];
  while (diff.next()) {
    if (!diff.inBefore && !diff.inAfter) continue;
    const { keyAt, page } = diff.inBefore ? diff.before : diff.after;
    const [was, is] = [diff.before, diff.after].map((side, index) =>
      (index === 0 ? diff.inBefore : diff.inAfter) ? hex(side.page, side.valueAt, side.valueLength) : undefined,
    );
    lines.push(`${hex(page, keyAt, 13)} ${was} ${is}`);
  }
  return lines;
}

const length = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 900, max: 1200 }));
const edit = fc.record({
  remove: fc.boolean(),
  /** So many places side by side: whole leaves come and go. */
  run: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 500 })),
  place: fc.integer({ min: 0, max: 1500 }),
  length,
});

test('finds what a comparison of all entries finds', async () => {
  const histories = fc.record({
    size: fc.integer({ min: 0, max: 1500 }),
    length,
    edits: fc.array(edit, { maxLength: 12 }),
    ino: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const kv = new MemoryKeyValue();
      const allocator = await BlockAllocator.load(kv);
      const forest = await Forest.load(kv, allocator, { cacheBytes: 1 << 20, hashSeed: 1 });
      const head = forest.plant(1, 0);
      const after = forest.liveTree(head);
      for (let place = 0; place < history.size; place++) put(after, place, 1, history.length);
      const before = forest.frozenTree(forest.freeze(head, undefined, 0));
      expect(walked(new TreeDiff(before, after))).toEqual([]);
      history.edits.forEach(({ remove, run, place, length: bytes }, index) => {
        for (let i = place; i < place + run; i++) {
          if (remove) after.remove(key.dirent(1 + (i >> 8), i & 255));
          else put(after, i, 2 + index, bytes);
        }
      });
      const range = {
        begin: key.inode(history.ino).bytes.slice(0, key.length),
        end: key.inode(history.ino + 1).bytes.slice(0, key.length),
      };
      for (const [one, other] of [
        [before, after],
        [after, before],
      ] as const) {
        expect(walked(new TreeDiff(one, other))).toEqual(naive(one, other));
        expect(walked(new TreeDiff(one, other, range))).toEqual(naive(one, other, range));
      }
    }),
  );
}, 60_000);
