// What the bridge does for a session as a whole.

import { expect, test } from 'vitest';
import { ERRNO } from '../../../src/errors/index.ts';
import { createHandlers } from '../../../src/bridge/index.ts';
import { volumeView } from '../../../src/vfs/index.ts';
import { errnoOf, openBridged, ROOT, SNAPDIR, takeSnapshot, errnoLater } from '../../support/bridged-mount.ts';
import { FakeMount } from '../../support/fake-mount.ts';

// Linux, fs/fuse: FUSE_ATOMIC_O_TRUNC, FUSE_DONT_MASK, FUSE_POSIX_ACL, FUSE_HANDLE_KILLPRIV_V2,
// FUSE_EXPLICIT_INVAL_DATA.
const NEEDED = (1 << 3) | (1 << 6) | (1 << 20) | (1 << 28) | (1 << 25);
const FUSE_WRITEBACK_CACHE = 1 << 16;

test('INIT asks for what the handlers rely on, and not for write-back', async () => {
  const { mount } = await openBridged();
  expect(mount.limits.flags & NEEDED).toBe(NEEDED);
  expect(mount.limits.flags & FUSE_WRITEBACK_CACHE).toBe(0);
});

test('a read-only mount takes no changes and keeps the atime', async () => {
  const { memory, mount: writable } = await openBridged();
  const { node } = writable.create(ROOT, 'f').entry;
  writable.write(node, 0, 0, Buffer.from('text'));
  const options = { availableBytes: () => 0, readOnly: true };
  const mount = await FakeMount.open(createHandlers(volumeView(memory.volumes, memory.volumes.get('main'), options)));
  memory.clock.advance(1);
  expect(mount.read(node, 0, 0, 10).toString()).toBe('text');
  expect(mount.getattr(node).atime).toBe(memory.clock.nanoseconds - 1_000_000_000n);
  for (const action of [
    () => mount.create(ROOT, 'g'),
    () => mount.setattr(node, { mode: 0 }),
    () => mount.write(node, 0, 0, Buffer.from('x')),
    () => mount.open(node, 1),
    () => mount.unlink(ROOT, 'f'),
    () => mount.rmdir(SNAPDIR, 's'),
  ]) {
    expect(errnoOf(action), String(action)).toBe(ERRNO.EROFS);
  }
  expect(await errnoLater(() => takeSnapshot(mount, 's'))).toBe(ERRNO.EROFS);
  expect(mount.open(node, 0).fh).toBe(0);
});

test('noatime keeps the atime', async () => {
  const { mount, memory } = await openBridged({ view: { atime: 'noatime' } });
  const { node } = mount.create(ROOT, 'f').entry;
  memory.clock.advance(1);
  mount.read(node, 0, 0, 10);
  mount.readdirOnce(ROOT, 0);
  expect(mount.getattr(node).atime).toBe(1_000_000_000_000_000_000n);
  expect(mount.getattr(ROOT).atime).toBe(1_000_000_000_000_000_000n);
});

test('reading a directory moves its atime by relatime', async () => {
  const { mount, memory } = await openBridged();
  memory.clock.advance(1);
  mount.readdirOnce(ROOT, 0);
  const first = mount.getattr(ROOT).atime;
  memory.clock.advance(1);
  mount.readdirOnce(ROOT, 0);
  expect([first, mount.getattr(ROOT).atime]).toEqual(Array(2).fill(1_000_000_001_000_000_000n));
});

test('while too much waits to be written no requests are taken in, until a commit ends', async () => {
  const { mount, memory, intake } = await openBridged();
  const { volumes } = memory;
  const write = memory.kv.write.bind(memory.kv);
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  memory.kv.write = async (batch) => {
    await gate;
    await write(batch);
  };
  for (let i = 0; !volumes.overloaded; i++)
    mount.setxattr(mount.create(ROOT, `f${i}`).entry.node, 'user.big', Buffer.alloc(65_536));
  expect(intake).toEqual({ paused: 1, resumed: 0 });
  mount.create(ROOT, 'one-more');
  expect(intake).toEqual({ paused: 1, resumed: 0 });
  letGo();
  await volumes.commit();
  await volumes.commit();
  expect(intake).toEqual({ paused: 1, resumed: 1 });
  expect(volumes.overloaded).toBe(false);
});
