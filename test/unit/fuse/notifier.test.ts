// Goal: notifications leave one at a time and in order, never pile up without a limit, and say what became of them.

import { expect, test } from 'vitest';
import { noLog } from '../../../src/util/index.ts';
import { SessionNotifier } from '../../../src/fuse/session/notifier.ts';
import type { Channel } from '../../../src/fuse/index.ts';
import { FakeMount } from '../../support/fake-mount.ts';

test.each([
  [0, 'done'],
  [2, 'unknown'],
  [22, 'unsupported'],
  [38, 'unsupported'],
  [19, 'closed'],
  [39, 'refused'],
])('errno %d is `%s`', async (errno, result) => {
  const mount = await FakeMount.open({});
  mount.kernel.onNotification = () => errno;
  expect(await mount.session.notify.invalInode(0, 5, 0, 0)).toBe(result);
});

test('each kind arrives with its code, in order', async () => {
  const mount = await FakeMount.open({});
  const { notify } = mount.session;
  const name = Buffer.from('n');
  const sent = [
    notify.invalInode(0, 1, 0, 0),
    notify.invalEntry(0, 1, name),
    notify.expireEntry(0, 1, name),
    notify.deleted(0, 1, 0, 2, name),
    notify.incEpoch(),
  ];
  // The names are the caller's again at once.
  name.fill(0);
  expect(notify.pending).toBe(5);
  expect(await Promise.all(sent)).toEqual(Array(5).fill('done'));
  expect(notify.pending).toBe(0);
  const seen = mount.kernel.notifications;
  expect(seen.map(({ code }) => code)).toEqual([2, 3, 3, 6, 8]);
  // FUSE_EXPIRE_ONLY
  expect([seen[1]!.body.readUInt32LE(12), seen[2]!.body.readUInt32LE(12)]).toEqual([0, 1]);
  expect(seen[1]!.body.toString('latin1', 16)).toBe('n\0');
});

test('a kernel before 7.44 is not asked for an epoch, one before 7.38 not for an expiry', async () => {
  const mount = await FakeMount.open({}, { offer: { minor: 31, flags: 0x03ff_fffb } });
  expect(await mount.session.notify.incEpoch()).toBe('unsupported');
  expect(await mount.session.notify.expireEntry(0, 1, Buffer.from('n'))).toBe('done');
  expect(mount.kernel.notifications.map(({ body }) => body.readUInt32LE(12))).toEqual([0]);
});

test('after the end everything is `closed`', async () => {
  const mount = await FakeMount.open({});
  mount.unmount();
  expect(await mount.session.notify.invalInode(0, 1, 0, 0)).toBe('closed');
});

test('only one is under way at a time, and no more than the limit wait', async () => {
  const waiting: ((errno: number) => void)[] = [];
  const channel = { sendLater: () => new Promise((resolve) => waiting.push(resolve)) } as unknown as Channel;
  const notifier = new SessionNotifier(channel, noLog);
  expect(await notifier.incEpoch()).toBe('unsupported');
  notifier.open({ minor: 45, flags: 0, flags2: 0, maxWriteBytes: 0, maxPayloadBytes: 0 });
  const sent = Array.from({ length: 65_536 }, () => notifier.incEpoch());
  expect(await notifier.incEpoch()).toBe('dropped');
  expect(waiting).toHaveLength(1);
  waiting[0]!(0);
  expect(await sent[0]).toBe('done');
  await Promise.resolve();
  expect(waiting).toHaveLength(2);
  notifier.close();
  waiting[1]!(0);
  expect(await sent[1]).toBe('done');
  expect(await sent[65_535]).toBe('closed');
  expect(waiting).toHaveLength(2);
});
