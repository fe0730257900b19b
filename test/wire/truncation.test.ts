// Goal: a request that was cut, or lies about its lengths, is a ProtocolError and nothing else. Method: every fixture cut at every length,
// once as it is (the header contradicts the length) and once with the header's length made to agree.

import { expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors/index.ts';
import { decodeBatchForget, decodeForget } from '../../src/fuse/wire/decode-session.ts';
import { RequestBuffer } from '../../src/fuse/wire/request-buffer.ts';
import { RequestHeader } from '../../src/fuse/wire/request-header.ts';
import { ALL_REQUESTS } from './fixtures/all-requests.ts';
import type { RequestFixture } from './fixtures/fixture.ts';

const HEADER_BYTES = 40;

function decodeWhole(fixture: RequestFixture, request: RequestBuffer): void {
  const header = new RequestHeader();
  header.decode(request);
  fixture.decode?.(request);
  if (fixture.opcode === 'FUSE_FORGET') decodeForget(header, request, () => undefined);
  if (fixture.opcode === 'FUSE_BATCH_FORGET') decodeBatchForget(request, () => undefined);
}

function cut(fixture: RequestFixture, length: number, agree: boolean): () => void {
  return () => {
    const request = new RequestBuffer(8192);
    // What stood in the buffer before is text without an end, so that nothing past the cut can pass for a NUL.
    request.bytes.fill(0x78);
    fixture.bytes.copy(request.bytes, 0, 0, length);
    if (agree) request.bytes.writeUInt32LE(length, 0);
    request.accept(length);
    decodeWhole(fixture, request);
  };
}

test.each(ALL_REQUESTS)('$name, cut as it is', (fixture) => {
  for (let length = 0; length < fixture.bytes.length; length++) {
    expect(cut(fixture, length, false), `cut at ${length}`).toThrow(ProtocolError);
  }
});

/** The shortest length that still makes a whole request: what follows is padding, or belongs to newer kernels. */
const WHOLE_AT: Readonly<Record<string, number>> = {
  'INIT of 7.45': HEADER_BYTES + 16,
  // The kernel has nothing in these bytes.
  SYNCFS: HEADER_BYTES,
};

test.each(ALL_REQUESTS)('$name, cut with the header in agreement', (fixture) => {
  const whole = WHOLE_AT[fixture.name] ?? fixture.bytes.length;
  for (let length = 0; length < whole; length++) {
    if (length >= 4) expect(cut(fixture, length, true), `cut at ${length}`).toThrow(ProtocolError);
  }
  expect(cut(fixture, fixture.bytes.length, true)).not.toThrow();
});

test('extensions that do not fit into the request', () => {
  const fixture = ALL_REQUESTS.find(({ name }) => name === 'LOOKUP')!;
  const request = new RequestBuffer(8192);
  fixture.bytes.copy(request.bytes);
  request.bytes.writeUInt16LE(0xffff, 36);
  expect(() => request.accept(fixture.bytes.length)).toThrow(ProtocolError);
});

test.each([
  ['WRITE', HEADER_BYTES + 16, 'more data than there are'],
  ['SETXATTR, long form', HEADER_BYTES, 'a longer value than there is'],
  ['IOCTL', HEADER_BYTES + 24, 'more input than there is'],
  ['BATCH_FORGET', HEADER_BYTES, 'more nodes than there are'],
])('%s with a size field at %d that claims %s', (name, at) => {
  const fixture = ALL_REQUESTS.find((candidate) => candidate.name === name)!;
  for (const claim of [0xffff_ffff, 100]) {
    const request = new RequestBuffer(8192);
    fixture.bytes.copy(request.bytes);
    request.bytes.writeUInt32LE(claim, at);
    request.accept(fixture.bytes.length);
    expect(() => {
      decodeWhole(fixture, request);
    }).toThrow(ProtocolError);
  }
});

test('an empty name', () => {
  const fixture = ALL_REQUESTS.find(({ name }) => name === 'LOOKUP')!;
  const request = new RequestBuffer(8192);
  fixture.bytes.copy(request.bytes);
  request.bytes[HEADER_BYTES] = 0;
  request.accept(fixture.bytes.length);
  expect(() => fixture.decode!(request)).toThrow(ProtocolError);
});
