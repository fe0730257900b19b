// Goal: who asks for more than can be answered waits in the kernel: memory stays bounded, every answer comes, none is lost or doubled.
// Method: a session over the fake kernel, with handlers that owe their answers for as long as the test wants.

import { expect, test } from 'vitest';
import { FsError } from '../../../src/errors/index.ts';
import type { DeferredReply, FuseHandlers } from '../../../src/fuse/index.ts';
import { FakeMount } from '../../support/fake-mount.ts';
import { MessageWriter } from '../../support/fuse-message.ts';

const MIB = 1024 * 1024;
/** What owed answers may hold (OWED_BYTES_MAX), in large reads: each has a buffer of 1 MiB. */
const LARGE_READS = 64;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function owing(): { handlers: FuseHandlers; owed: DeferredReply[] } {
  const owed: DeferredReply[] = [];
  const handlers: FuseHandlers = {
    read: (_request, { size, offset }, reply) => {
      const later = reply.defer();
      later.payload(size).fill(offset / MIB, 0, 16);
      owed.push(later);
    },
    fsync: (_request, _body, reply) => void owed.push(reply.defer()),
  };
  return { handlers, owed };
}

test('with too many large reads under way no more are taken in; each gets its answer in the end', async () => {
  const { handlers, owed } = owing();
  const mount = await FakeMount.open(handlers);
  const count = 300;
  const reads = Array.from({ length: count }, (_, i) => mount.readLater(2n, 0, (i % 200) * MIB, 65_536));
  expect([mount.session.deferredCount, mount.kernel.paused]).toEqual([LARGE_READS, true]);
  let most = 0;
  for (let answered = 0; answered < count;) {
    most = Math.max(most, mount.session.deferredCount);
    for (const later of owed.splice(0)) {
      later.data(65_536);
      answered++;
    }
  }
  expect(most).toBeLessThanOrEqual(LARGE_READS);
  const all = await Promise.all(reads);
  for (const [i, bytes] of all.entries()) expect([bytes.length, bytes[0]]).toEqual([65_536, i % 200]);
  expect([mount.session.deferredCount, mount.kernel.paused]).toEqual([0, false]);
});

test('thousands of small ones are taken in at once: they hold next to nothing', async () => {
  const { handlers, owed } = owing();
  const mount = await FakeMount.open(handlers);
  const waiting = Array.from({ length: 5000 }, (_, i) =>
    i % 2 === 0 ? mount.readLater(2n, 0, 0, 4096) : mount.fsync(2n, 0),
  );
  expect([mount.session.deferredCount, mount.kernel.paused]).toEqual([5000, false]);
  for (const [i, later] of owed.entries()) {
    if (i % 2 === 0) later.data(4096);
    else later.ok();
  }
  await Promise.all(waiting);
});

test('memory to work in counts too, and somebody else who paused is not overruled', async () => {
  const owed: DeferredReply[] = [];
  const mount = await FakeMount.open({
    fsync: (_request, _body, reply) => {
      const later = reply.defer();
      later.scratch(50 * MIB);
      owed.push(later);
    },
  });
  const first = mount.fsync(2n, 0);
  expect(mount.kernel.paused).toBe(false);
  const second = mount.fsync(2n, 0);
  expect(mount.kernel.paused).toBe(true);
  mount.kernel.pause();
  for (const later of owed) later.ok();
  await Promise.all([first, second]);
  expect(mount.kernel.paused).toBe(true);
  mount.kernel.resume();
  expect(mount.kernel.paused).toBe(false);
});

test('an answer to what was interrupted leaves nothing held', async () => {
  const { handlers, owed } = owing();
  const mount = await FakeMount.open(handlers);
  for (let round = 0; round < 3 * LARGE_READS; round++) {
    const read = mount.readLater(2n, 0, 0, MIB);
    owed.pop()!.error(4);
    await expect(read).rejects.toMatchObject({ errno: 4 });
  }
  expect(mount.kernel.paused).toBe(false);
});

const FULL = new FsError('ENOSPC', 'test-full', 'no room');

test('a request that failed is handled once more, as it came, when what it waits for has happened', async () => {
  let goOn: () => void = () => undefined;
  const wait = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let room = false;
  const written: string[] = [];
  const mount = await FakeMount.open({
    write: (_request, { bytes, start, size }, reply) => {
      if (!room) throw FULL;
      written.push(Buffer.from(bytes.subarray(start, start + size)).toString());
      reply.written(size);
    },
    getattr: (_request, _body, reply) => reply.error(2),
    retryAfter: (error) => (error === FULL ? wait : undefined),
  });
  const body = (text: string): Buffer =>
    new MessageWriter().u64(0).u64(0).u32(text.length).u32(0).u64(0).u32(0).u32(0).raw(Buffer.from(text)).bytes();
  const writes = ['first', 'and the second'].map((text) => mount.kernel.request('FUSE_WRITE', 2n, body(text)));
  // Others are served meanwhile, through the same buffer.
  const other = await mount.kernel.request('FUSE_GETATTR', 3n, Buffer.alloc(16));
  expect([other.error, mount.session.deferredCount, mount.kernel.unanswered]).toEqual([2, 2, 2]);
  room = true;
  goOn();
  const sizes = (await Promise.all(writes)).map(({ error, body: out }) => [error, out.readUInt32LE(0)]);
  expect(sizes).toEqual([
    [0, 5],
    [0, 14],
  ]);
  expect(written).toEqual(['first', 'and the second']);
  expect(mount.session.deferredCount).toBe(0);
});

test('and once only: then its error is the answer', async () => {
  let tries = 0;
  const mount = await FakeMount.open({
    unlink: () => {
      tries++;
      throw FULL;
    },
    retryAfter: turn,
  });
  const { error } = await mount.kernel.request('FUSE_UNLINK', 1n, new MessageWriter().name('x').bytes());
  expect([error, tries]).toEqual([28, 2]);
  mount.unmount();
});

test('a mount that goes away meanwhile harms nobody', async () => {
  const mount = await FakeMount.open({
    unlink: () => {
      throw FULL;
    },
    retryAfter: turn,
  });
  const pending = mount.kernel.request('FUSE_UNLINK', 1n, new MessageWriter().name('x').bytes());
  mount.unmount();
  await expect(pending).rejects.toThrow('unmounted');
  await turn();
  await turn();
  expect(mount.session.deferredCount).toBe(0);
});

test('a read of more than INIT agreed on is cut to that', async () => {
  const sizes: number[] = [];
  const mount = await FakeMount.open({
    read: (_request, { size }, reply) => {
      sizes.push(size);
      reply.data(size);
    },
  });
  const message = new MessageWriter().u64(0).u64(0).u32(0xffff_ffff).u32(0).u64(0).u32(0).u32(0).bytes();
  const { error, body } = await mount.kernel.request('FUSE_READ', 2n, message, 2 * MIB);
  expect([error, body.length, sizes]).toEqual([0, MIB, [MIB]]);
});
