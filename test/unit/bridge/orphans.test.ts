// Files without a name live as long as the kernel holds them, and no longer.

import { beforeEach, expect, test } from 'vitest';
import { ERRNO } from '../../../src/errors/index.ts';
import { errnoOf, openBridged, ROOT, type BridgedMount } from '../../support/bridged-mount.ts';

let bridged: BridgedMount;

beforeEach(async () => {
  bridged = await openBridged();
});

function allocated(): number {
  return bridged.memory.volumes.allocatedBlocks;
}

test('an unlinked file works on until it is forgotten, then its space comes back', async () => {
  const { mount, memory, handlers } = bridged;
  await memory.volumes.commit();
  const before = allocated();
  const { entry, fh } = mount.create(ROOT, 'f');
  mount.write(entry.node, fh, 0, Buffer.alloc(40_960, 1));
  mount.unlink(ROOT, 'f');
  expect(mount.getattr(entry.node).nlink).toBe(0);
  mount.write(entry.node, fh, 40_960, Buffer.from('more'));
  mount.setxattr(entry.node, 'user.k', Buffer.from('v'));
  expect(mount.read(entry.node, fh, 40_960, 10).toString()).toBe('more');
  expect(handlers.orphanCount).toBe(1);
  mount.forget(entry.node);
  expect(handlers.orphanCount).toBe(0);
  expect(errnoOf(() => mount.getattr(entry.node))).toBe(ERRNO.ESTALE);
  expect(await memory.check()).toEqual([]);
  expect(allocated()).toBe(before);
});

test('a FORGET that waited while the file was looked up again does not end it', () => {
  const { mount } = bridged;
  const { node } = mount.create(ROOT, 'f').entry;
  mount.lookup(ROOT, 'f');
  // The kernel drops the inode (2 look-ups), looks the name up anew and opens it; the FORGET is read after the UNLINK.
  mount.lookup(ROOT, 'f');
  mount.open(node, 2);
  mount.unlink(ROOT, 'f');
  mount.forget(node, 2);
  expect(mount.getattr(node).nlink).toBe(0);
  mount.write(node, 0, 0, Buffer.from('x'));
  mount.forget(node, 1);
  expect(errnoOf(() => mount.getattr(node))).toBe(ERRNO.ESTALE);
});

test('look-ups of READDIRPLUS count', () => {
  const { mount } = bridged;
  const { node } = mount.create(ROOT, 'f').entry;
  mount.readdirplusOnce(ROOT, 0);
  mount.readdirplusOnce(ROOT, 0);
  expect(mount.nlookup.get(node)).toBe(3);
  mount.unlink(ROOT, 'f');
  mount.forget(node, 2);
  expect(mount.getattr(node).nlink).toBe(0);
  mount.forget(node, 1);
  expect(errnoOf(() => mount.getattr(node))).toBe(ERRNO.ESTALE);
});

test('an entry that did not fit into the answer is not counted', () => {
  const { mount, handlers } = bridged;
  const nodes = ['a', 'b', 'c'].map((name) => mount.create(ROOT, name).entry.node);
  mount.batchForget(nodes);
  expect(handlers.knownNodes).toBe(0);
  const listed = mount.readdirplusOnce(ROOT, 0, 2, 200);
  expect(listed).toHaveLength(1);
  expect(handlers.knownNodes).toBe(1);
  mount.forget(listed[0]!.entry!.node);
  expect(handlers.knownNodes).toBe(0);
});

test('what was replaced by rename, removed directories and temporary files are orphans too', () => {
  const { mount, handlers } = bridged;
  const old = mount.create(ROOT, 'old').entry.node;
  mount.create(ROOT, 'new');
  mount.rename(ROOT, 'new', ROOT, 'old');
  const dir = mount.mkdir(ROOT, 'd').node;
  mount.rmdir(ROOT, 'd');
  const temporary = mount.tmpfile(ROOT).entry.node;
  expect(handlers.orphanCount).toBe(3);
  expect(mount.getattr(dir).nlink).toBe(0);
  mount.batchForget([old, dir, temporary]);
  expect(handlers.orphanCount).toBe(0);
  for (const node of [old, dir, temporary]) expect(errnoOf(() => mount.getattr(node))).toBe(ERRNO.ESTALE);
});

test('a temporary file that was linked stays when it is forgotten', () => {
  const { mount, handlers } = bridged;
  const { node } = mount.tmpfile(ROOT).entry;
  expect(mount.link(node, ROOT, 'named').attr.nlink).toBe(1);
  expect(handlers.orphanCount).toBe(0);
  mount.forget(node);
  expect(mount.lookup(ROOT, 'named').node).toBe(node);
});

test('an unmount ends them all', async () => {
  const { mount, memory, handlers } = bridged;
  await memory.volumes.commit();
  const before = allocated();
  for (let i = 0; i < 10; i++) {
    const { entry, fh } = mount.create(ROOT, 'f');
    mount.write(entry.node, fh, 0, Buffer.alloc(4096, 1));
    mount.unlink(ROOT, 'f');
  }
  mount.unmount();
  expect(handlers.orphanCount).toBe(0);
  expect(await memory.check()).toEqual([]);
  expect(allocated()).toBe(before);
});

test('a large one is taken apart in the background', async () => {
  const { mount, memory } = bridged;
  const { entry, fh } = mount.create(ROOT, 'f');
  // Holes between, so that each block is an extent of its own.
  for (let i = 0; i < 200; i++) mount.write(entry.node, fh, i * 8192, Buffer.alloc(4096, 1));
  const snapshotFree = allocated();
  mount.unlink(ROOT, 'f');
  mount.forget(entry.node);
  await memory.volumes.reclaimed();
  expect(allocated()).toBeLessThanOrEqual(snapshotFree - 200);
  expect(await memory.check()).toEqual([]);
});
