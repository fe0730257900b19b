// Goal: every answer and notification has the kernel's layout. Method: byte fixtures; each answer is given through the reply object that
// handlers get, twice: at once and deferred.

import { afterEach, describe, expect, test } from 'vitest';
import { noLog } from '../../src/util/index.ts';
import { Attr, EntryOut, StatfsOut, StatxOut } from '../../src/fuse/wire/attr-types.ts';
import { putInitOut } from '../../src/fuse/wire/encode-init.ts';
import { encodeDelete, encodeIncEpoch, encodeInvalEntry, encodeInvalInode } from '../../src/fuse/wire/encode-notify.ts';
import { OPCODE } from '../../src/fuse/wire/opcodes.ts';
import { RequestHeader } from '../../src/fuse/wire/request-header.ts';
import { CurrentReply } from '../../src/fuse/session/current-reply.ts';
import { DeferredReplies, type SendReply } from '../../src/fuse/session/deferred-replies.ts';
import type { Answer } from '../../src/fuse/session/handlers.ts';
import { REPLIES } from './fixtures/replies.ts';

const PAYLOAD_BYTES = 4096;

function fill(attr: Attr): void {
  Object.assign(attr, { inoHi: 0xc1c2c3c4, inoLo: 0xd1d2d3d4, size: 0x34_5678_9abc, blocks: 0x1_0000_0008 });
  Object.assign(attr, { atimeSec: -2, atimeNsec: 999_999_999, mtimeSec: 0x1_0000_0001, mtimeNsec: 1 });
  Object.assign(attr, { ctimeSec: -0x1_0000_0001, ctimeNsec: 0x12345, mode: 0o100644, nlink: 3 });
  Object.assign(attr, { uid: 0xffff_fffe, gid: 7, rdev: 0x88011, blksize: 4096, flags: 2 });
}

const attr = new Attr();
fill(attr);
const entry = new EntryOut();
fill(entry.attr);
Object.assign(entry, { nodeHi: 0xe1e2e3e4, nodeLo: 0xf1f2f3f4, generation: 0x1_0000_0005 });
Object.assign(entry, { entryTimeoutMs: 3_600_000, attrTimeoutMs: 1500 });
const statx = new StatxOut();
fill(statx.attr);
Object.assign(statx, { mask: 0xfff, btimeSec: 77, btimeNsec: 88, attributes: 0x30, attributesMask: 0x74 });
const statfs = Object.assign(new StatfsOut(), { blocks: 0x1_0000_0001, bfree: 0x22, bavail: 0x33, files: 0x44 });
Object.assign(statfs, { ffree: 0x55, bsize: 0x1000, namelen: 255, frsize: 0x200 });
const NAME = Buffer.from('name');

const ANSWERS: Readonly<Record<string, readonly [Buffer, (answer: Answer) => void]>> = {
  error: [REPLIES.ERROR, (answer) => answer.error(39)],
  ok: [REPLIES.OK, (answer) => answer.ok()],
  entry: [REPLIES.ENTRY, (answer) => answer.entry(entry)],
  negativeEntry: [REPLIES.NEGATIVE_ENTRY, (answer) => answer.negativeEntry(2000)],
  attr: [REPLIES.ATTR, (answer) => answer.attr(attr, 1500)],
  statx: [REPLIES.STATX, (answer) => answer.statx(statx, 1500)],
  opened: [REPLIES.OPENED, (answer) => answer.opened(0x201_dead_beef, 2)],
  created: [REPLIES.CREATED, (answer) => answer.created(entry, 0x201_dead_beef, 2)],
  written: [REPLIES.WRITTEN, (answer) => answer.written(0x10000)],
  'written, of a copy beyond 4 GiB': [REPLIES.COPIED, (answer) => answer.written(0x1_0000_0002)],
  bytes: [REPLIES.DATA, (answer) => answer.bytes(Buffer.from('00dead00beef00', 'hex'), 1, 6)],
  xattrSize: [REPLIES.XATTR_SIZE, (answer) => answer.xattrSize(0x123)],
  statfs: [REPLIES.STATFS, (answer) => answer.statfs(statfs)],
  lseek: [REPLIES.LSEEK, (answer) => answer.lseek(0x34_5678_9abc)],
  dirents: [
    REPLIES.DIRENTS,
    (answer) => {
      expect(answer.dirent(0xc1c2c3c4, 0xd1d2d3d4, 1, 8, Buffer.from('[caf\xe9]', 'latin1'), 1, 5)).toBe(true);
      expect(answer.dirent(0, 9, 0x1_0000_0002, 4, Buffer.from('12345678'))).toBe(true);
      answer.dirents();
    },
  ],
  'dirents, plus': [
    REPLIES.DIRENTS_PLUS,
    (answer) => {
      expect(answer.direntPlus(entry, 5, Buffer.from('a'))).toBe(true);
      answer.dirents();
    },
  ],
};

let sent: Buffer[] = [];
afterEach(() => {
  sent = [];
});

const capture: SendReply = (buffer, lengthBytes) => {
  sent.push(Buffer.from(buffer.bytes.subarray(0, lengthBytes)));
};

const intake = { pause: () => undefined, resume: () => undefined };

function replyTo(opcode: number): CurrentReply {
  const deferred = new DeferredReplies(noLog, PAYLOAD_BYTES, capture, intake);
  const reply = new CurrentReply(noLog, PAYLOAD_BYTES, deferred, capture);
  // What the previous answer left in the buffer must not leak into this one.
  reply.payload.fill(0xee);
  reply.begin(Object.assign(new RequestHeader(), { opcode, uniqueHi: 0x21222324, uniqueLo: 0xb1b2b3b4 }));
  return reply;
}

describe.each(Object.entries(ANSWERS))('%s', (_name, [expected, give]) => {
  test('at once', () => {
    give(replyTo(OPCODE.FUSE_READ));
    expect(sent.map((message) => message.toString('hex'))).toEqual([expected.toString('hex')]);
  });

  test('deferred', () => {
    const later = replyTo(OPCODE.FUSE_READ).defer();
    expect(sent).toEqual([]);
    give(later);
    expect(sent.map((message) => message.toString('hex'))).toEqual([expected.toString('hex')]);
  });
});

test('data from the payload', () => {
  const reply = replyTo(OPCODE.FUSE_READ);
  Buffer.from('dead00beef', 'hex').copy(reply.payload);
  reply.data(5);
  const later = replyTo(OPCODE.FUSE_READ).defer();
  Buffer.from('dead00beef', 'hex').copy(later.payload(5));
  later.data(5);
  expect(sent.map((message) => message.toString('hex'))).toEqual(Array(2).fill(REPLIES.DATA.toString('hex')));
});

test('entries are packed up to the size that the kernel asked for and not beyond', () => {
  const reply = replyTo(OPCODE.FUSE_READDIR);
  reply.limit(32 + 32);
  const name = Buffer.from('12345678');
  expect(reply.dirent(0, 1, 1, 4, name)).toBe(true);
  expect(reply.dirent(0, 2, 2, 4, Buffer.from('123456789'))).toBe(false);
  expect(reply.dirent(0, 2, 2, 4, name)).toBe(true);
  expect(reply.dirent(0, 3, 3, 4, Buffer.from('a'))).toBe(false);
  reply.dirents();
  expect(sent[0]!.length).toBe(16 + 64);
});

test('a plus entry that does not fit is not in', () => {
  const reply = replyTo(OPCODE.FUSE_READDIRPLUS);
  reply.limit(160 + 159);
  expect(reply.direntPlus(entry, 1, Buffer.from('a'))).toBe(true);
  expect(reply.direntPlus(entry, 2, Buffer.from('b'))).toBe(false);
  reply.dirents();
  expect(sent[0]!.length).toBe(16 + 160);
});

test('INIT', () => {
  const words = new Uint32Array(16).fill(0xeeee_eeee);
  putInitOut(words, 0, {
    minor: 45,
    maxReadaheadBytes: 0x10_0000,
    flags: 0x72ba_4229,
    flags2: 8,
    maxBackground: 64,
    congestionThreshold: 48,
    maxWriteBytes: 0x10_0000,
    timeGran: 1,
    maxPages: 256,
  });
  expect(Buffer.from(words.buffer).toString('hex')).toBe(REPLIES.INIT.toString('hex', 16));
});

test.each([
  ['INVAL_INODE', encodeInvalInode(0xc1c2c3c4, 0xd1d2d3d4, -1, 0x1_0000_0000)],
  ['INVAL_ENTRY', encodeInvalEntry(0xc1c2c3c4, 0xd1d2d3d4, NAME, false)],
  ['EXPIRE_ENTRY', encodeInvalEntry(0xc1c2c3c4, 0xd1d2d3d4, NAME, true)],
  ['DELETED', encodeDelete(0xc1c2c3c4, 0xd1d2d3d4, 0xe1e2e3e4, 0xf1f2f3f4, NAME)],
  ['INC_EPOCH', encodeIncEpoch()],
] as const)('notification %s', (name, message) => {
  expect(message.toString('hex')).toBe(REPLIES[name].toString('hex'));
});
