// Goal: INIT agrees on what both sides know, and refuses what can't work with words that help.

import { expect, test } from 'vitest';
import type { InitOptions } from '../../../src/fuse/index.ts';
import {
  FLAGS2_HAS_EXPIRE_ONLY,
  FLAGS2_PASSTHROUGH,
  FUSE_DONT_MASK,
  FUSE_DO_READDIRPLUS,
  FUSE_EXPORT_SUPPORT,
  FUSE_FLOCK_LOCKS,
  FUSE_HANDLE_KILLPRIV_V2,
  FUSE_INIT_EXT,
  FUSE_MAX_PAGES,
  FUSE_POSIX_ACL,
  FUSE_POSIX_LOCKS,
  FUSE_READDIRPLUS_AUTO,
  FUSE_SETXATTR_EXT,
  FUSE_WRITEBACK_CACHE,
} from '../../../src/fuse/wire/constants.ts';
import { InitIn } from '../../../src/fuse/wire/decode-session.ts';
import { negotiate, transferBytes } from '../../../src/fuse/session/init.ts';
import { FakeMount, LINUX_6_18, type KernelOffer } from '../../support/fake-mount.ts';

function agreed(offer: Partial<KernelOffer> = {}, options: InitOptions = {}) {
  const result = negotiate(Object.assign(new InitIn(), LINUX_6_18, offer), options);
  if (result.kind !== 'agreed') throw new Error(`not agreed: ${result.kind}`);
  return result;
}

test('with Linux 6.18: 1 MiB transfers, and no lock, export or writeback flags', () => {
  const { out, limits } = agreed();
  expect(out).toMatchObject({ minor: 45, maxWriteBytes: 1 << 20, maxPages: 256, timeGran: 1, maxBackground: 64 });
  expect(out.congestionThreshold).toBe(48);
  expect(limits).toMatchObject({ minor: 45, maxWriteBytes: 1 << 20, maxPayloadBytes: 1 << 20 });
  const wanted = FUSE_MAX_PAGES | FUSE_POSIX_ACL | FUSE_DONT_MASK | FUSE_HANDLE_KILLPRIV_V2 | FUSE_SETXATTR_EXT;
  expect(out.flags & wanted).toBe(wanted);
  expect(out.flags & (FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS | FUSE_EXPORT_SUPPORT | FUSE_WRITEBACK_CACHE)).toBe(0);
  expect(out.flags2).toBe(FLAGS2_HAS_EXPIRE_ONLY);
});

test('nothing is answered that was not offered', () => {
  const { out } = agreed({
    flags: FUSE_MAX_PAGES | FUSE_POSIX_ACL,
    flags2: FLAGS2_HAS_EXPIRE_ONLY | FLAGS2_PASSTHROUGH,
  });
  expect(out.flags).toBe(FUSE_MAX_PAGES | FUSE_POSIX_ACL);
  // Without FUSE_INIT_EXT there is no flags2, whatever stands there.
  expect(out.flags2).toBe(0);
  expect(agreed({ flags: FUSE_MAX_PAGES | FUSE_INIT_EXT }).out.flags2).toBe(FLAGS2_HAS_EXPIRE_ONLY);
});

test('a kernel that is newer by a minor version is answered with ours', () => {
  expect(agreed({ minor: 60 }).out.minor).toBe(45);
});

test('an older kernel is answered with its own, down to 7.31', () => {
  expect(agreed({ minor: 31, flags: 0x03ff_fffb }).out.minor).toBe(31);
});

test.each([{ minor: 30 }, { major: 6 }])('%o is refused, and says what is needed', (offer) => {
  const result = negotiate(Object.assign(new InitIn(), LINUX_6_18, offer), {});
  expect(result).toMatchObject({ kind: 'refused', why: expect.stringMatching(/at least 7\.31 is needed/) as string });
});

test('a kernel of another major version is told ours', () => {
  expect(negotiate(Object.assign(new InitIn(), LINUX_6_18, { major: 8 }), {}).kind).toBe('again');
});

test('a session over a kernel that is too old fails with a reason, not with a hang', async () => {
  await expect(FakeMount.open({}, { offer: { minor: 30 } })).rejects.toMatchObject({ errno: 71 });
});

test('a handler whose init fails ends the mount before it begins', async () => {
  const init = (): never => {
    throw new Error('no store');
  };
  await expect(FakeMount.open({ init })).rejects.toMatchObject({ errno: 5 });
});

test('options', () => {
  expect(agreed({}, { writebackCache: true }).out.flags & FUSE_WRITEBACK_CACHE).not.toBe(0);
  expect(agreed({}, { posixAcl: false }).out.flags & (FUSE_POSIX_ACL | FUSE_DONT_MASK)).toBe(0);
  expect(agreed({}, { readdirplus: 'never' }).out.flags & (FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO)).toBe(0);
  expect(agreed({}, { readdirplus: 'always' }).out.flags & FUSE_READDIRPLUS_AUTO).toBe(0);
  expect(agreed({}, { maxBackground: 7 }).out).toMatchObject({ maxBackground: 7, congestionThreshold: 5 });
  expect(agreed({}, { maxReadaheadBytes: 1 << 22 }).out.maxReadaheadBytes).toBe(1 << 22);
});

test.each([
  [undefined, 1 << 20],
  [0, 4096],
  [5000, 4096],
  [1 << 16, 1 << 16],
  [1 << 30, 1 << 20],
])('a transfer size of %s gives %d', (wanted, given) => {
  const options = wanted === undefined ? {} : { maxTransferBytes: wanted };
  expect(transferBytes(options)).toBe(given);
  expect(agreed({}, options).out).toMatchObject({ maxWriteBytes: given, maxPages: given / 4096 });
});
