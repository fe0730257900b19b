import { dir } from 'tmp-promise';
import { afterAll, describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import { StoreError } from '../../../src/errors/index.ts';
import { openDataFile } from '../../../src/store/data-file.ts';
import { HolePuncher, type PunchOptions } from '../../../src/store/hole-puncher.ts';
import { BlockAllocator, type BlockFile } from '../../../src/store/index.ts';
import { noLog } from '../../../src/util/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';

const temporary = await dir({ unsafeCleanup: true });
afterAll(() => temporary.cleanup());

interface Setup {
  allocator: BlockAllocator;
  blocks: BlockFile;
  puncher: HolePuncher;
  commit: () => void;
}

async function setUp(options: PunchOptions = {}, blocks: BlockFile = new MemoryBlockFile()): Promise<Setup> {
  const kv = new MemoryKeyValue();
  const allocator = await BlockAllocator.load(kv);
  const puncher = new HolePuncher(allocator, blocks, { delayMs: 5, pauseMs: 1, ...options });
  allocator.onReusable = (start, count) => {
    puncher.add(start, count);
  };
  const commit = (): void => {
    allocator.capture(kv.newBatch());
    allocator.durable();
  };
  return { allocator, blocks, puncher, commit };
}

/** Allocates a run and writes it. */
function write({ allocator, blocks }: Setup, count: number, byte: number): number {
  const start = allocator.allocate(count);
  blocks.writeSync(new Uint8Array(count * BLOCK_BYTES).fill(byte), 0, count * BLOCK_BYTES, start * BLOCK_BYTES);
  return start;
}

function byteAt(blocks: BlockFile, block: number): number {
  const into = new Uint8Array(1);
  blocks.readSync(into, 0, 1, block * BLOCK_BYTES);
  return into[0]!;
}

describe('HolePuncher', () => {
  it('gives long runs back, after a while, and leaves short ones', async () => {
    const setup = await setUp({}, openDataFile(`${temporary.path}/data`, { create: true }));
    const { allocator, blocks, puncher, commit } = setup;
    write(setup, 2000, 1);
    commit();
    allocator.free(0, 1000);
    allocator.free(1500, 10);
    const before = blocks.storedBytes();
    commit();
    expect(puncher.punchedBlocks).toBe(0);
    await expect.poll(() => puncher.punchedBlocks).toBe(1000);
    expect(before - blocks.storedBytes()).toBe(1000 * BLOCK_BYTES);
    expect([999, 1000, 1500].map((block) => byteAt(blocks, block))).toEqual([0, 1, 1]);
    blocks.close();
  });

  it('does not touch what was given out again meanwhile', async () => {
    const setup = await setUp({ delayMs: 3_600_000 });
    const { allocator, blocks, puncher, commit } = setup;
    write(setup, 32_768, 1);
    commit();
    allocator.free(100, 600);
    commit();
    // The region is full but for these 600: the next runs lie in them.
    expect(write(setup, 50, 2)).toBe(100);
    const kept = write(setup, 200, 3);
    expect(kept).toBe(150);
    allocator.free(120, 20);
    puncher.stop(1000);
    // 350 that nobody took, and 20 fresh ones freed again, which are on the list twice.
    expect(puncher.punchedBlocks).toBe(350 + 2 * 20);
    expect([99, 100, 119, 120, 139, 140, 150, 349, 350, 699, 700].map((block) => byteAt(blocks, block))).toEqual([
      1, 2, 2, 0, 0, 2, 3, 3, 0, 0, 1,
    ]);
  });

  it('waits for the commit that frees', async () => {
    const setup = await setUp();
    const { allocator, blocks, puncher, commit } = setup;
    write(setup, 100, 1);
    commit();
    allocator.free(0, 100);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(puncher.punchedBlocks).toBe(0);
    expect(byteAt(blocks, 50)).toBe(1);
    commit();
    await expect.poll(() => puncher.punchedBlocks).toBe(100);
  });

  it('forgets runs beyond its bound, and can find them again', async () => {
    const setup = await setUp({ queueMax: 2, delayMs: 3_600_000 });
    const { allocator, puncher, commit } = setup;
    write(setup, 1000, 1);
    commit();
    for (let start = 0; start < 500; start += 100) allocator.free(start, 20);
    commit();
    expect(puncher.forgottenBlocks).toBe(60);
    puncher.stop(1000);
    expect(puncher.punchedBlocks).toBe(40);
    const second = new HolePuncher(allocator, setup.blocks, { delayMs: 3_600_000 });
    second.addAll(1000);
    second.stop(1000);
    expect(second.punchedBlocks).toBe(100);
  });

  it('goes on over several slices', async () => {
    const setup = await setUp({ minBlocks: 1 });
    const { allocator, puncher, commit } = setup;
    allocator.allocate(30_000);
    commit();
    for (let start = 0; start < 30_000; start += 2) allocator.free(start, 1);
    commit();
    await expect.poll(() => puncher.punchedBlocks, { timeout: 5000 }).toBe(15_000);
  });

  it('gives up, with a line in the log, when the host fails', async () => {
    class Failing extends MemoryBlockFile {
      override punch(): void {
        throw new StoreError('broken disk');
      }
    }
    const lines: string[] = [];
    const setup = await setUp({ log: { ...noLog, error: (line) => lines.push(line) } }, new Failing());
    for (let i = 0; i < 3; i++) {
      const start = write(setup, 100, 1);
      setup.allocator.free(start, 100);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    expect(lines).toEqual([expect.stringMatching(/broken disk/)]);
  });

  it('does nothing after it was stopped', async () => {
    const setup = await setUp();
    setup.puncher.stop(0);
    setup.allocator.free(write(setup, 100, 1), 100);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(setup.puncher.punchedBlocks).toBe(0);
  });
});
