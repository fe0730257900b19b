import { describe, expect, it } from 'vitest';
import { FsError, StoreError } from '../../../src/errors/index.ts';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import { Blocks } from '../../../src/store/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { seededRandom } from '../../support/seeded-random.ts';

/** A block file that tells of its writes, finds no room for some of them and can hold them up. */
class TestBlockFile extends MemoryBlockFile {
  /** First block and number of blocks of each write. */
  writes: [start: number, count: number][] = [];
  /** So many more asynchronous writes find room. */
  room = Infinity;
  beforeWrite = (): Promise<void> => Promise.resolve();
  /** Asked with the first block of each asynchronous read. */
  beforeRead: (block: number) => Promise<void> = () => Promise.resolve();

  override async read(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): Promise<void> {
    await this.beforeRead(byteOffset / BLOCK_BYTES);
    await super.read(into, intoOffset, length, byteOffset);
  }

  override async write(buffers: readonly Uint8Array[], byteOffset: number): Promise<void> {
    await this.beforeWrite();
    if (this.room === 0) throw new FsError('ENOSPC', 'test-full', 'full');
    this.room--;
    this.writes.push([byteOffset / BLOCK_BYTES, buffers.length]);
    await super.write(buffers, byteOffset);
  }

  /** The first byte of a block. */
  at(block: number): number {
    const bytes = new Uint8Array(BLOCK_BYTES);
    this.readSync(bytes, 0, BLOCK_BYTES, block * BLOCK_BYTES);
    return bytes[0]!;
  }
}

const blockOf = (fill: number): Uint8Array => new Uint8Array(BLOCK_BYTES).fill(fill);

interface Scene {
  file: TestBlockFile;
  blocks: Blocks;
  freed: Set<number>;
  keep: (block: number, fill: number) => void;
  /** As a commit does. */
  commit: () => Promise<void>;
}

/** Blocks over a file in which the first 64 are written, each filled with its own number. */
function scene(): Scene {
  const file = new TestBlockFile();
  for (let block = 0; block < 64; block++) file.writeSync(blockOf(block), 0, BLOCK_BYTES, block * BLOCK_BYTES);
  const freed = new Set<number>();
  const blocks = new Blocks(file, (block) => !freed.has(block));
  const commit = async (): Promise<void> => {
    blocks.capture();
    await blocks.sync();
    blocks.durable();
  };
  return { file, blocks, freed, keep: (block, fill) => blocks.keep(block).fill(fill), commit };
}

const READS = {
  readSync: (blocks: Blocks, into: Uint8Array, at: number, count: number, from: number) => {
    blocks.readSync(into, at, count * BLOCK_BYTES, from * BLOCK_BYTES);
    return Promise.resolve();
  },
  readCached: (blocks: Blocks, into: Uint8Array, at: number, count: number, from: number) => {
    expect(blocks.readCached(into, at, count * BLOCK_BYTES, from * BLOCK_BYTES)).toBe(true);
    return Promise.resolve();
  },
  read: (blocks: Blocks, into: Uint8Array, at: number, count: number, from: number) =>
    blocks.read(into, at, count * BLOCK_BYTES, from * BLOCK_BYTES),
};

describe('Blocks', () => {
  it('keeps a block away from the file until a commit brings it there', async () => {
    const { file, blocks, keep, commit } = scene();
    keep(5, 200);
    expect([blocks.keptBytes, file.at(5)]).toEqual([BLOCK_BYTES, 5]);
    expect(blocks.kept(5)![0]).toBe(200);
    expect(blocks.kept(6)).toBeUndefined();
    await commit();
    expect([blocks.keptBytes, file.at(5), blocks.kept(5)]).toEqual([0, 200, undefined]);
  });

  it('never changes again what a commit captured', async () => {
    const { file, blocks, keep } = scene();
    keep(5, 200);
    blocks.capture();
    // Whoever wants to change it has to take another block.
    expect(blocks.kept(5)).toBeUndefined();
    keep(6, 201);
    expect(blocks.keptBytes).toBe(2 * BLOCK_BYTES);
    await blocks.sync();
    blocks.durable();
    expect([file.at(5), file.at(6), blocks.kept(6)![0]]).toEqual([200, 6, 201]);
  });

  it('writes nothing of what was freed meanwhile', async () => {
    const { file, freed, keep, commit } = scene();
    keep(5, 200);
    keep(6, 201);
    freed.add(5);
    await commit();
    expect(file.writes).toEqual([[6, 1]]);
  });

  it('writes neighbours together, in the order in which they lie, and no more than a call takes', async () => {
    const { file, keep, commit } = scene();
    for (const block of [9, 3, 8, 4, 20]) keep(block, 1);
    for (let block = 1000; block < 1600; block++) keep(block, 2);
    await commit();
    expect(file.writes).toEqual([
      [3, 2],
      [8, 2],
      [20, 1],
      [1000, 256],
      [1256, 256],
      [1512, 88],
    ]);
    expect([file.at(1000), file.at(1599)]).toEqual([2, 2]);
  });

  for (const [name, read] of Object.entries(READS)) {
    it(`reads what is kept, leaving and in the file as one: ${name}`, async () => {
      const { blocks, keep } = scene();
      const random = seededRandom(1);
      const expected = Array.from({ length: 64 }, (_, block) => block);
      for (let i = 0; i < 24; i++) {
        const block = random(64);
        keep(block, (expected[block] = 100 + i));
      }
      blocks.capture();
      // Behind the end of the file too.
      for (let block = 64; block < 70; block++) keep(block, (expected[block] = block));
      for (let i = 0; i < 12; i++) {
        const block = random(64);
        keep(block, (expected[block] = 200 + i));
      }
      for (let i = 0; i < 200; i++) {
        const count = 1 + random(12);
        const from = random(71 - count);
        const into = new Uint8Array((count + 2) * BLOCK_BYTES).fill(255);
        await read(blocks, into, BLOCK_BYTES, count, from);
        const firsts = Array.from({ length: count + 2 }, (_, index) => into[index * BLOCK_BYTES + 7]);
        expect(firsts).toEqual([255, ...expected.slice(from, from + count), 255]);
      }
    });
  }

  it('ends a read that fails only when nothing writes to its buffer any more', async () => {
    const { file, blocks, keep } = scene();
    let open = (): void => undefined;
    const held = new Promise<void>((resolve) => (open = resolve));
    // The kept block cuts the read in two; the first part is slow, the second one fails at once.
    keep(5, 200);
    file.beforeRead = (block) => (block === 0 ? held : Promise.reject(new StoreError('a bad sector')));
    const buffer = new Uint8Array(10 * BLOCK_BYTES);
    let ended = false;
    const reading = blocks.read(buffer, 0, buffer.length, 0).finally(() => (ended = true));
    const rejected = expect(reading).rejects.toThrow('a bad sector');
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    open();
    await rejected;
    buffer.fill(255);
    await new Promise((resolve) => setImmediate(resolve));
    expect(buffer.every((byte) => byte === 255)).toBe(true);
    // Nothing is begun where there is no room for it.
    await expect(blocks.read(buffer, BLOCK_BYTES, buffer.length, 0)).rejects.toThrow('has room');
  });

  it('gives a block while it is being written, and afterwards', async () => {
    const { file, blocks, keep } = scene();
    let open = (): void => undefined;
    file.beforeWrite = () => new Promise((resolve) => (open = resolve));
    keep(5, 200);
    blocks.capture();
    const synced = blocks.sync();
    const into = blockOf(0);
    blocks.readSync(into, 0, BLOCK_BYTES, 5 * BLOCK_BYTES);
    expect([into[0], file.at(5)]).toEqual([200, 5]);
    open();
    await synced;
    blocks.readSync(into, 0, BLOCK_BYTES, 5 * BLOCK_BYTES);
    expect(into[0]).toBe(200);
  });

  it('tries again what found no room, and loses nothing of it meanwhile', async () => {
    const { file, blocks, keep } = scene();
    for (const block of [3, 4, 9, 20]) keep(block, 100 + block);
    blocks.capture();
    file.room = 1;
    await expect(blocks.sync()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(() => {
      blocks.durable();
    }).toThrow(/is in the file/);
    keep(30, 130);
    const into = new Uint8Array(32 * BLOCK_BYTES);
    blocks.readSync(into, 0, into.length, 0);
    expect([3, 4, 9, 20, 30].map((block) => into[block * BLOCK_BYTES])).toEqual([103, 104, 109, 120, 130]);
    file.room = Infinity;
    await blocks.sync();
    blocks.durable();
    // Each once, and nothing that came since.
    expect(file.writes).toEqual([
      [3, 2],
      [9, 1],
      [20, 1],
    ]);
    expect([file.at(9), file.at(30), blocks.keptBytes]).toEqual([109, 30, BLOCK_BYTES]);
  });

  it('brings what it wrote to stable storage in a commit, also where nothing is kept', async () => {
    const { file, blocks, commit } = scene();
    await commit();
    expect([file.syncs, blocks.isSynced]).toEqual([1, true]);
    blocks.writeSync(blockOf(9), 0, BLOCK_BYTES, 9 * BLOCK_BYTES);
    expect(blocks.isSynced).toBe(false);
    await blocks.syncWritten();
    expect([file.syncs, blocks.isSynced]).toEqual([2, true]);
  });
});
