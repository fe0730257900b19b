// Goal: each message of a batch is one write, in order, and what the kernel says of them becomes one outcome.

import { expect, test } from 'vitest';
import { writeBatch, type Write } from '../../../src/fuse/device/write-batch.ts';

/** Messages of these lengths, each full of its index behind the length. */
function batchOf(lengths: readonly number[]): Uint8Array<ArrayBuffer> {
  const messages = lengths.map((length, index) => {
    const message = Buffer.alloc(length, index);
    message.writeUInt32LE(length, 0);
    return message;
  });
  return Uint8Array.from(Buffer.concat(messages));
}

const running = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));

function refusal(errno: number): Error {
  return Object.assign(new Error(`errno ${errno}`), { errno: -errno });
}

/** A kernel that gives these errnos in turn, and what it was given. */
function kernel(errnos: readonly number[]): { write: Write; written: number[][] } {
  const written: number[][] = [];
  const write: Write = (fd, bytes, offset, lengthBytes) => {
    expect(fd).toBe(7);
    const errno = errnos[written.length] ?? 0;
    written.push([lengthBytes, bytes[offset + 4]!]);
    if (errno !== 0) throw refusal(errno);
    return lengthBytes;
  };
  return { write, written };
}

test.each([
  { errnos: [], outcome: 0 },
  { errnos: [2, 2, 2], outcome: 0 },
  { errnos: [0, 39, 19], outcome: 39 },
  { errnos: [2, 0, 12], outcome: 12 },
])('errnos $errnos: all are tried, and the outcome is $outcome', ({ errnos, outcome }) => {
  const { write, written } = kernel(errnos);
  expect(writeBatch({ fd: 7, messages: batchOf([40, 16, 57]), stop: running() }, write)).toBe(outcome);
  expect(written).toEqual([
    [40, 0],
    [16, 1],
    [57, 2],
  ]);
});

test('no message is begun once it is stopped', () => {
  const stop = running();
  const { write, written } = kernel([]);
  const stopping: Write = (...args) => {
    write(...args);
    if (written.length === 2) Atomics.store(stop, 0, 1);
  };
  expect(writeBatch({ fd: 7, messages: batchOf([40, 40, 40]), stop }, stopping)).toBe(9);
  expect(written).toHaveLength(2);
});

test('a batch that is not whole messages is a mistake, and so is what does not come from the kernel', () => {
  const { write } = kernel([]);
  const messages = batchOf([40, 40]);
  expect(() => writeBatch({ fd: 7, messages: messages.slice(0, 70), stop: running() }, write)).toThrow(
    /whole messages/,
  );
  expect(() => writeBatch({ fd: 7, messages: new Uint8Array(8), stop: running() }, write)).toThrow(/whole messages/);
  const odd: Write = () => {
    throw new RangeError('odd');
  };
  expect(() => writeBatch({ fd: 7, messages, stop: running() }, odd)).toThrow(RangeError);
});
