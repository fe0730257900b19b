import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LookupCounts } from '../../../src/bridge/lookup-counts.ts';

test('counts as a map does, whatever comes and goes', () => {
  const step = fc.record({
    // Numbers in a row, ones that collide, and large ones.
    ino: fc.oneof(
      fc.integer({ min: 1, max: 3000 }),
      fc.integer({ min: 1, max: 50 }).map((n) => n * 65_536),
      fc.integer({ min: 2 ** 32, max: 2 ** 32 + 100 }),
    ),
    adds: fc.boolean(),
    nlookup: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4000, size: 'max' }), (steps) => {
      const counts = new LookupCounts();
      const model = new Map<number, number>();
      for (const { ino, adds, nlookup } of steps) {
        const before = model.get(ino) ?? 0;
        if (adds) {
          counts.add(ino);
          model.set(ino, before + 1);
        } else {
          expect(counts.forget(ino, nlookup)).toBe(before <= nlookup);
          if (before > nlookup) model.set(ino, before - nlookup);
          else model.delete(ino);
        }
      }
      expect(counts.size).toBe(model.size);
      for (const [ino, count] of model) expect(counts.count(ino)).toBe(count);
    }),
    { numRuns: 40 },
  );
});

test('grows to many and shrinks again', () => {
  const counts = new LookupCounts();
  for (let ino = 1; ino <= 100_000; ino++) counts.add(ino);
  for (let ino = 1; ino <= 100_000; ino += 2) expect(counts.forget(ino, 1)).toBe(true);
  expect(counts.size).toBe(50_000);
  for (let ino = 1; ino <= 100_000; ino++) {
    if (counts.count(ino) !== (ino + 1) % 2) throw new Error(`inode ${ino} has ${counts.count(ino)}`);
  }
  for (let ino = 2; ino <= 100_000; ino += 2) counts.forget(ino, 1);
  expect(counts.size).toBe(0);
  expect(counts.forget(5, 1)).toBe(true);
});

test('gives up all at once, and starts anew', () => {
  const counts = new LookupCounts();
  for (let ino = 1; ino <= 5000; ino++) counts.add(ino);
  expect(counts.takeAll().sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1));
  expect([counts.size, counts.count(7), counts.takeAll()]).toEqual([0, 0, []]);
  counts.add(7);
  expect([counts.size, counts.count(7)]).toEqual([1, 1]);
});
