// Blocks that the journal refers to: settled when they are given out, claimed when their record is done again.

import { describe, expect, it } from 'vitest';
import { CorruptionError } from '../../../src/errors/index.ts';
import { REGION_BLOCKS } from '../../../src/format/index.ts';
import { BlockAllocator } from '../../../src/store/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';

interface Scene {
  kv: MemoryKeyValue;
  allocator: BlockAllocator;
  commit: () => Promise<void>;
}

async function scene(maxBlocks = 4 * REGION_BLOCKS, kv = new MemoryKeyValue()): Promise<Scene> {
  const allocator = await BlockAllocator.load(kv, { maxBlocks });
  const commit = async (): Promise<void> => {
    const batch = kv.newBatch();
    allocator.capture(batch);
    await kv.write(batch, true);
    allocator.durable();
  };
  return { kv, allocator, commit };
}

/** The blocks that may be given out, of the first `count`. */
function available(allocator: BlockAllocator, count: number): number[] {
  const found: number[] = [];
  allocator.forEachAvailableRun(0, count, (start, length) => {
    for (let block = start; block < start + length; block++) found.push(block);
  });
  return found;
}

describe('a settled run', () => {
  it('is given out again only when the commit that frees it is durable', async () => {
    const { kv, allocator } = await scene();
    const start = allocator.allocate(4);
    allocator.settle(start, 4);
    expect([allocator.isFresh(start, 4), allocator.allocatedBlocks]).toEqual([false, 4]);
    allocator.free(start, 4);
    expect([allocator.allocatedBlocks, allocator.pendingBlocks, available(allocator, 4)]).toEqual([0, 4, []]);
    const batch = kv.newBatch();
    allocator.capture(batch);
    // Captured, but the commit before may be what a crash leaves.
    expect(available(allocator, 4)).toEqual([]);
    allocator.durable();
    expect(available(allocator, 4)).toEqual([0, 1, 2, 3]);
    allocator.assertConsistent();
  });

  it('waits for the next commit where it is freed during one', async () => {
    const { kv, allocator, commit } = await scene();
    allocator.settle(allocator.allocate(2), 2);
    const batch = kv.newBatch();
    allocator.capture(batch);
    allocator.free(0, 2);
    allocator.durable();
    expect(available(allocator, 2)).toEqual([]);
    await commit();
    expect(available(allocator, 2)).toEqual([0, 1]);
    allocator.assertConsistent();
  });

  it('may be a part of what was given out: the rest is available as soon as it is freed', async () => {
    const { allocator } = await scene();
    const start = allocator.allocate(4);
    allocator.settle(start, 2);
    allocator.free(start, 4);
    expect(available(allocator, 4)).toEqual([2, 3]);
    expect(() => {
      allocator.settle(start, 1);
    }).toThrow(/only fresh blocks/);
    allocator.assertConsistent();
  });
});

describe('a claim', () => {
  it('takes exactly this run, which is settled then', async () => {
    const { kv, allocator, commit } = await scene();
    allocator.claim(10, 3);
    expect([allocator.allocatedBlocks, allocator.isAllocated(9), allocator.isAllocated(12)]).toEqual([3, false, true]);
    expect(allocator.isFresh(10, 3)).toBe(false);
    allocator.free(11, 1);
    expect(available(allocator, 14)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13]);
    allocator.assertConsistent();
    await commit();
    const again = await BlockAllocator.load(kv);
    expect([again.allocatedBlocks, again.isAllocated(10), again.isAllocated(11)]).toEqual([2, true, false]);
  });

  it('reaches behind what the store has used so far', async () => {
    const { allocator } = await scene();
    allocator.claim(2 * REGION_BLOCKS + 5, 2);
    expect([allocator.endBlock, allocator.allocatedBlocks]).toEqual([2 * REGION_BLOCKS + 7, 2]);
    allocator.assertConsistent();
    // What lies between can be given out.
    expect([allocator.allocate(REGION_BLOCKS), allocator.lastLength]).toEqual([0, REGION_BLOCKS]);
    allocator.assertConsistent();
  });

  it('is refused where any of it is in use, and then changes nothing', async () => {
    const { allocator, commit } = await scene();
    allocator.claim(10, 3);
    await commit();
    allocator.claim(20, 1);
    // Freed, but a crash may lead back to the commit before.
    allocator.free(11, 1);
    for (const [start, count] of [
      [8, 3],
      [11, 1],
      [12, 5],
      [18, 3],
    ] as const) {
      expect(() => {
        allocator.claim(start, count);
      }).toThrow(CorruptionError);
    }
    expect(allocator.allocatedBlocks).toBe(3);
    allocator.claim(13, 5);
    allocator.assertConsistent();
  });

  it('is refused beyond the limit and across regions', async () => {
    const { allocator } = await scene(REGION_BLOCKS);
    for (const [start, count] of [
      [REGION_BLOCKS, 1],
      [REGION_BLOCKS - 1, 2],
    ] as const) {
      expect(() => {
        allocator.claim(start, count);
      }).toThrow(CorruptionError);
    }
    expect(allocator.allocatedBlocks).toBe(0);
  });
});
