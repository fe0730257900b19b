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

/** Nodeids from 2^32 + `first` on, as `invalInodes` takes them. */
function nodesFrom(first: number, count: number): Uint32Array {
  return Uint32Array.from({ length: 2 * count }, (_, index) => (index % 2 === 0 ? first + index / 2 : 1));
}

/** The lower halves of the nodeids in a message or several. */
function nodesIn(messages: Buffer): number[] {
  expect(messages.length % 40).toBe(0);
  return Array.from({ length: messages.length / 40 }, (_, index) => {
    const message = messages.subarray(40 * index, 40 * (index + 1));
    expect([message.readUInt32LE(0), message.readInt32LE(4), message.readBigUInt64LE(8)]).toEqual([40, 2, 0n]);
    expect([message.readUInt32LE(20), message.readBigInt64LE(24), message.readBigInt64LE(32)]).toEqual([1, 0n, 0n]);
    return message.readUInt32LE(16);
  });
}

/** A notifier over a channel that takes groups, and what was sent: one list for each message or group. */
function openGrouping(groupOutcome: (group: number) => number): { notifier: SessionNotifier; sent: number[][] } {
  const sent: number[][] = [];
  let groups = 0;
  const channel = {
    sendLater: async (message: Buffer) => {
      sent.push(message.readInt32LE(4) === 2 ? nodesIn(message) : []);
      return 0;
    },
    sendManyLater: async (messages: Buffer<ArrayBuffer>) => {
      // The channel may give them away as they are.
      expect(messages.buffer.byteLength).toBe(messages.length);
      sent.push(nodesIn(messages));
      return groupOutcome(groups++);
    },
  } as unknown as Channel;
  const notifier = new SessionNotifier(channel, noLog);
  notifier.open({ minor: 45, flags: 0, flags2: 0, maxWriteBytes: 0, maxPayloadBytes: 0 });
  return { notifier, sent };
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index);

test('few nodes are told one by one, many in groups, in order, and others have their turn in between', async () => {
  const { notifier, sent } = openGrouping(() => 0);
  expect(await notifier.invalInodes(new Uint32Array(0))).toBe('done');
  expect(await notifier.invalInodes(nodesFrom(5, 2047))).toBe('done');
  expect(sent).toEqual(range(5, 2047).map((node) => [node]));
  sent.length = 0;
  const many = notifier.invalInodes(nodesFrom(0xffff_0000, 10_000));
  expect(notifier.pending).toBe(4096);
  const other = notifier.incEpoch();
  expect(notifier.pending).toBe(4097);
  expect(await Promise.all([many, other])).toEqual(['done', 'done']);
  expect(notifier.pending).toBe(0);
  const [first, ...rest] = [range(0xffff_0000, 4096), range(0xffff_1000, 4096), range(0xffff_2000, 1808)];
  expect(sent).toEqual([first, [], ...rest]);
});

test('a channel that takes no groups gets each node by itself', async () => {
  const mount = await FakeMount.open({});
  mount.kernel.onNotification = ({ body }) => (body.readUInt32LE(0) === 7 ? 2 : 0);
  expect(await mount.session.notify.invalInodes(nodesFrom(0, 3000))).toBe('done');
  expect(mount.kernel.notifications.map(({ body }) => body.readUInt32LE(0))).toEqual(range(0, 3000));
});

test('the first group that fails says what became of all; a closed session ends it', async () => {
  const refusing = openGrouping((group) => [0, 12, 22][group]!);
  expect(await refusing.notifier.invalInodes(nodesFrom(0, 10_000))).toBe('refused');
  expect(refusing.sent).toHaveLength(3);
  const closing = openGrouping((group) => [0, 9][group]!);
  expect(await closing.notifier.invalInodes(nodesFrom(0, 10_000))).toBe('closed');
  expect(closing.sent).toHaveLength(2);
});

test('a group that could not be sent as such leaves one by one, before what comes after it', async () => {
  const { notifier, sent } = openGrouping(() => {
    throw new Error('no thread');
  });
  const many = notifier.invalInodes(nodesFrom(0, 2048));
  const other = notifier.incEpoch();
  expect(await Promise.all([many, other])).toEqual(['done', 'done']);
  expect(sent).toEqual([range(0, 2048), ...range(0, 2048).map((node) => [node]), []]);
});
