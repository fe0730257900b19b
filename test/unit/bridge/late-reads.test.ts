/** Requests that wait for the disk, where something fails meanwhile: nothing of one answer ends up in another, nothing half becomes durable. */
import { expect, test } from 'vitest';
import { ERRNO, FsError, StoreError } from '../../../src/errors/index.ts';
import { ROOT, errnoLater, listAll, openBridged, type BridgedMount } from '../../support/bridged-mount.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { RottingKeyValue } from '../../support/rotting-key-value.ts';

const KIB = 1024;

/** A host that has nothing in memory, and does what a test wants with each read. */
class ColdBlockFile extends MemoryBlockFile {
  beforeRead: () => Promise<void> = () => Promise.resolve();
  afterRead: () => void = () => undefined;

  override readCached(): boolean {
    return false;
  }

  override async read(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): Promise<void> {
    await this.beforeRead();
    await super.read(into, intoOffset, length, byteOffset);
    this.afterRead();
  }
}

/** It also has no room at times. */
class SmallColdFile extends ColdBlockFile {
  isFull = false;

  override writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    if (this.isFull) throw new FsError('ENOSPC', 'test-host-full', 'full');
    super.writeSync(from, fromOffset, length, byteOffset);
  }
}

function turns(count: number): Promise<void> {
  return count === 0
    ? Promise.resolve()
    : new Promise((resolve) => setImmediate(() => void turns(count - 1).then(resolve)));
}

test('a read that fails is answered when its other parts have ended: none of them lands in the next answer', async () => {
  const blocks = new ColdBlockFile();
  const { mount } = await openBridged({ volumes: { blocks } });
  const secret = mount.create(ROOT, 'secret').entry.node;
  const sparse = mount.create(ROOT, 'sparse').entry.node;
  // The secret one lies in two runs.
  mount.write(secret, 0, 0, Buffer.alloc(128 * KIB, 'A'));
  mount.write(sparse, 0, 128 * KIB, Buffer.alloc(128 * KIB, 'B'));
  mount.write(secret, 0, 128 * KIB, Buffer.alloc(128 * KIB, 'A'));
  let reads = 0;
  blocks.beforeRead = async () => {
    reads++;
    // The second part fails at once; the first one is slow, and the read of the other file slower.
    if (reads === 2) throw new StoreError('a bad sector');
    await turns(reads === 1 ? 20 : 40);
  };
  expect(await errnoLater(() => mount.readLater(secret, 0, 0, 256 * KIB))).toBe(ERRNO.EIO);
  const answer = await mount.readLater(sparse, 0, 0, 256 * KIB);
  expect(answer.subarray(0, 128 * KIB).equals(Buffer.alloc(128 * KIB))).toBe(true);
  expect(answer.subarray(128 * KIB).equals(Buffer.alloc(128 * KIB, 'B'))).toBe(true);
});

interface Rotting extends BridgedMount {
  readonly kv: RottingKeyValue;
  readonly blocks: ColdBlockFile;
  readonly source: bigint;
  readonly target: bigint;
}

const TARGET_BLOCKS = 2000;

/** A store that was just opened, so that no node is in memory: a file with data, one of many extents, and so many others. */
async function openRotting(others = 0): Promise<Rotting> {
  const first = await openBridged();
  const { mount, memory } = first;
  for (let i = 0; i < others; i++) mount.create(ROOT, String(i).padEnd(255, 'x'));
  mount.write(mount.create(ROOT, 'source').entry.node, 0, 0, Buffer.alloc(KIB * KIB, 's'));
  const target = mount.create(ROOT, 'target').entry.node;
  for (let block = 0; block < TARGET_BLOCKS; block += 2) mount.write(target, 0, block * 4096, Buffer.alloc(4096, 't'));
  await memory.volumes.commit();
  const kv = memory.kv.copyInto(new RottingKeyValue());
  const blocks = new ColdBlockFile();
  const bytes = new Uint8Array(memory.blocks.sizeBytes);
  memory.blocks.readSync(bytes, 0, bytes.length, 0);
  blocks.writeSync(bytes, 0, bytes.length, 0);
  const opened = await openBridged({ volumes: { kv, blocks, cacheBytes: 0 } });
  opened.memory.clock.advance(5);
  const [from, to] = ['source', 'target'].map((name) => opened.mount.lookup(ROOT, name).node);
  return { ...opened, kv, blocks, source: from!, target: to! };
}

/** What the next start finds, after the end of this process. */
async function afterCrash({ memory, kv, blocks }: Rotting): Promise<MemoryVolumes> {
  const options = { kv: kv.copyInto(new MemoryKeyValue()), blocks: blocks.copy(), journal: memory.journal.copy() };
  return openMemoryVolumes(options);
}

test('a read whose atime can no longer be noted: the store takes no more changes', async () => {
  const rotting = await openRotting(2000);
  const { mount, memory, blocks, kv, source } = rotting;
  // Between the read and the note so many other nodes are needed that those of the file are not in memory any more.
  blocks.afterRead = () => {
    expect(listAll(mount, ROOT)).toHaveLength(2004);
    kv.nodesLeft = 0;
  };
  expect(await errnoLater(() => mount.readLater(source, 0, 0, 4096))).toBe(ERRNO.EIO);
  expect(memory.volumes.failure?.message).toMatch(/node \d+/);
  expect((await afterCrash(rotting)).volumes.failure).toBeUndefined();
});

test('a damaged block of a file is no reason to take no more changes', async () => {
  const { mount, memory, blocks, source } = await openRotting();
  blocks.writeSync(Buffer.from('x'), 0, 1, 4096);
  expect(await errnoLater(() => mount.readLater(source, 0, 0, 64 * KIB))).toBe(ERRNO.EIO);
  expect(memory.volumes.failure).toBeUndefined();
  mount.create(ROOT, 'new');
  await memory.volumes.commit();
});

test.each([false, true])(
  'of a copy that meets damage half-way nothing becomes durable (commit asked for: %s)',
  async (commits) => {
    let halves = 0;
    for (let nodesLeft = 0; nodesLeft < 8; nodesLeft++) {
      const rotting = await openRotting();
      const { mount, memory, blocks, kv, source, target } = rotting;
      const { volumes } = memory;
      const allocated = volumes.allocatedBlocks;
      // As a change does for which there is too much in memory.
      if (commits) kv.atDamage = () => void volumes.commit().catch(() => undefined);
      blocks.afterRead = () => {
        kv.nodesLeft = nodesLeft;
      };
      const to = { node: target, fh: 0, offset: 512 * 4096 };
      const errno = await errnoLater(() => mount.copyFileRange({ node: source, fh: 0, offset: 0 }, to, KIB * KIB));
      if (errno === 0) break;
      expect(errno).toBe(ERRNO.EIO);
      if (volumes.allocatedBlocks !== allocated) halves++;
      expect(volumes.failure?.message).toMatch(/node \d+/);
      expect(await errnoLater(() => mount.fsync(target, 0))).toBe(ERRNO.EIO);
      const again = await afterCrash(rotting);
      expect(again.volumes.allocatedBlocks).toBe(allocated);
      expect(await again.check()).toEqual([]);
    }
    expect(halves).toBeGreaterThan(0);
  },
);

test('a copy that finds no space is tried again after the commit that makes some', async () => {
  const blocks = new SmallColdFile();
  const { mount, memory } = await openBridged({ volumes: { blocks } });
  const source = mount.create(ROOT, 'source').entry.node;
  const target = mount.create(ROOT, 'target').entry.node;
  mount.write(source, 0, 0, Buffer.alloc(128 * KIB, 's'));
  blocks.isFull = true;
  memory.volumes.store.giveBack = () => (blocks.isFull = false);
  const [from, to] = [source, target].map((node) => ({ node, fh: 0, offset: 0 }));
  expect(await mount.copyFileRange(from!, to!, 128 * KIB)).toBe(128 * KIB);
  expect((await mount.readLater(target, 0, 0, 128 * KIB)).equals(Buffer.alloc(128 * KIB, 's'))).toBe(true);
});
