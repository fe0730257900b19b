// A host that is nearly full: what adds names stops before what takes them away, commits come early, and space that was freed is used before
// anybody hears that there is none.

import { expect, test } from 'vitest';
import { ERRNO, FsError } from '../../../src/errors/index.ts';
import { FUSE_WRITE_CACHE } from '../../../src/fuse/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { ROOT, SNAPDIR, errnoLater, errnoOf, openBridged, takeSnapshot } from '../../support/bridged-mount.ts';
import { MessageWriter } from '../../support/fuse-message.ts';

/** As a host with room for so many blocks: blocks that were written take it until they are punched. */
class SmallFile extends MemoryBlockFile {
  roomBlocks = 100;

  override assertRoom(length = 0): void {
    if (this.storedBytes() + length > this.roomBlocks * 4096) throw new FsError('ENOSPC', 'test-host-full', 'full');
  }

  override writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    this.assertRoom(length);
    super.writeSync(from, fromOffset, length, byteOffset);
  }
}

/** The body of a FUSE_WRITE at the beginning of a file. */
function writeBody(bytes: Buffer, writeFlags = 0): Buffer {
  return new MessageWriter().u64(0).u64(0).u32(bytes.length).u32(writeFlags).u64(0).u32(0).u32(0).raw(bytes).bytes();
}

test('a write that finds no space waits for the commit that makes freed space usable', async () => {
  const blocks = new SmallFile();
  const { mount, memory } = await openBridged({ volumes: { blocks } });
  const { store } = memory.volumes;
  store.giveBack = () => {
    store.allocator.forEachAvailableRun(0, 1000, (start, count) => {
      blocks.punch(start * 4096, count * 4096);
    });
  };
  const old = mount.create(ROOT, 'old').entry.node;
  mount.write(old, 0, 0, Buffer.alloc(80 * 4096, 1));
  await memory.volumes.commit();
  mount.unlink(ROOT, 'old');
  mount.forget(old);
  expect(store.allocator.pendingBlocks).toBe(80);
  const file = mount.create(ROOT, 'new').entry.node;
  const written = await mount.kernel.request('FUSE_WRITE', file, writeBody(Buffer.alloc(90 * 4096, 2)));
  expect([written.error, written.body.readUInt32LE(0)]).toEqual([0, 90 * 4096]);
  expect(mount.read(file, 0, 0, 90 * 4096).equals(Buffer.alloc(90 * 4096, 2))).toBe(true);
  // With nothing to be gained it fails, and is not tried for ever.
  await memory.volumes.commit();
  const full = await mount.kernel.request('FUSE_WRITE', file, writeBody(Buffer.alloc(90 * 4096, 3)));
  expect(full.error).toBe(ERRNO.ENOSPC);
  expect(await memory.check()).toEqual([]);
});

test('on a full host nothing is added, but everything can be deleted, and snapshots can be taken', async () => {
  let full = false;
  const { mount, memory, intake } = await openBridged({ room: { mayGrow: () => !full, isTight: () => full } });
  const dir = mount.mkdir(ROOT, 'd').node;
  const file = mount.create(ROOT, 'f').entry.node;
  mount.write(file, 0, 0, Buffer.alloc(5000, 1));
  mount.setxattr(file, 'user.x', Buffer.from('y'));
  const old = (await takeSnapshot(mount, 'old')).node;
  await memory.volumes.commit();
  full = true;
  const adding: (() => unknown)[] = [
    () => mount.mkdir(ROOT, 'e'),
    () => mount.create(ROOT, 'g'),
    () => mount.symlink(ROOT, 's', 'f'),
    () => mount.link(file, ROOT, 'h'),
    () => mount.setxattr(file, 'user.z', Buffer.from('y')),
  ];
  for (const add of adding) expect(errnoOf(add)).toBe(ERRNO.ENOSPC);
  expect(errnoOf(() => mount.mkdir(old, 'e'))).toBe(ERRNO.EROFS);
  expect(intake.paused).toBe(0);
  mount.rename(ROOT, 'f', ROOT, 'g');
  // Each change asks for a commit of its own, before the next request is taken in.
  expect(intake).toEqual({ paused: 1, resumed: 0 });
  await memory.volumes.commit();
  expect(intake).toEqual({ paused: 1, resumed: 1 });
  mount.write(file, 0, 0, Buffer.from('overwritten in place'));
  mount.removexattr(file, 'user.x');
  expect(await errnoLater(() => takeSnapshot(mount, 'before'))).toBe(0);
  mount.rmdir(SNAPDIR, 'before');
  mount.unlink(ROOT, 'g');
  mount.rmdir(ROOT, 'd');
  mount.forget(file);
  mount.forget(dir);
  full = false;
  mount.mkdir(ROOT, 'e');
  expect(await memory.check()).toEqual([]);
});

test('who gives up waiting for what a snapshot takes up gets EINTR', async () => {
  const { mount, memory } = await openBridged();
  const node = (await takeSnapshot(mount, 's')).node;
  const read = mount.kernel.request(
    'FUSE_GETXATTR',
    node,
    new MessageWriter().u32(100).u32(0).name('user.amberfs.unique').bytes(),
    100,
  );
  mount.kernel.interrupt(mount.kernel.lastUnique);
  expect((await read).error).toBe(ERRNO.EINTR);
  await memory.volumes.commit();
  expect(mount.session.deferredCount).toBe(0);
});

test('a map that is written back fails where it does not fit: the kernel takes no notice of a short count', async () => {
  const { mount, memory } = await openBridged();
  memory.volumes.get('main').record.properties = { quota: String(20 * 4096) };
  const bytes = Buffer.alloc(30 * 4096, 1);
  const write = (node: bigint, flags: number): ReturnType<typeof mount.kernel.request> =>
    mount.kernel.request('FUSE_WRITE', node, writeBody(bytes, flags));
  const plain = mount.create(ROOT, 'plain').entry.node;
  const short = await write(plain, 0);
  expect(short.error).toBe(0);
  expect(short.body.readUInt32LE(0)).toBeLessThan(bytes.length);
  mount.unlink(ROOT, 'plain');
  mount.forget(plain);
  const mapped = mount.create(ROOT, 'mapped').entry.node;
  expect((await write(mapped, FUSE_WRITE_CACHE)).error).toBe(ERRNO.EDQUOT);
  expect(await memory.check()).toEqual([]);
});
