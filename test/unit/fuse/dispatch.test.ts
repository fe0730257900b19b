// Goal: no opcode falls between the chairs, and none reaches the wrong handler.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPCODE, REFUSED, type FuseHandlers, type OpcodeName, type Reply } from '../../../src/fuse/index.ts';
import { FakeMount } from '../../support/fake-mount.ts';
import { ALL_REQUESTS } from '../../wire/fixtures/all-requests.ts';

/** Which handler an operation is for. What is not here belongs to the session, or is refused. */
const HANDLER: Readonly<Partial<Record<OpcodeName, keyof FuseHandlers>>> = {
  FUSE_LOOKUP: 'lookup',
  FUSE_GETATTR: 'getattr',
  FUSE_SETATTR: 'setattr',
  FUSE_READLINK: 'readlink',
  FUSE_SYMLINK: 'symlink',
  FUSE_MKNOD: 'mknod',
  FUSE_MKDIR: 'mkdir',
  FUSE_UNLINK: 'unlink',
  FUSE_RMDIR: 'rmdir',
  FUSE_RENAME: 'rename',
  FUSE_RENAME2: 'rename',
  FUSE_LINK: 'link',
  FUSE_OPEN: 'open',
  FUSE_READ: 'read',
  FUSE_WRITE: 'write',
  FUSE_STATFS: 'statfs',
  FUSE_RELEASE: 'release',
  FUSE_FSYNC: 'fsync',
  FUSE_SETXATTR: 'setxattr',
  FUSE_GETXATTR: 'getxattr',
  FUSE_LISTXATTR: 'listxattr',
  FUSE_REMOVEXATTR: 'removexattr',
  FUSE_FLUSH: 'flush',
  FUSE_OPENDIR: 'opendir',
  FUSE_READDIR: 'readdir',
  FUSE_RELEASEDIR: 'releasedir',
  FUSE_FSYNCDIR: 'fsyncdir',
  FUSE_ACCESS: 'access',
  FUSE_CREATE: 'create',
  FUSE_IOCTL: 'ioctl',
  FUSE_FALLOCATE: 'fallocate',
  FUSE_READDIRPLUS: 'readdirplus',
  FUSE_LSEEK: 'lseek',
  FUSE_COPY_FILE_RANGE: 'copyFileRange',
  FUSE_COPY_FILE_RANGE_64: 'copyFileRange',
  FUSE_SYNCFS: 'syncfs',
  FUSE_TMPFILE: 'tmpfile',
  FUSE_STATX: 'statx',
};

/** Served by the session itself. */
const OWN: readonly OpcodeName[] = ['FUSE_INIT', 'FUSE_DESTROY', 'FUSE_FORGET', 'FUSE_BATCH_FORGET', 'FUSE_INTERRUPT'];

/** Recognisable answer of every handler. */
const EXPECTED_ERRNO = 61;

function recording(seen: string[]): FuseHandlers {
  const handlers: Record<string, unknown> = {};
  for (const name of new Set(Object.values(HANDLER))) {
    handlers[name] = (...args: unknown[]) => {
      seen.push(name);
      (args.at(-1) as Reply).error(EXPECTED_ERRNO);
    };
  }
  return handlers;
}

test('each opcode is handled, refused with a cause, or served by the session', () => {
  for (const name of Object.keys(OPCODE) as OpcodeName[]) {
    const places = [name in HANDLER, name in REFUSED, OWN.includes(name)].filter(Boolean);
    expect(places, name).toHaveLength(1);
  }
  for (const [name, refusal] of Object.entries(REFUSED)) expect(refusal.cause.length, name).toBeGreaterThan(20);
});

const bodies = ALL_REQUESTS.filter(({ name, opcode }) => opcode in HANDLER && name !== 'SETXATTR, short form').map(
  (fixture) => [fixture.name, fixture.opcode, fixture.bytes.subarray(40)] as const,
);

test.each(bodies)('%s reaches its handler alone', async (name, opcode, body) => {
  const seen: string[] = [];
  const mount = await FakeMount.open(recording(seen));
  // The extension of this fixture is announced in a header that is not sent here.
  const sent = name === 'CREATE with a group extension' ? body.subarray(0, body.length - 16) : body;
  expect(await mount.kernel.request(opcode, 1n, sent, 4096)).toMatchObject({ error: EXPECTED_ERRNO });
  expect(seen).toEqual([HANDLER[opcode]]);
});

test.each(bodies)('%s without a handler', async (_name, opcode, body) => {
  const mount = await FakeMount.open({});
  const error = opcode === 'FUSE_IOCTL' ? 25 : 38;
  expect(await mount.kernel.request(opcode, 1n, body, 4096)).toMatchObject({ error });
});

test.each(Object.entries(REFUSED))('%s is refused', async (name, refusal) => {
  const mount = await FakeMount.open(recording([]));
  const reply = await mount.kernel.request(name as OpcodeName, 1n, Buffer.alloc(64));
  expect(reply).toMatchObject({ error: refusal.errno });
});

test('SETXATTR is read in the form that INIT agreed on', async () => {
  const seen: string[] = [];
  const handlers: FuseHandlers = {
    setxattr: (_request, body, reply) => {
      seen.push(`${Buffer.from(body.name).toString()}=${body.value.length} ${body.setxattrFlags}`);
      reply.ok();
    },
  };
  const short = ALL_REQUESTS.find(({ name }) => name === 'SETXATTR, short form')!.bytes.subarray(40);
  const long = ALL_REQUESTS.find(({ name }) => name === 'SETXATTR, long form')!.bytes.subarray(40);
  const older = await FakeMount.open(handlers, { offer: { minor: 31, flags: 0x03ff_fffb } });
  await older.kernel.request('FUSE_SETXATTR', 1n, short);
  const newer = await FakeMount.open(handlers);
  await newer.kernel.request('FUSE_SETXATTR', 1n, long);
  expect(seen).toEqual(['user.a=3 0', 'user.a=3 1']);
});

test('PROTOCOL.md has a place for each opcode', () => {
  const text = readFileSync(new URL('../../../src/fuse/PROTOCOL.md', import.meta.url), 'utf8');
  const table = text.slice(text.indexOf('## Operations'), text.indexOf('## Interrupts'));
  const named = table.match(/FUSE_[A-Z0-9_]+/g) ?? [];
  expect([...named].sort()).toEqual(Object.keys(OPCODE).sort());
  for (const name of Object.keys(REFUSED)) expect(table).toMatch(new RegExp(`${name}\\b[^|]*\\| refused`));
});
