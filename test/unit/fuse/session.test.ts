// Goal: each request is answered once, whatever a handler does, and the session lives on. Method: a session over the fake kernel, which
// refuses what the real one would refuse.

import { afterEach, describe, expect, test } from 'vitest';
import { FsError } from '../../../src/errors/index.ts';
import { AssertionError, type Log } from '../../../src/util/index.ts';
import { Attr, EntryOut, OPCODE, type DeferredReply, type FuseHandlers, type Reply } from '../../../src/fuse/index.ts';
import { FakeMount } from '../../support/fake-mount.ts';
import { MessageWriter } from '../../support/fuse-message.ts';

let logged: string[] = [];
const log: Log = {
  info: (message) => logged.push(`info: ${message}`),
  warn: (message) => logged.push(`warn: ${message}`),
  error: (message) => logged.push(`error: ${message}`),
};
afterEach(() => {
  logged = [];
});

const open = (handlers: FuseHandlers): Promise<FakeMount> => FakeMount.open(handlers, { log });
const entryFor = (nodeLo: number): EntryOut => Object.assign(new EntryOut(), { nodeLo });

test('a request reaches its handler with header and body, and the answer comes back', async () => {
  const seen: unknown[] = [];
  const mount = await open({
    lookup(request, body, reply) {
      seen.push({ ...request }, Buffer.from(body.name).toString('latin1'));
      reply.entry(entryFor(77));
    },
  });
  mount.kernel.credentials = { uid: 5, gid: 6, pid: 7 };
  expect(mount.lookup(0x1_0000_0002n, Buffer.from([0xff, 0x2f]))).toMatchObject({ node: 77n });
  expect(seen).toEqual([
    { opcode: OPCODE.FUSE_LOOKUP, uniqueHi: 0, uniqueLo: 4, nodeHi: 1, nodeLo: 2, uid: 5, gid: 6, pid: 7 },
    '\xff/',
  ]);
});

test('handlers are called with themselves as `this`', async () => {
  class Filesystem implements FuseHandlers {
    readonly target = Buffer.from('where');
    readlink(_request: unknown, reply: Reply): void {
      reply.bytes(this.target);
    }
  }
  const mount = await open(new Filesystem());
  expect(mount.readlink(9n).toString()).toBe('where');
});

describe('a handler that fails', () => {
  test('FsError is its errno, without a line in the log', async () => {
    const mount = await open({
      unlink: () => {
        throw new FsError('ENOTEMPTY', 'test-full', 'not empty');
      },
    });
    expect(() => mount.unlink(1n, 'a')).toThrow(expect.objectContaining({ errno: 39 }));
    expect(logged).toEqual([]);
  });

  test('anything else is EIO and a line with the operation, and the session goes on', async () => {
    const mount = await open({
      unlink: () => {
        throw new TypeError('undefined is not a function');
      },
      rmdir: (_request, _body, reply) => reply.ok(),
    });
    expect(() => mount.unlink(1n, 'a')).toThrow(expect.objectContaining({ errno: 5 }));
    expect(logged.join()).toMatch(/FUSE_UNLINK failed: .*undefined is not a function/);
    mount.rmdir(1n, 'a');
  });

  test('after its answer: the answer stands, and the failure is logged', async () => {
    const mount = await open({
      rmdir: (_request, _body, reply) => {
        reply.ok();
        throw new Error('too late');
      },
    });
    mount.rmdir(1n, 'a');
    expect(logged.join()).toMatch(/FUSE_RMDIR failed where no answer is due: .*too late/);
  });

  test('without any answer: EIO and a line', async () => {
    const mount = await open({ rmdir: () => undefined });
    expect(() => mount.rmdir(1n, 'a')).toThrow(expect.objectContaining({ errno: 5 }));
    expect(logged.join()).toMatch(/FUSE_RMDIR neither answered nor deferred/);
  });

  test.each([0, -2, 512, 100_000])('with an errno of %d: EIO, since the kernel would wait for ever', async (errno) => {
    const mount = await open({ rmdir: (_request, _body, reply) => reply.error(errno) });
    expect(() => mount.rmdir(1n, 'a')).toThrow(expect.objectContaining({ errno: 5 }));
  });
});

describe('one answer for each request', () => {
  test('a second one throws AssertionError and is not sent', async () => {
    const thrown: unknown[] = [];
    const mount = await open({
      rmdir: (_request, _body, reply) => {
        reply.ok();
        for (const again of [
          () => reply.ok(),
          () => reply.error(5),
          () => reply.defer(),
          () => reply.bytes(new Uint8Array(1)),
        ]) {
          try {
            again();
          } catch (error) {
            thrown.push(error);
          }
        }
      },
    });
    mount.rmdir(1n, 'a');
    expect(thrown).toHaveLength(4);
    for (const error of thrown) expect(error).toBeInstanceOf(AssertionError);
  });

  test('data beyond what the kernel asked for are refused', async () => {
    const mount = await open({ read: (_request, body, reply) => reply.data(body.size + 1) });
    expect(() => mount.read(2n, 0, 0, 10)).toThrow(expect.objectContaining({ errno: 5 }));
    expect(logged.join()).toMatch(/no longer than the kernel asked for/);
  });
});

describe('deferred', () => {
  test('answers come later and in any order, each to its own request', async () => {
    const later: DeferredReply[] = [];
    const mount = await open({ read: (_request, _body, reply) => void later.push(reply.defer()) });
    const reads = [1, 2, 3].map((size) => mount.readLater(2n, 0, 0, size));
    expect(mount.session.deferredCount).toBe(3);
    for (const [i, size] of [
      [2, 3],
      [0, 1],
      [1, 2],
    ] as const) {
      later[i]!.payload(size).fill(0x30 + size, 0, size);
      later[i]!.data(size);
      expect(later[i]!.done).toBe(true);
    }
    expect((await Promise.all(reads)).map(String)).toEqual(['1', '22', '333']);
    expect(mount.session.deferredCount).toBe(0);
  });

  test('a second answer throws AssertionError', async () => {
    let later: DeferredReply | undefined;
    const mount = await open({ fsync: (_request, _body, reply) => void (later = reply.defer()) });
    const done = mount.fsync(2n, 0);
    later!.ok();
    await done;
    expect(() => later!.ok()).toThrow(AssertionError);
    expect(() => later!.payload(1)).toThrow(AssertionError);
  });

  test('payloads of answers under way are not shared, and are used again after', async () => {
    const later: DeferredReply[] = [];
    const mount = await open({ read: (_request, _body, reply) => void later.push(reply.defer()) });
    const reads = [mount.readLater(2n, 0, 0, 65_536), mount.readLater(2n, 0, 0, 65_536)];
    const [first, second] = later.map((reply) => reply.payload(65_536));
    expect(first!.buffer).not.toBe(second!.buffer);
    expect(later[0]!.payload(65_536)).toBe(first);
    first!.fill(1);
    second!.fill(2);
    later[0]!.data(65_536);
    later[1]!.data(65_536);
    const [one, two] = await Promise.all(reads);
    expect(one!.every((byte) => byte === 1) && two!.every((byte) => byte === 2)).toBe(true);
    const third = mount.readLater(2n, 0, 0, 65_536);
    expect([first!.buffer, second!.buffer]).toContain(later[2]!.payload(65_536).buffer);
    later[2]!.error(5);
    await expect(third).rejects.toMatchObject({ errno: 5 });
  });

  test('entries can be packed later', async () => {
    let later: DeferredReply | undefined;
    const mount = await open({ readdir: (_request, _body, reply) => void (later = reply.defer()) });
    const message = new MessageWriter().u64(0).u64(0).u32(4096).u32(0).u64(0).u64(0).bytes();
    const answer = mount.kernel.request('FUSE_READDIR', 1n, message, 4096);
    let count = 0;
    while (later!.dirent(0, count, count + 1, 8, Buffer.from('x'.repeat(100)))) count++;
    later!.dirents();
    expect(count).toBe(Math.floor(4096 / 128));
    expect((await answer).body.length).toBe(count * 128);
  });

  test('fail() says what was thrown', async () => {
    const later: DeferredReply[] = [];
    const mount = await open({ fsync: (_request, _body, reply) => void later.push(reply.defer()) });
    const [first, second] = [mount.fsync(2n, 0), mount.fsync(2n, 0)];
    later[0]!.fail(new FsError('ENOSPC', 'test-no-space', 'full'));
    later[1]!.fail(new Error('surprise'));
    await expect(first).rejects.toMatchObject({ errno: 28 });
    await expect(second).rejects.toMatchObject({ errno: 5 });
    expect(logged.join()).toMatch(/FUSE_FSYNC failed: .*surprise/);
  });

  test('after the mount has gone, an answer is harmless', async () => {
    let later: DeferredReply | undefined;
    const mount = await open({ fsync: (_request, _body, reply) => void (later = reply.defer()) });
    const pending = mount.fsync(2n, 0);
    mount.unmount();
    later!.ok();
    await expect(pending).rejects.toThrow('unmounted');
    expect(mount.session.statistics.late).toBe(1);
    expect(logged).toEqual([]);
  });
});

describe('INTERRUPT', () => {
  test('reaches the deferred answer of its request, once', async () => {
    let calls = 0;
    const mount = await open({
      fsync: (_request, _body, reply) => {
        const later = reply.defer();
        later.onInterrupt = () => {
          calls++;
          expect(later.interrupted).toBe(true);
          later.error(4);
        };
      },
    });
    const pending = mount.fsync(2n, 0);
    const unique = mount.kernel.lastUnique;
    mount.kernel.interrupt(unique + 2n);
    expect(calls).toBe(0);
    mount.kernel.interrupt(unique);
    mount.kernel.interrupt(unique);
    await expect(pending).rejects.toMatchObject({ errno: 4 });
    expect(calls).toBe(1);
  });

  test('a handler that can not give up goes on', async () => {
    let later: DeferredReply | undefined;
    const mount = await open({ fsync: (_request, _body, reply) => void (later = reply.defer()) });
    const pending = mount.fsync(2n, 0);
    mount.kernel.interrupt(mount.kernel.lastUnique);
    later!.ok();
    await pending;
  });
});

describe('FORGET', () => {
  test('is told and never answered, also in batches and when the handler throws', async () => {
    const told: string[] = [];
    const mount = await open({
      lookup: (_request, _body, reply) => reply.entry(entryFor(5)),
      forget: (nodeHi, nodeLo, nlookup) => {
        told.push(`${nodeHi}/${nodeLo}: ${nlookup}`);
        if (nodeLo === 9) throw new Error('no such node');
      },
    });
    mount.lookup(1n, 'a');
    mount.lookup(1n, 'b');
    mount.batchForget([5n, 0x7_0000_0008n]);
    mount.forget(9n, 1);
    expect(told).toEqual(['0/5: 2', '7/8: 0', '0/9: 1']);
    expect(logged.join()).toMatch(/FUSE_FORGET failed where no answer is due: .*no such node/);
  });
});

describe('requests that are not as they should be', () => {
  test('an opcode that nobody knows is ENOSYS', async () => {
    const mount = await open({});
    for (const opcode of [7, 54, 0, 4096, 0xffff_ffff]) {
      expect(await mount.kernel.request(opcode, 1n, Buffer.alloc(8))).toMatchObject({ error: 38 });
    }
  });

  test('a body that is cut is EIO and a line, and the session goes on', async () => {
    const mount = await open({ rmdir: (_request, _body, reply) => reply.ok() });
    expect(await mount.kernel.request('FUSE_RMDIR', 1n, Buffer.from('no end'))).toMatchObject({ error: 5 });
    expect(logged.join()).toMatch(/malformed FUSE_RMDIR: a name does not end/);
    mount.rmdir(1n, 'a');
  });

  test('a header that contradicts the length', async () => {
    const mount = await open({ rmdir: (_request, _body, reply) => reply.ok() });
    mount.kernel.sendRaw(Buffer.alloc(39));
    mount.kernel.sendRaw(Buffer.alloc(80, 0xff));
    expect(logged).toHaveLength(2);
    mount.rmdir(1n, 'a');
  });

  test('a size beyond 2^53 is an errno that fits, not a wrapped number', async () => {
    const mount = await open({ write: (_request, body, reply) => reply.written(body.size) });
    const message = new MessageWriter()
      .u64(1)
      .u64(1n << 53n)
      .u32(1)
      .u32(0)
      .u64(0)
      .u64(0)
      .raw(Buffer.alloc(1));
    expect(await mount.kernel.request('FUSE_WRITE', 2n, message.bytes())).toMatchObject({ error: 27 });
  });
});

test('the request buffer is reused: what a handler keeps without copying is gone', async () => {
  let kept: Uint8Array | undefined;
  const mount = await open({
    rmdir: (_request, body, reply) => {
      kept = body.name;
      reply.ok();
    },
  });
  mount.rmdir(1n, 'name');
  expect(Buffer.from(kept!).toString()).not.toBe('name');
});

test('the end: destroy is called once, `closed` resolves, with the reason where it was a fault', async () => {
  let destroyed = 0;
  const mount = await open({ destroy: () => destroyed++ });
  expect(await mount.kernel.request('FUSE_DESTROY', 0n, Buffer.alloc(0))).toMatchObject({ error: 0 });
  const fault = new Error('device is broken');
  mount.kernel.unmount(fault);
  expect(await mount.session.closed).toEqual({ error: fault });
  expect(destroyed).toBe(1);
});

test('statistics count requests and errors', async () => {
  const attr = new Attr();
  const mount = await open({
    getattr: (_request, _body, reply) => reply.attr(attr, 0),
    rmdir: (_request, _body, reply) => reply.error(39),
  });
  mount.getattr(1n);
  mount.getattr(1n);
  expect(() => mount.rmdir(1n, 'a')).toThrow();
  expect(mount.session.statistics.toJSON()).toEqual({
    FUSE_INIT: { requests: 1, errors: 0 },
    FUSE_GETATTR: { requests: 2, errors: 0 },
    FUSE_RMDIR: { requests: 1, errors: 1 },
  });
});
