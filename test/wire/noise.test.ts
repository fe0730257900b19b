// Goal: no message, however wrong, throws out of a session, hangs it, or reaches a handler twice. Method: random messages, most of them with
// a plausible header, to a session whose handlers all answer; each must be answered exactly once if it can be.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ProtocolSession,
  type Channel,
  type FuseHandlers,
  type Reply,
  type RequestSink,
} from '../../src/fuse/index.ts';
import { noLog } from '../../src/util/index.ts';
import { ALL_REQUESTS } from './fixtures/all-requests.ts';

const NAMES = (
  'lookup getattr statx setattr access readlink symlink link mknod mkdir unlink rmdir rename open create tmpfile read write flush ' +
  'release fsync fallocate lseek copyFileRange ioctl opendir readdir readdirplus releasedir fsyncdir setxattr getxattr listxattr ' +
  'removexattr statfs syncfs'
).split(' ');

/** Touches everything that a body holds, then answers. */
function answering(): FuseHandlers {
  const handlers: Record<string, unknown> = { forget: () => undefined };
  for (const name of NAMES) {
    handlers[name] = (...args: unknown[]) => {
      for (const value of Object.values(args[1] as object)) if (value instanceof Uint8Array) value.at(-1);
      (args.at(-1) as Reply).error(61);
    };
  }
  return handlers;
}

class Wire implements Channel {
  sink: RequestSink | undefined;
  answers: Buffer[] = [];
  start(sink: RequestSink): void {
    this.sink = sink;
  }
  pause(): void {
    throw new Error('not used');
  }
  resume(): void {
    throw new Error('not used');
  }
  send(bytes: Buffer, lengthBytes: number): number {
    this.answers.push(Buffer.from(bytes.subarray(0, lengthBytes)));
    return 0;
  }
  sendLater(): Promise<number> {
    return Promise.resolve(0);
  }
  close(): void {
    this.sink?.ended(undefined);
  }
  receive(message: Uint8Array): void {
    this.sink!.request.bytes.set(message);
    this.sink!.received(message.length);
  }
}

const INIT = ALL_REQUESTS.find(({ name }) => name === 'INIT of 7.45')!.bytes;
const NEVER_ANSWERED = [2, 36, 42];

function connected(): Wire {
  const wire = new Wire();
  new ProtocolSession(wire, answering(), { maxTransferBytes: 4096 }, noLog);
  wire.receive(INIT);
  wire.answers = [];
  return wire;
}

function expectOneAnswer(wire: Wire, message: Uint8Array): void {
  const bytes = Buffer.from(message);
  wire.answers = [];
  wire.receive(bytes);
  if (bytes.length < 40 || NEVER_ANSWERED.includes(bytes.readUInt32LE(4))) {
    expect(wire.answers).toEqual([]);
    return;
  }
  expect(wire.answers).toHaveLength(1);
  const [answer] = wire.answers;
  expect(answer!.readUInt32LE(0)).toBe(answer!.length);
  expect(answer!.readBigUInt64LE(8)).toBe(bytes.readBigUInt64LE(8));
  expect(answer!.readInt32LE(4)).toBeLessThanOrEqual(0);
  expect(answer!.readInt32LE(4)).toBeGreaterThan(-512);
}

test('noise with a plausible header', () => {
  const wire = connected();
  const message = fc
    .record({
      opcode: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.nat()),
      extensions: fc.oneof(fc.constant(0), fc.nat(12)),
      rest: fc.uint8Array({ maxLength: 400 }),
      lie: fc.oneof(
        { arbitrary: fc.constant(0), weight: 9 },
        { arbitrary: fc.integer({ min: -50, max: 50 }), weight: 1 },
      ),
    })
    .map(({ opcode, extensions, rest, lie }) => {
      const bytes = Buffer.alloc(40 + rest.length);
      bytes.set(rest, 40);
      bytes.writeUInt32LE(Math.max(bytes.length + lie, 0), 0);
      bytes.writeUInt32LE(opcode, 4);
      bytes.writeBigUInt64LE(0x1234_5678_9abcn, 8);
      bytes.writeUInt16LE(extensions, 36);
      return bytes;
    });
  fc.assert(fc.property(message, (bytes) => expectOneAnswer(wire, bytes)));
});

test('requests of the kernel with some bytes changed', () => {
  const wire = connected();
  const change = fc.record({ at: fc.nat(200), value: fc.integer({ min: 0, max: 255 }) });
  const mutated = fc
    .record({ fixture: fc.constantFrom(...ALL_REQUESTS), changes: fc.array(change, { maxLength: 6 }) })
    .map(({ fixture, changes }) => {
      const bytes = Buffer.from(fixture.bytes);
      for (const { at, value } of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  fc.assert(fc.property(mutated, (bytes) => expectOneAnswer(wire, bytes)));
});

test('noise alone', () => {
  const wire = connected();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectOneAnswer(wire, bytes)));
});
