// `.snapshots` through the bridge.

import { beforeEach, describe, expect, test } from 'vitest';
import { ERRNO, FsError, StoreError } from '../../../src/errors/index.ts';
import {
  errnoLater,
  errnoOf,
  listAll,
  namesIn,
  openBridged,
  openSnapshot,
  ROOT,
  SNAPDIR,
  takeSnapshot,
  type BridgedMount,
} from '../../support/bridged-mount.ts';
import { MessageReader } from '../../support/fuse-message.ts';
import { journalSyncs } from '../../support/memory-volumes.ts';

const INVAL_INODE = 2;
const INVAL_ENTRY = 3;

let bridged: BridgedMount;

beforeEach(async () => {
  bridged = await openBridged();
});

function writeFile(name: string, text: string): bigint {
  const { mount } = bridged;
  const { entry } = mount.create(ROOT, name);
  mount.write(entry.node, 0, 0, Buffer.from(text));
  return entry.node;
}

function textOf(node: bigint): string {
  return bridged.mount.read(node, 0, 0, 4096).toString();
}

describe('the directory', () => {
  test('is found by name, and listed where the volume says so', () => {
    const { mount, view } = bridged;
    expect(mount.lookup(ROOT, '.snapshots')).toMatchObject({
      node: SNAPDIR,
      attr: { ino: 2n, mode: 0o040755, nlink: 2 },
    });
    expect(namesIn(mount, ROOT)).toEqual(['.', '..']);
    view.volume.record.properties = { snapdir: 'visible' };
    expect(namesIn(mount, ROOT)).toEqual(['.', '..', '.snapshots']);
    expect(listAll(mount, ROOT, true).at(-1)).toMatchObject({ ino: 2n, entry: { node: SNAPDIR } });
    expect(mount.getattr(ROOT).nlink).toBe(2);
    view.volume.record.properties = { snapdir: 'disabled' };
    expect(namesIn(mount, ROOT)).toEqual(['.', '..']);
    expect(errnoOf(() => mount.lookup(ROOT, '.snapshots'))).toBe(ERRNO.ENOENT);
    expect(errnoOf(() => mount.mkdir(ROOT, '.snapshots'))).toBe(ERRNO.EEXIST);
  });

  test('refuses whatever is no snapshot', async () => {
    const { mount } = bridged;
    const { node } = mount.create(ROOT, 'f').entry;
    await takeSnapshot(mount, 's');
    const refused: (() => unknown)[] = [
      () => mount.create(SNAPDIR, 'x'),
      () => mount.mknod(SNAPDIR, 'x', 0o010600),
      () => mount.symlink(SNAPDIR, 'x', 'y'),
      () => mount.tmpfile(SNAPDIR),
      () => mount.link(node, SNAPDIR, 'x'),
      () => mount.unlink(SNAPDIR, 's'),
      () => mount.setattr(SNAPDIR, { mode: 0o777 }),
      () => mount.setattr(SNAPDIR, { mtime: 'now' }),
      () => mount.setxattr(SNAPDIR, 'user.k', Buffer.from('v')),
      () => mount.removexattr(SNAPDIR, 'user.k'),
      // EXDEV would make mv copy, and so take a snapshot.
      () => mount.rename(ROOT, 'f', SNAPDIR, 'x'),
      () => mount.rename(SNAPDIR, 's', ROOT, 'x'),
      () => mount.rename(ROOT, '.snapshots', ROOT, 'x'),
      () => mount.rmdir(ROOT, '.snapshots'),
    ];
    for (const action of refused) expect(errnoOf(action), String(action)).toBe(ERRNO.EPERM);
    expect(namesIn(mount, SNAPDIR)).toEqual(['.', '..', 'latest', 's']);
    expect(mount.listxattr(SNAPDIR)).toEqual([]);
    expect(errnoOf(() => mount.getxattr(SNAPDIR, 'user.k'))).toBe(ERRNO.ENODATA);
    expect(mount.statfs(SNAPDIR)).toEqual(mount.statfs(ROOT));
  });

  test('is listed in pieces of any size, with the numbers that its entries have', async () => {
    const { mount } = bridged;
    for (let i = 0; i < 60; i++) await takeSnapshot(mount, `snapshot-${i}`);
    const all = listAll(mount, SNAPDIR);
    expect(all).toHaveLength(63);
    for (const size of [200, 1000]) expect(listAll(mount, SNAPDIR, false, size)).toEqual(all);
    const plus = listAll(mount, SNAPDIR, true, 1000);
    expect(plus.map(({ name }) => name)).toEqual(all.map(({ name }) => name));
    for (const { name, ino, entry } of plus.slice(2)) {
      const found = mount.lookup(SNAPDIR, name);
      expect([entry!.node, ino]).toEqual([found.node, found.attr.ino]);
    }
    expect(mount.getattr(SNAPDIR).nlink).toBe(62);
  });
});

describe('mkdir', () => {
  test('takes a snapshot, durable when it is answered; the live files go on', async () => {
    const { mount, memory } = bridged;
    const live = writeFile('f', 'then');
    const syncs = journalSyncs(memory);
    const root = await takeSnapshot(mount, 's');
    expect(journalSyncs(memory)).toBe(syncs + 1);
    expect(mount.lookup(SNAPDIR, 's')).toEqual(root);
    const frozen = mount.lookup(root.node, 'f');
    expect(frozen.node).not.toBe(live);
    mount.write(live, 0, 0, Buffer.from('now!'));
    mount.unlink(ROOT, 'f');
    expect([textOf(frozen.node), textOf(live)]).toEqual(['then', 'now!']);
    expect(mount.lookup(ROOT, '.snapshots').attr.nlink).toBe(3);
    expect(errnoOf(() => mount.lookup(root.node, '.snapshots'))).toBe(ERRNO.ENOENT);
  });

  test('notes whose request it was', async () => {
    const { mount, view } = bridged;
    for (const [name, uid] of Object.entries({ a: 0, b: 1000, c: 4_294_967_295 })) {
      mount.kernel.credentials = { ...mount.kernel.credentials, uid };
      await takeSnapshot(mount, name);
    }
    expect(view.volume.snapshots().map(({ label }) => label.by)).toEqual(['uid 0', 'uid 1000', 'uid 4294967295']);
  });

  test('tries once more after a commit where the host has no space for the journal', async () => {
    const { mount, memory } = bridged;
    writeFile('f', 'text');
    const failing = (times: number): void => {
      memory.journal.reserve = () => {
        if (times-- > 0) throw new FsError('ENOSPC', 'test-no-space', 'the host is full');
      };
    };
    failing(1);
    await takeSnapshot(mount, 'second-try');
    writeFile('g', 'text');
    failing(2);
    expect(await errnoLater(() => takeSnapshot(mount, 'never'))).toBe(ERRNO.ENOSPC);
    expect(namesIn(mount, SNAPDIR)).toEqual(['.', '..', 'latest', 'second-try']);
  });

  test('answers what it can not do', async () => {
    const { mount, view } = bridged;
    await takeSnapshot(mount, 's');
    expect(await errnoLater(() => takeSnapshot(mount, 's'))).toBe(ERRNO.EEXIST);
    expect(await errnoLater(() => takeSnapshot(mount, '-'))).toBe(ERRNO.EINVAL);
    expect(await errnoLater(() => takeSnapshot(mount, 'n'.repeat(256)))).toBe(ERRNO.ENAMETOOLONG);
    view.volume.record.properties = { 'snapdir-control': 'off' };
    expect(await errnoLater(() => takeSnapshot(mount, 't'))).toBe(ERRNO.EPERM);
    expect(namesIn(mount, SNAPDIR)).toEqual(['.', '..', 'latest', 's']);
  });

  test('that can not be made durable says so, and nothing changes from then on', async () => {
    const { mount, memory } = bridged;
    memory.journal.sync = () => Promise.reject(new StoreError('the host failed'));
    expect(await errnoLater(() => takeSnapshot(mount, 's'))).toBe(ERRNO.EIO);
    expect(errnoOf(() => mount.create(ROOT, 'f'))).toBe(ERRNO.EROFS);
  });
});

test('rename gives another name, rmdir deletes; what is below is gone at once', async () => {
  const { mount } = bridged;
  writeFile('f', 'text');
  const root = await takeSnapshot(mount, 'one');
  await takeSnapshot(mount, 'two');
  const { node } = mount.lookup(root.node, 'f');
  mount.rename(SNAPDIR, 'one', SNAPDIR, 'uno');
  expect(namesIn(mount, SNAPDIR)).toEqual(['.', '..', 'latest', 'two', 'uno']);
  expect(textOf(node)).toBe('text');
  expect(errnoOf(() => mount.rename(SNAPDIR, 'uno', SNAPDIR, 'two'))).toBe(ERRNO.EEXIST);
  mount.rmdir(SNAPDIR, 'uno');
  expect(errnoOf(() => mount.rmdir(SNAPDIR, 'uno'))).toBe(ERRNO.ENOENT);
  for (const action of [
    () => mount.getattr(node),
    () => mount.read(node, 0, 0, 10),
    () => mount.lookup(root.node, 'f'),
    () => mount.readdirOnce(root.node, 0),
    () => mount.statfs(node),
  ]) {
    expect(errnoOf(action), String(action)).toBe(ERRNO.ESTALE);
  }
});

test('rmdir asks whether the snapshot is in use', async () => {
  bridged = await openBridged({
    checkRemovable: ({ label }) => {
      if (label.name === 'used') throw new FsError('EBUSY', 'test-mounted', 'it is mounted');
    },
  });
  const { mount } = bridged;
  await takeSnapshot(mount, 'used');
  await takeSnapshot(mount, 'free');
  expect(errnoOf(() => mount.rmdir(SNAPDIR, 'used'))).toBe(ERRNO.EBUSY);
  mount.rmdir(SNAPDIR, 'free');
  expect(namesIn(mount, SNAPDIR)).toEqual(['.', '..', 'latest', 'used']);
});

describe('a snapshot', () => {
  test('takes no change, and nothing crosses its border', async () => {
    const { mount } = bridged;
    const live = writeFile('f', 'text');
    mount.mkdir(ROOT, 'd');
    const root = (await takeSnapshot(mount, 's')).node;
    const { node } = mount.lookup(root, 'f');
    const readOnly: (() => unknown)[] = [
      () => mount.create(root, 'x'),
      () => mount.mkdir(root, 'x'),
      () => mount.symlink(root, 'x', 'y'),
      () => mount.tmpfile(root),
      () => mount.unlink(root, 'f'),
      () => mount.rmdir(root, 'd'),
      () => mount.rename(root, 'f', root, 'g'),
      () => mount.rename(root, 'f', root, 'd', 2),
      () => mount.link(node, root, 'g'),
      () => mount.setattr(node, { mode: 0o600 }),
      () => mount.setattr(node, { size: 0 }),
      () => mount.setattr(node, { atime: 'now' }),
      () => mount.setxattr(node, 'user.k', Buffer.from('v')),
      () => mount.setxattr(root, 'user.k', Buffer.from('v')),
      () => mount.write(node, 0, 0, Buffer.from('x')),
      () => mount.open(node, 1),
      () => mount.open(node, 2),
      () => mount.open(node, 0o1000),
    ];
    for (const action of readOnly) expect(errnoOf(action), String(action)).toBe(ERRNO.EROFS);
    expect(await errnoLater(() => mount.fallocate(node, 0, 0, 0, 100))).toBe(ERRNO.EROFS);
    const across: (() => unknown)[] = [
      () => mount.rename(root, 'f', ROOT, 'g'),
      () => mount.rename(ROOT, 'f', root, 'g'),
      () => mount.link(node, ROOT, 'g'),
      () => mount.link(live, root, 'g'),
    ];
    for (const action of across) expect(errnoOf(action), String(action)).toBe(ERRNO.EXDEV);
    const before = mount.getattr(node);
    bridged.memory.clock.advance(1);
    expect(textOf(node)).toBe('text');
    expect(mount.getattr(node)).toEqual(before);
  });

  test('has numbers of its own, the same for hard links, and leads back up', async () => {
    const { mount } = bridged;
    const { node } = mount.create(ROOT, 'f').entry;
    mount.link(node, ROOT, 'g');
    const [one, two] = [await takeSnapshot(mount, 'one'), await takeSnapshot(mount, 'two')];
    const numbers = [ROOT, one.node, two.node].map((root) => mount.lookup(root, 'f').attr.ino);
    expect(new Set([...numbers, one.attr.ino, two.attr.ino, 1n, 2n]).size).toBe(7);
    expect(mount.lookup(one.node, 'g').attr).toMatchObject({ ino: numbers[1], nlink: 2 });
    const [self, parent, ...rest] = listAll(mount, one.node);
    expect([self!.ino, parent!.ino]).toEqual([one.attr.ino, 2n]);
    expect(rest.map(({ ino }) => ino)).toEqual([numbers[1], numbers[1]]);
    expect(listAll(mount, SNAPDIR).map(({ ino }) => ino)).toEqual([2n, 1n, one.attr.ino, two.attr.ino, 3n]);
  });

  test('tells its name and time, unlisted, and shows its own space', async () => {
    const { mount } = bridged;
    writeFile('f', 'x'.repeat(40_960));
    const { node } = await takeSnapshot(mount, 's');
    expect(mount.getxattr(node, 'user.amberfs.name').toString()).toBe('s');
    expect(mount.getxattr(node, 'user.amberfs.created').toString()).toBe('2001-09-09T01:46:40.000Z');
    expect(mount.listxattr(node)).toEqual([]);
    expect(errnoOf(() => mount.getxattr(node, 'user.amberfs.comment'))).toBe(ERRNO.ENODATA);
    expect(errnoOf(() => mount.getxattr(ROOT, 'user.amberfs.name'))).toBe(ERRNO.ENODATA);
    const space = mount.statfs(node);
    expect(space).toMatchObject({ bfree: 0, bavail: 0 });
    expect(space.blocks).toBeGreaterThanOrEqual(10);
  });

  test('mounted by itself keeps the numbers of the files, and has no .snapshots', async () => {
    const { mount, memory } = bridged;
    const live = writeFile('f', 'text');
    await takeSnapshot(mount, 's');
    bridged = await openSnapshot(memory, 's');
    const alone = bridged.mount;
    const { node, attr } = alone.lookup(ROOT, 'f');
    expect(attr.ino).toBe(mount.getattr(live).ino);
    expect(textOf(node)).toBe('text');
    expect(errnoOf(() => alone.lookup(ROOT, '.snapshots'))).toBe(ERRNO.ENOENT);
    expect(alone.getattr(ROOT).ino).toBe(1n);
    expect(errnoOf(() => alone.create(ROOT, 'g'))).toBe(ERRNO.EROFS);
    expect(errnoOf(() => alone.open(node, 2))).toBe(ERRNO.EROFS);
    expect(alone.getxattr(ROOT, 'user.amberfs.name').toString()).toBe('s');
    expect(alone.statfs().bfree).toBe(0);
  });
});

describe('latest', () => {
  test('leads to the newest snapshot, and is there only while there is one', async () => {
    const { mount, view, memory } = bridged;
    expect(errnoOf(() => mount.lookup(SNAPDIR, 'latest'))).toBe(ERRNO.ENOENT);
    await takeSnapshot(mount, 'one');
    const first = mount.lookup(SNAPDIR, 'latest');
    expect(first.attr).toMatchObject({ ino: 3n, mode: 0o120777, nlink: 1, size: 3 });
    expect(mount.readlink(first.node).toString()).toBe('one');
    await takeSnapshot(mount, 'second');
    // The kernel keeps what a link said for as long as the node: so this is another one, and the first is stale.
    const second = mount.lookup(SNAPDIR, 'latest');
    expect(second.node).not.toBe(first.node);
    expect(mount.readlink(second.node).toString()).toBe('second');
    expect(errnoOf(() => mount.readlink(first.node))).toBe(ERRNO.ESTALE);
    expect(listAll(mount, SNAPDIR, true).at(-1)).toMatchObject({ ino: 3n, entry: { node: second.node } });
    mount.rename(SNAPDIR, 'second', SNAPDIR, 'deux');
    expect(mount.readlink(mount.lookup(SNAPDIR, 'latest').node).toString()).toBe('deux');
    memory.volumes.deleteSnapshot(view.volume, view.volume.snapshot('deux'));
    expect(mount.readlink(mount.lookup(SNAPDIR, 'latest').node).toString()).toBe('one');
    expect(mount.lookup(ROOT, '.snapshots').attr.nlink).toBe(3);
    mount.rmdir(SNAPDIR, 'one');
    expect(namesIn(mount, SNAPDIR)).toEqual(['.', '..']);
  });

  test('is neither removed nor renamed, nor made', async () => {
    const { mount } = bridged;
    const { node } = mount.create(ROOT, 'f').entry;
    expect(await errnoLater(() => takeSnapshot(mount, 'latest'))).toBe(ERRNO.EINVAL);
    await takeSnapshot(mount, 's');
    const latest = mount.lookup(SNAPDIR, 'latest').node;
    const refused: (() => unknown)[] = [
      () => mount.rmdir(SNAPDIR, 'latest'),
      () => mount.unlink(SNAPDIR, 'latest'),
      () => mount.rename(SNAPDIR, 'latest', SNAPDIR, 'x'),
      () => mount.rename(SNAPDIR, 's', SNAPDIR, 'latest'),
      () => mount.link(latest, ROOT, 'x'),
      () => mount.setattr(latest, { uid: 1 }),
      () => mount.setxattr(latest, 'user.k', Buffer.from('v')),
    ];
    for (const action of refused) expect(errnoOf(action), String(action)).toBe(ERRNO.EPERM);
    expect(errnoOf(() => mount.lookup(latest, 'f'))).toBe(ERRNO.ENOTDIR);
    expect(errnoOf(() => mount.rename(ROOT, 'f', latest, 'x'))).not.toBe(0);
    expect(mount.getattr(latest).ino).toBe(3n);
    expect(mount.listxattr(latest)).toEqual([]);
    expect(mount.getattr(node).nlink).toBe(1);
  });
});

test('what was changed from outside is told to the kernel: the listing and each name', async () => {
  const { mount, handlers } = bridged;
  await handlers.invalidateSnapshots(['new', 'old']);
  const told = mount.kernel.notifications.map(({ code, body }) => {
    const from = new MessageReader(body);
    if (code === INVAL_INODE) return { code, node: from.u64(), offset: from.i64(), length: from.i64() };
    const node = from.u64();
    const length = from.u32();
    from.skip(4);
    return { code, node, name: from.take(length).toString() };
  });
  expect(told).toEqual([
    { code: INVAL_INODE, node: SNAPDIR, offset: 0n, length: 0n },
    { code: INVAL_ENTRY, node: SNAPDIR, name: 'new' },
    { code: INVAL_ENTRY, node: SNAPDIR, name: 'old' },
  ]);
  mount.kernel.notifications.length = 0;
  await handlers.invalidateSnapdir();
  expect(mount.kernel.notifications.map(({ code, body }) => [code, body.readBigUInt64LE(0)])).toEqual([
    [INVAL_INODE, ROOT],
    [INVAL_ENTRY, ROOT],
  ]);
  mount.unmount();
  await handlers.invalidateSnapshots(['late']);
  expect(mount.kernel.notifications).toHaveLength(2);
});
