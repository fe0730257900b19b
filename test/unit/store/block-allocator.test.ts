import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptionError, FsError } from '../../../src/errors/index.ts';
import { REGION_BLOCKS, regionKey } from '../../../src/format/index.ts';
import { BlockAllocator } from '../../../src/store/index.ts';
import { AssertionError } from '../../../src/util/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';

const ONE_REGION = { maxBlocks: REGION_BLOCKS };

async function commit(kv: MemoryKeyValue, allocator: BlockAllocator): Promise<void> {
  const batch = kv.newBatch();
  allocator.capture(batch);
  await kv.write(batch, true);
  allocator.durable();
}

function runsOf(allocator: BlockAllocator): number[][] {
  const runs: number[][] = [];
  allocator.forEachAllocatedRun((start, count) => runs.push([start, count]));
  return runs;
}

describe('BlockAllocator', () => {
  it('gives runs in sequence', async () => {
    const allocator = await BlockAllocator.load(new MemoryKeyValue());
    expect(allocator.endBlock).toBe(0);
    expect([allocator.allocate(256), allocator.lastLength]).toEqual([0, 256]);
    expect([allocator.allocate(1), allocator.lastLength]).toEqual([256, 1]);
    expect([allocator.allocate(256), allocator.lastLength]).toEqual([257, 256]);
    expect(runsOf(allocator)).toEqual([[0, 513]]);
    expect([allocator.allocatedBlocks, allocator.pendingBlocks, allocator.endBlock]).toEqual([513, 0, 513]);
    expect([allocator.isAllocated(512), allocator.isAllocated(513), allocator.isAllocated(10 ** 9)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('never gives more than a region, and goes on in the next', async () => {
    const allocator = await BlockAllocator.load(new MemoryKeyValue());
    expect([allocator.allocate(REGION_BLOCKS * 3), allocator.lastLength]).toEqual([0, REGION_BLOCKS]);
    allocator.allocate(REGION_BLOCKS - 10);
    // Ten blocks are left in the second region: a whole run in a third is better, and they serve short ones.
    expect([allocator.allocate(20), allocator.lastLength]).toEqual([2 * REGION_BLOCKS, 20]);
    expect([allocator.allocate(REGION_BLOCKS - 20), allocator.lastLength]).toEqual([
      2 * REGION_BLOCKS + 20,
      REGION_BLOCKS - 20,
    ]);
    expect([allocator.allocate(10), allocator.lastLength]).toEqual([2 * REGION_BLOCKS - 10, 10]);
    expect(runsOf(allocator)).toHaveLength(3);
  });

  it('gives parts when nothing longer is left, then ENOSPC', async () => {
    const allocator = await BlockAllocator.load(new MemoryKeyValue(), ONE_REGION);
    allocator.allocate(REGION_BLOCKS);
    for (const [start, count] of [
      [100, 3],
      [200, 7],
      [300, 1],
    ] as const)
      allocator.free(start, count);
    const given: number[][] = [];
    for (let left = 11; left > 0; left -= allocator.lastLength)
      given.push([allocator.allocate(100), allocator.lastLength]);
    expect(given).toEqual([
      [200, 7],
      [100, 3],
      [300, 1],
    ]);
    let thrown: unknown;
    try {
      allocator.allocate(1);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(FsError);
    expect(thrown).toMatchObject({ code: 'ENOSPC' });
    allocator.assertConsistent();
  });

  it('reuses a fresh block at once, a committed one when its free is durable', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv, ONE_REGION);
    allocator.allocate(REGION_BLOCKS);
    expect(allocator.isFresh(0, REGION_BLOCKS)).toBe(true);
    allocator.free(7, 1);
    expect(allocator.isFresh(0, 8)).toBe(false);
    expect(allocator.allocate(1)).toBe(7);
    await commit(kv, allocator);
    expect(allocator.isFresh(7, 1)).toBe(false);
    allocator.free(7, 1);
    expect([allocator.allocatedBlocks, allocator.pendingBlocks]).toEqual([REGION_BLOCKS - 1, 1]);
    expect(() => allocator.allocate(1)).toThrow(FsError);
    const batch = kv.newBatch();
    allocator.capture(batch);
    expect(() => allocator.allocate(1)).toThrow(FsError);
    await kv.write(batch, true);
    allocator.durable();
    expect(allocator.allocate(1)).toBe(7);
    expect(allocator.isFresh(7, 1)).toBe(true);
  });

  it('keeps what is freed during a commit for the next', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv, ONE_REGION);
    allocator.allocate(REGION_BLOCKS);
    await commit(kv, allocator);
    allocator.free(1, 1);
    const batch = kv.newBatch();
    allocator.capture(batch);
    allocator.free(2, 1);
    await kv.write(batch, true);
    allocator.durable();
    expect(allocator.pendingBlocks).toBe(1);
    expect(allocator.allocate(1)).toBe(1);
    expect(() => allocator.allocate(1)).toThrow(FsError);
    const after = await BlockAllocator.load(kv);
    expect(runsOf(after)).toEqual([
      [0, 1],
      [2, REGION_BLOCKS - 2],
    ]);
  });

  it('refuses a second free, and a free of what was never allocated', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv);
    allocator.allocate(10);
    await commit(kv, allocator);
    allocator.allocate(10);
    allocator.free(5, 1);
    allocator.free(15, 1);
    for (const [start, count] of [
      [5, 1],
      [15, 1],
      [0, 10],
      [20, 1],
      [10, 11],
      [REGION_BLOCKS * 4, 1],
      [0, 0],
      [-1, 1],
    ] as const) {
      expect(() => {
        allocator.free(start, count);
      }).toThrow(AssertionError);
    }
    // A refused free changes nothing.
    expect(runsOf(allocator)).toEqual([
      [0, 5],
      [6, 9],
      [16, 4],
    ]);
    allocator.assertConsistent();
  });

  it('has one capture in flight', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv);
    expect(() => {
      allocator.durable();
    }).toThrow(AssertionError);
    allocator.capture(kv.newBatch());
    expect(() => {
      allocator.capture(kv.newBatch());
    }).toThrow(AssertionError);
  });

  it('frees across regions and drops the records of empty ones', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv);
    for (let i = 0; i < 3; i++) allocator.allocate(REGION_BLOCKS);
    await commit(kv, allocator);
    expect(kv.size).toBe(3);
    allocator.free(100, 3 * REGION_BLOCKS - 200);
    await commit(kv, allocator);
    expect(kv.size).toBe(2);
    expect(kv.get(regionKey(1))).toBeUndefined();
    const after = await BlockAllocator.load(kv);
    expect(runsOf(after)).toEqual([
      [0, 100],
      [3 * REGION_BLOCKS - 100, 100],
    ]);
    expect(after.endBlock).toBe(3 * REGION_BLOCKS);
    expect(after.allocatedBlocks).toBe(200);
    after.assertConsistent();
  });

  it('writes only the regions that changed', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv);
    for (let i = 0; i < 5; i++) allocator.allocate(REGION_BLOCKS);
    await commit(kv, allocator);
    allocator.free(2 * REGION_BLOCKS + 5, 1);
    allocator.free(2 * REGION_BLOCKS + 9, 1);
    const batch = kv.newBatch();
    allocator.capture(batch);
    expect(batch.operations).toBe(1);
    allocator.durable();
    const empty = kv.newBatch();
    allocator.capture(empty);
    expect(empty.operations).toBe(0);
  });

  it('tells of runs that became reusable, not of pending ones', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv);
    const told: number[][] = [];
    allocator.onReusable = (start, count) => told.push([start, count]);
    allocator.allocate(100);
    await commit(kv, allocator);
    allocator.allocate(100);
    allocator.free(90, 20);
    expect(told).toEqual([[100, 10]]);
    allocator.free(80, 5);
    allocator.free(85, 5);
    expect(told).toHaveLength(1);
    await commit(kv, allocator);
    expect(told.slice(1)).toEqual([[80, 20]]);
  });

  it('finds damage when it loads', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv);
    allocator.allocate(5);
    await commit(kv, allocator);
    const record = kv.get(regionKey(0))!;
    record[50]! ^= 1;
    const batch = kv.newBatch();
    batch.put(regionKey(0), record);
    await kv.write(batch, true);
    await expect(BlockAllocator.load(kv)).rejects.toThrow(CorruptionError);
  });

  it('loads more regions than one slice, with gaps', async () => {
    const kv = new MemoryKeyValue();
    const allocator = await BlockAllocator.load(kv);
    for (let i = 0; i < 600; i++) allocator.allocate(REGION_BLOCKS);
    for (let i = 0; i < 600; i++) if (i % 7 === 3) allocator.free(i * REGION_BLOCKS, REGION_BLOCKS);
    await commit(kv, allocator);
    const after = await BlockAllocator.load(kv);
    expect(runsOf(after)).toEqual(runsOf(allocator));
    expect(runsOf(after)).toHaveLength(514);
    after.assertConsistent();
  });
});

type Step =
  | { do: 'allocate'; count: number }
  | { do: 'free'; pick: number; count: number }
  | { do: 'capture' | 'durable' | 'crash' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('allocate' as const),
        count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(9000)),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('free' as const),
        pick: fc.nat(),
        count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(9000)),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('capture' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('durable' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  ),
  { minLength: 20, maxLength: 120 },
);

const MODEL_BLOCKS = 2 * REGION_BLOCKS;

/** The rules of the allocator, said with one flag per block. */
class Model {
  allocated = new Uint8Array(MODEL_BLOCKS);
  fresh = new Uint8Array(MODEL_BLOCKS);
  /** What the commit under way, if any, stores. */
  captured: Uint8Array | undefined;
  durable: Uint8Array = new Uint8Array(MODEL_BLOCKS);

  /** A block may be given out if neither users, nor the last durable commit, nor the one under way know it. */
  mayGive(block: number): boolean {
    return this.allocated[block] === 0 && this.durable[block] === 0 && (this.captured?.[block] ?? 0) === 0;
  }

  allocate(start: number, count: number): void {
    for (let block = start; block < start + count; block++) {
      if (!this.mayGive(block)) throw new Error(`block ${block} must not be given out`);
    }
    this.allocated.fill(1, start, start + count);
    this.fresh.fill(1, start, start + count);
  }

  free(start: number, count: number): void {
    this.allocated.fill(0, start, start + count);
    this.fresh.fill(0, start, start + count);
  }

  crash(): Model {
    const after = new Model();
    after.allocated.set(this.durable);
    after.durable.set(this.durable);
    return after;
  }
}

/** The allocator and the model, going through the same history. */
class Pair {
  readonly kv = new MemoryKeyValue();
  model = new Model();
  allocator!: BlockAllocator;
  inFlight: ReturnType<MemoryKeyValue['newBatch']> | undefined;

  async load(): Promise<void> {
    this.inFlight = undefined;
    this.allocator = await BlockAllocator.load(this.kv, { maxBlocks: MODEL_BLOCKS });
  }

  allocate(count: number): void {
    try {
      this.model.allocate(this.allocator.allocate(count), this.allocator.lastLength);
      expect(this.allocator.lastLength).toBeLessThanOrEqual(count);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
      for (let block = 0; block < MODEL_BLOCKS; block++) if (this.model.mayGive(block)) throw error;
    }
  }

  free(pick: number, wanted: number): void {
    const runs = runsOf(this.allocator);
    if (runs.length === 0) return;
    const [first, length] = runs[pick % runs.length]! as [number, number];
    const start = first + (pick % length);
    const count = Math.min(wanted, first + length - start);
    expect(this.allocator.isFresh(start, count)).toBe(!this.model.fresh.subarray(start, start + count).includes(0));
    this.allocator.free(start, count);
    this.model.free(start, count);
  }

  capture(): void {
    if (this.inFlight !== undefined) return;
    this.inFlight = this.kv.newBatch();
    this.allocator.capture(this.inFlight);
    this.model.captured = Uint8Array.from(this.model.allocated);
    this.model.fresh.fill(0);
  }

  async durable(): Promise<void> {
    if (this.inFlight === undefined) return;
    await this.kv.write(this.inFlight, true);
    this.inFlight = undefined;
    this.model.durable = this.model.captured!;
    this.model.captured = undefined;
    this.allocator.durable();
  }

  async crash(): Promise<void> {
    this.model = this.model.crash();
    await this.load();
  }

  compare(): void {
    const blocks = new Uint8Array(MODEL_BLOCKS);
    this.allocator.forEachAllocatedRun((start, count) => blocks.fill(1, start, start + count));
    expect(Buffer.compare(blocks, this.model.allocated)).toBe(0);
    const pending = this.model.allocated.filter(
      (allocated, block) => allocated === 0 && !this.model.mayGive(block),
    ).length;
    expect(this.allocator.pendingBlocks).toBe(pending);
    this.allocator.assertConsistent();
  }
}

async function play(history: Step[]): Promise<void> {
  const pair = new Pair();
  await pair.load();
  for (const step of history) {
    if (step.do === 'allocate') pair.allocate(step.count);
    else if (step.do === 'free') pair.free(step.pick, step.count);
    else if (step.do === 'capture') pair.capture();
    else if (step.do === 'durable') await pair.durable();
    else await pair.crash();
    pair.compare();
  }
}

describe('BlockAllocator against a model', () => {
  it('keeps every rule over random histories with crashes', async () => {
    await fc.assert(fc.asyncProperty(steps, play));
  });
});
