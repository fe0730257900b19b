// Ordinary files through the bridge, as the kernel asks for them.

import { beforeEach, describe, expect, test } from 'vitest';
import { ERRNO } from '../../../src/errors/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { journalSyncs } from '../../support/memory-volumes.ts';
import { errnoLater, errnoOf, listAll, openBridged, ROOT, type BridgedMount } from '../../support/bridged-mount.ts';
import { MessageWriter } from '../../support/fuse-message.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const FOPEN_KEEP_CACHE = 2;
const FOPEN_NOFLUSH = 32;

let bridged: BridgedMount;

beforeEach(async () => {
  bridged = await openBridged();
});

test('an entry may be trusted for a day, and so may the absence of one', async () => {
  const { mount } = bridged;
  const { entry } = mount.create(ROOT, 'f');
  expect([entry.entryTimeoutMs, entry.attrTimeoutMs]).toEqual([DAY_MS, DAY_MS]);
  expect(mount.lookup(ROOT, 'f').node).toBe(entry.node);
  const { error, body } = await mount.kernel.request('FUSE_LOOKUP', ROOT, new MessageWriter().name('g').bytes());
  expect([error, body.readBigUInt64LE(0), Number(body.readBigUInt64LE(16)) * 1000]).toEqual([0, 0n, DAY_MS]);
});

test('attributes come through, each in its place', () => {
  const { mount, memory } = bridged;
  mount.kernel.credentials = { uid: 1001, gid: 1002, pid: 7 };
  const node = mount.mknod(ROOT, 'disk', 0o060640, 0x1234_5678).node;
  mount.setattr(node, { atime: -1_500_000_000n, mtime: 4_294_967_296_000_000_001n });
  expect(mount.getattr(node)).toEqual({
    ...{ ino: 256n, size: 0, blocks: 0, mode: 0o060640, nlink: 1, uid: 1001, gid: 1002, rdev: 0x1234_5678 },
    ...{ atime: -1_500_000_000n, mtime: 4_294_967_296_000_000_001n, ctime: memory.clock.nanoseconds },
    ...{ blksize: 65_536, flags: 0 },
  });
  expect(mount.getattr(ROOT)).toMatchObject({ ino: 1n, mode: 0o040755, nlink: 2 });
});

test('statx knows the birth', async () => {
  const { mount, memory } = bridged;
  const { node } = mount.create(ROOT, 'f').entry;
  const birth = memory.clock.nanoseconds;
  memory.clock.advance(10);
  mount.write(node, 0, 0, Buffer.from('x'));
  const { body } = await mount.kernel.request('FUSE_STATX', node, Buffer.alloc(24));
  expect(body.readUInt32LE(32)).toBe(0xfff);
  expect(body.readBigInt64LE(32 + 80) * 1_000_000_000n).toBe(birth);
});

describe('data', () => {
  test('is read back as it was written', () => {
    const { mount } = bridged;
    const { entry, fh } = mount.create(ROOT, 'f');
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
    expect(mount.write(entry.node, fh, 1000, bytes)).toBe(100_000);
    const back = mount.read(entry.node, fh, 0, 1 << 20);
    expect(back.equals(Buffer.concat([Buffer.alloc(1000), bytes]))).toBe(true);
    expect(mount.getattr(entry.node)).toMatchObject({ size: 101_000, blocks: 25 * 8 });
    expect(mount.read(entry.node, fh, 101_000, 4096)).toHaveLength(0);
    expect(mount.lseek(entry.node, fh, 0, 4)).toBe(101_000);
    expect(errnoOf(() => mount.lseek(entry.node, fh, 101_000, 3))).toBe(ERRNO.ENXIO);
  });

  test('that is not in the host memory is read later, aligned or not, and the atime moves', async () => {
    class ColdBlockFile extends MemoryBlockFile {
      override readCached(): boolean {
        return false;
      }
    }
    const { mount, memory } = await openBridged({ volumes: { blocks: new ColdBlockFile() } });
    const { entry, fh } = mount.create(ROOT, 'f');
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    mount.write(entry.node, fh, 0, bytes);
    await memory.volumes.commit();
    memory.clock.advance(5);
    for (const [offset, size] of [
      [0, 1 << 20],
      [4096, 131_072],
      [1234, 100_000],
      [299_990, 4096],
    ] as const) {
      const read = mount.readLater(entry.node, fh, offset, size);
      expect(mount.session.deferredCount).toBe(1);
      expect((await read).equals(bytes.subarray(offset, offset + size))).toBe(true);
    }
    expect(mount.getattr(entry.node).atime).toBe(memory.clock.nanoseconds);
    const copy = mount.create(ROOT, 'g').entry.node;
    const from = { node: entry.node, fh: 0, offset: 100 };
    expect(await mount.copyFileRange(from, { node: copy, fh: 0, offset: 0 }, 200_000)).toBe(200_000);
    expect((await mount.readLater(copy, 0, 0, 1 << 20)).equals(bytes.subarray(100, 200_100))).toBe(true);
  });

  test('that is damaged is EIO, at once and later', async () => {
    const { mount, memory } = bridged;
    const { entry, fh } = mount.create(ROOT, 'f');
    mount.write(entry.node, fh, 0, Buffer.alloc(8192, 1));
    await memory.volumes.commit();
    memory.blocks.writeSync(Buffer.from([2]), 0, 1, 4096 + 17);
    expect(mount.read(entry.node, fh, 0, 4096)).toEqual(Buffer.alloc(4096, 1));
    expect(errnoOf(() => mount.read(entry.node, fh, 4096, 4096))).toBe(ERRNO.EIO);
    expect(errnoOf(() => mount.write(entry.node, fh, 5000, Buffer.from('x')))).toBe(ERRNO.EIO);
    expect(mount.write(entry.node, fh, 4096, Buffer.alloc(4096))).toBe(4096);
  });

  test('fsync, fsyncdir and syncfs answer when the journal is durable', async () => {
    const { mount, memory } = bridged;
    const { entry, fh } = mount.create(ROOT, 'f');
    for (const durable of [() => mount.fsync(entry.node, fh), () => mount.fsyncdir(ROOT, 0), () => mount.syncfs()]) {
      const syncs = journalSyncs(memory);
      mount.mkdir(ROOT, `d${syncs}`);
      expect(journalSyncs(memory)).toBe(syncs);
      await durable();
      expect(journalSyncs(memory)).toBe(syncs + 1);
      await durable();
      expect(journalSyncs(memory)).toBe(syncs + 1);
    }
    const records = memory.kv.size;
    mount.write(entry.node, fh, 0, Buffer.alloc(1 << 20, 1));
    await mount.fsync(entry.node, fh);
    expect([memory.blocks.syncs, memory.kv.size]).toEqual([1, records]);
  });

  test('holes are punched and space is asked for', async () => {
    const { mount } = await openBridged({ view: { availableBytes: () => 1_000_000 } });
    const { entry, fh } = mount.create(ROOT, 'f', 0o4755);
    mount.write(entry.node, fh, 0, Buffer.alloc(16_384, 1));
    await mount.fallocate(entry.node, fh, 3, 4096, 8192);
    expect(mount.getattr(entry.node)).toMatchObject({ size: 16_384, blocks: 16, mode: 0o104755 });
    expect(await errnoLater(() => mount.fallocate(entry.node, fh, 0, 0, 1_000_001))).toBe(ERRNO.ENOSPC);
    mount.kernel.credentials = { uid: 1000, gid: 1000, pid: 1 };
    await mount.fallocate(entry.node, fh, 0, 0, 20_000);
    expect(mount.getattr(entry.node)).toMatchObject({ size: 20_000, mode: 0o100755 });
  });
});

test('an open file has no handle, keeps its pages, and needs no flush', () => {
  const { mount } = bridged;
  const { node } = mount.create(ROOT, 'f').entry;
  expect(mount.open(node, 2)).toEqual({ fh: 0, openFlags: FOPEN_KEEP_CACHE | FOPEN_NOFLUSH });
  mount.write(node, 0, 0, Buffer.from('text'));
  mount.open(node, 0o1002);
  expect(mount.getattr(node).size).toBe(0);
});

test('CREATE of a name that exists is EEXIST with O_EXCL; without it the kernel looks again', () => {
  const { mount } = bridged;
  mount.create(ROOT, 'f');
  expect(errnoOf(() => mount.create(ROOT, 'f', 0o644, 0o302))).toBe(ERRNO.EEXIST);
  expect(errnoOf(() => mount.create(ROOT, 'f', 0o644, 0o102))).toBe(ERRNO.ESTALE);
});

test('names: link, rename, symlink, unlink, rmdir', () => {
  const { mount } = bridged;
  const { node } = mount.create(ROOT, 'f').entry;
  const dir = mount.mkdir(ROOT, 'd').node;
  expect(mount.link(node, dir, 'g')).toMatchObject({ node, attr: { nlink: 2 } });
  expect(mount.readlink(mount.symlink(ROOT, 's', 'd/g').node).toString()).toBe('d/g');
  mount.rename(ROOT, 'f', dir, 'h');
  mount.rename(dir, 'h', ROOT, 's', 2);
  expect(mount.lookup(ROOT, 's').node).toBe(node);
  expect(errnoOf(() => mount.rename(ROOT, 's', dir, 'g', 1))).toBe(ERRNO.EEXIST);
  expect(errnoOf(() => mount.rmdir(ROOT, 'd'))).toBe(ERRNO.ENOTEMPTY);
  mount.unlink(dir, 'g');
  mount.unlink(dir, 'h');
  mount.rmdir(ROOT, 'd');
  expect(mount.getattr(ROOT).nlink).toBe(2);
});

test('extended attributes: sizes, lists, and the question that every write asks', () => {
  const { mount } = bridged;
  const { node } = mount.create(ROOT, 'f').entry;
  expect(errnoOf(() => mount.getxattr(node, 'security.capability'))).toBe(ERRNO.ENODATA);
  mount.setxattr(node, 'user.k', Buffer.from('value'));
  mount.setxattr(node, 'trusted.t', Buffer.from('x'));
  expect(mount.getxattr(node, 'user.k').toString()).toBe('value');
  expect(mount.getxattr(node, 'user.k', 0).readUInt32LE(0)).toBe(5);
  expect(errnoOf(() => mount.getxattr(node, 'user.k', 4))).toBe(ERRNO.ERANGE);
  expect(mount.listxattr(node).sort()).toEqual(['trusted.t', 'user.k']);
  expect(errnoOf(() => mount.listxattr(node, 3))).toBe(ERRNO.ERANGE);
  mount.kernel.credentials = { uid: 1000, gid: 1000, pid: 1 };
  expect(mount.listxattr(node)).toEqual(['user.k']);
  mount.removexattr(node, 'user.k');
  expect(errnoOf(() => mount.removexattr(node, 'user.k'))).toBe(ERRNO.ENODATA);
});

describe('directories', () => {
  test('are listed the same with and without attributes, in large and small answers', () => {
    const { mount } = bridged;
    const dir = mount.mkdir(ROOT, 'd').node;
    for (let i = 0; i < 300; i++) mount.create(dir, 'n'.repeat(1 + (i % 100)) + String(i));
    const plain = listAll(mount, dir);
    expect(plain).toHaveLength(302);
    expect(new Set(plain.map(({ nextOffset }) => nextOffset)).size).toBe(302);
    for (const size of [300, 1000, 65_536]) {
      expect(listAll(mount, dir, false, size)).toEqual(plain);
      const plus = listAll(mount, dir, true, size);
      expect(plus.map(({ entry, ...rest }) => ({ ...rest, entry: entry && undefined }))).toEqual(plain);
      for (const { name, ino, entry } of plus.slice(2)) {
        expect(entry).toMatchObject({ node: mount.lookup(dir, name).node, attr: { ino, mode: 0o100644 } });
      }
      expect(plus.slice(0, 2).map(({ entry }) => entry?.node)).toEqual([0n, 0n]);
    }
  });

  test('are opened without a request', () => {
    expect(errnoOf(() => bridged.mount.opendir(ROOT))).toBe(ERRNO.ENOSYS);
  });
});

test('statfs: what is used and what the host has left make the total', async () => {
  const { mount } = await openBridged({ view: { availableBytes: () => 40_960_000 } });
  const before = mount.statfs();
  expect(before).toMatchObject({ bfree: 10_000, bavail: 10_000, bsize: 4096, frsize: 4096, namelen: 255, files: 0 });
  const { entry, fh } = mount.create(ROOT, 'f');
  mount.write(entry.node, fh, 0, Buffer.alloc(409_600));
  expect(mount.statfs().blocks).toBe(before.blocks + 100);
});
