// Space that was given up but is still on its way back: an operation that needs it waits for it, and only then fails.

import { expect, test } from 'vitest';
import { ERRNO, FsError } from '../../../src/errors/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { ROOT, errnoLater, openBridged } from '../../support/bridged-mount.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const BLOCK = 4096;

/** As a host with room for so many blocks: blocks that were written take it until they are punched. */
class SmallFile extends MemoryBlockFile {
  roomBlocks = 100;

  override writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    if (this.storedBytes() + length > this.roomBlocks * BLOCK) throw new FsError('ENOSPC', 'test-host-full', 'full');
    super.writeSync(from, fromOffset, length, byteOffset);
  }
}

test('what a volume and its clone have both dropped, of a snapshot that is gone', async () => {
  const blocks = new SmallFile();
  const { mount, memory } = await openBridged({ volumes: { blocks } });
  const { volumes } = memory;
  const { store } = volumes;
  store.giveBack = () => {
    store.allocator.forEachAvailableRun(0, 1000, (start, count) => {
      blocks.punch(start * BLOCK, count * BLOCK);
    });
  };
  const main = volumes.get('main');
  const old = mount.create(ROOT, 'old').entry.node;
  mount.write(old, 0, 0, Buffer.alloc(80 * BLOCK, 1));
  const snapshot = volumes.createSnapshot(main, { name: 's' });
  const clone = volumes.clone(main, snapshot, 'c');
  volumes.deleteSnapshot(main, snapshot);
  await volumes.reclaimed();
  mount.unlink(ROOT, 'old');
  mount.forget(old);
  const ino = new TreeOf(clone.filesystem).unlink(1, 'old');
  volumes.destroyOrphan(clone.filesystem, ino);
  await volumes.commit();
  const file = mount.create(ROOT, 'new').entry.node;
  expect(await mount.writeLater(file, 0, 0, Buffer.alloc(90 * BLOCK, 2))).toBe(90 * BLOCK);
  expect(await errnoLater(() => mount.writeLater(file, 0, 90 * BLOCK, Buffer.alloc(90 * BLOCK, 2)))).toBe(ERRNO.ENOSPC);
  expect(await memory.check()).toEqual([]);
});

test('a large file that is being removed, of the quota', async () => {
  const { mount, memory } = await openBridged();
  memory.volumes.get('main').record.properties = { quota: String(400 * BLOCK) };
  const old = mount.create(ROOT, 'old').entry.node;
  // So many extents that it is not removed at once.
  for (let i = 0; i < 300; i++) mount.write(old, 0, 2 * i * BLOCK, Buffer.alloc(BLOCK, 1));
  mount.unlink(ROOT, 'old');
  mount.forget(old);
  const file = mount.create(ROOT, 'new').entry.node;
  const bytes = Buffer.alloc(200 * BLOCK, 2);
  for (let done = 0; done < bytes.length;) done += await mount.writeLater(file, 0, done, bytes.subarray(done));
  expect(await errnoLater(() => mount.writeLater(file, 0, 200 * BLOCK, Buffer.alloc(250 * BLOCK, 2)))).toBe(0);
  expect(await errnoLater(() => mount.writeLater(file, 0, 450 * BLOCK, Buffer.alloc(BLOCK, 2)))).toBe(ERRNO.EDQUOT);
  expect(await memory.check()).toEqual([]);
});

test('of whom waits for it when the mount goes away nothing is done any more', async () => {
  const blocks = new SmallFile();
  const { mount, memory } = await openBridged({ volumes: { blocks } });
  const { volumes } = memory;
  const file = mount.create(ROOT, 'f').entry.node;
  blocks.roomBlocks = 0;
  volumes.store.giveBack = () => (blocks.roomBlocks = 100);
  void errnoLater(() => mount.writeLater(file, 0, 0, Buffer.alloc(50 * BLOCK, 1))).catch(() => undefined);
  mount.unmount();
  await expect.poll(() => blocks.roomBlocks).toBe(100);
  await volumes.commit();
  expect(blocks.storedBytes()).toBe(0);
});
