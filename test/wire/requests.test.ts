// Goal: every request of the kernel is understood field by field. Method: byte fixtures in the kernel's layout, one per operation.

import { expect, test } from 'vitest';
import { FUSE_IN_HEADER } from '../../src/fuse/wire/layout.ts';
import { decodeBatchForget, decodeForget } from '../../src/fuse/wire/decode-session.ts';
import { OPCODE } from '../../src/fuse/wire/opcodes.ts';
import { RequestBuffer } from '../../src/fuse/wire/request-buffer.ts';
import { RequestHeader } from '../../src/fuse/wire/request-header.ts';
import { ALL_REQUESTS } from './fixtures/all-requests.ts';

function accepted(bytes: Buffer): RequestBuffer {
  const request = new RequestBuffer(8192);
  // Rubbish behind the request must not be seen.
  request.bytes.fill(0xee);
  bytes.copy(request.bytes);
  request.accept(bytes.length);
  return request;
}

/** Names and values as arrays or as text, whichever the fixture has. */
function comparable(body: object, expected: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const seen: Record<string, unknown> = {};
  for (const [field, want] of Object.entries(expected)) {
    const value = (body as Record<string, unknown>)[field];
    if (!(value instanceof Uint8Array)) seen[field] = value;
    else seen[field] = typeof want === 'string' ? Buffer.from(value).toString('latin1') : [...value];
  }
  return seen;
}

test.each(ALL_REQUESTS)('$name: header', ({ bytes, opcode }) => {
  const header = new RequestHeader();
  header.decode(accepted(bytes));
  expect(header).toEqual({
    opcode: OPCODE[opcode],
    uniqueHi: 0x21222324,
    uniqueLo: 0xb1b2b3b4,
    nodeHi: 0x11223344,
    nodeLo: 0x55667788,
    uid: 1000,
    gid: 1001,
    pid: 1234,
  });
});

test.each(ALL_REQUESTS.filter((fixture) => fixture.decode !== undefined))('$name: body', (fixture) => {
  const request = accepted(fixture.bytes);
  const body = fixture.decode!(request);
  expect(comparable(body, fixture.expected!)).toEqual(fixture.expected);
  // A field that no fixture looks at is a field that may be wrong. WRITE and IOCTL carry the buffer itself.
  const fields = Object.keys(body).filter((field) => field !== 'bytes');
  expect(fields.sort()).toEqual(Object.keys(fixture.expected!).sort());
});

test('WRITE: the data are where the body says', () => {
  const fixture = ALL_REQUESTS.find(({ name }) => name === 'WRITE')!;
  const request = accepted(fixture.bytes);
  const body = fixture.decode!(request) as { bytes: Buffer; start: number; size: number };
  expect(body.bytes.subarray(body.start, body.start + body.size).toString('hex')).toBe('dead00beef');
});

test('FORGET and BATCH_FORGET', () => {
  const told: number[][] = [];
  const forget = (...args: number[]): void => {
    told.push(args);
  };
  const header = new RequestHeader();
  const one = accepted(ALL_REQUESTS.find(({ name }) => name === 'FORGET')!.bytes);
  header.decode(one);
  decodeForget(header, one, forget);
  decodeBatchForget(accepted(ALL_REQUESTS.find(({ name }) => name === 'BATCH_FORGET')!.bytes), forget);
  expect(told).toEqual([
    [0x11223344, 0x55667788, 3],
    [0xc1c2c3c4, 0xd1d2d3d4, 1],
    [0xe1e2e3e4, 0xf1f2f3f4, 0x1_0000_0002],
  ]);
});

test('every opcode has a fixture, or is one that is refused unread', () => {
  const covered = new Set(ALL_REQUESTS.map(({ opcode }) => opcode as string));
  const missing = Object.keys(OPCODE).filter((name) => !covered.has(name));
  expect(missing.sort()).toEqual([
    'FUSE_BMAP',
    'FUSE_GETLK',
    'FUSE_NOTIFY_REPLY',
    'FUSE_POLL',
    'FUSE_REMOVEMAPPING',
    'FUSE_SETLK',
    'FUSE_SETLKW',
    'FUSE_SETUPMAPPING',
  ]);
});

/** A copy of a fixture with the 64-bit field at `at` of the body replaced. */
function withU64(name: string, at: number, value: bigint): RequestBuffer {
  const bytes = Buffer.from(ALL_REQUESTS.find((fixture) => fixture.name === name)!.bytes);
  bytes.writeBigUInt64LE(value, FUSE_IN_HEADER.SIZE + at);
  return accepted(bytes);
}

const decoderOf = (name: string) => ALL_REQUESTS.find((fixture) => fixture.name === name)!.decode!;

test.each([
  ['READ', 8, 'EINVAL'],
  ['WRITE', 8, 'EFBIG'],
  ['SETATTR', 16, 'EFBIG'],
  ['FALLOCATE', 8, 'EFBIG'],
  ['FALLOCATE', 16, 'EFBIG'],
  ['LSEEK', 8, 'ENXIO'],
  ['COPY_FILE_RANGE', 8, 'EOVERFLOW'],
  ['COPY_FILE_RANGE', 32, 'EFBIG'],
])('%s: a number at %d of 2^53 or more is %s, the largest below is exact', (name, at, code) => {
  const decode = decoderOf(name);
  for (const value of [1n << 53n, (1n << 64n) - 1n]) {
    expect(() => decode(withU64(name, at, value))).toThrow(expect.objectContaining({ code }));
  }
  const body = decode(withU64(name, at, (1n << 53n) - 1n));
  expect(Object.values(body)).toContain(Number.MAX_SAFE_INTEGER);
});

test('SETATTR: times are signed and refused beyond +-2^53', () => {
  const decode = decoderOf('SETATTR');
  expect(decode(withU64('SETATTR', 32, BigInt.asUintN(64, -(1n << 53n))))).toMatchObject({ atimeSec: -(2 ** 53) });
  expect(() => decode(withU64('SETATTR', 32, BigInt.asUintN(64, -(1n << 54n))))).toThrow(
    expect.objectContaining({ code: 'EOVERFLOW' }),
  );
  expect(() => decode(withU64('SETATTR', 40, 1n << 53n))).toThrow(expect.objectContaining({ code: 'EOVERFLOW' }));
});

test('GETATTR: without its flag the handle is not looked at', () => {
  const bytes = Buffer.from(ALL_REQUESTS.find(({ name }) => name === 'GETATTR')!.bytes);
  bytes.fill(0xff, FUSE_IN_HEADER.SIZE + 8);
  bytes.writeUInt32LE(0, FUSE_IN_HEADER.SIZE);
  expect(decoderOf('GETATTR')(accepted(bytes))).toMatchObject({ fh: 0 });
});
