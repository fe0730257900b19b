/**
 * Writes TEXT into a file so that it is durable when the program ends, in one of the ways that there are. Prints nothing.
 * Usage: synchronous-write WAY FILE TEXT. The file has a page of zeros before, except for the ways that create it.
 */
import fs from 'node:fs';
import path from 'node:path';
import koffi from 'koffi';
import { SyscallError } from '../errno.ts';

type Call = (...args: unknown[]) => number | bigint;

const libc = koffi.load('libc.so.6');
const pwritev2 = libc.func('int64_t pwritev2(int fd, const void *iov, int count, int64_t offset, int flags)') as Call;
const syscall = libc.func('long syscall(long number, ...)') as Call;

const RWF_DSYNC = 2;
const RWF_SYNC = 4;
const IOCB_CMD_PWRITE = 1;
/** io_setup, io_submit, io_getevents (asm/unistd.h). */
const AIO_CALLS: Partial<Record<NodeJS.Architecture, readonly [number, number, number]>> = {
  x64: [206, 209, 208],
  arm64: [0, 2, 4],
};

const [, , way, file, text] = process.argv as [string, string, string, string, string];
const { O_DIRECT, O_DSYNC, O_SYNC, O_WRONLY } = fs.constants;
const page = Buffer.alloc(4096, text);

function addressOf(bytes: Buffer): bigint {
  return koffi.address(bytes);
}

function check(name: string, result: number | bigint, wanted: number): void {
  if (Number(result) === -1) throw new SyscallError(name, koffi.errno());
  if (Number(result) !== wanted) throw new Error(`${name} gave ${result}`);
}

/** A plain write, then whatever makes it durable. */
function writeThen(sync: (fd: number) => void): void {
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, page);
  sync(fd);
  fs.closeSync(fd);
}

function writeOpenedWith(flags: number): void {
  const fd = fs.openSync(file, O_WRONLY | flags);
  fs.writeSync(fd, page);
  fs.closeSync(fd);
}

/** pwritev2(2) with flags for this write alone. */
function writeFlagged(flags: number): void {
  const fd = fs.openSync(file, 'r+');
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(addressOf(page), 0);
  vector.writeBigUInt64LE(BigInt(page.length), 8);
  check('pwritev2', pwritev2(fd, vector, 1, 0, flags), page.length);
  fs.closeSync(fd);
}

/** Asynchronous I/O of the kernel (io_submit(2)) past the page cache: the write is done when its event comes. */
function writeAsynchronously(): void {
  const numbers = AIO_CALLS[process.arch];
  if (numbers === undefined) throw new Error(`no system call numbers are known here for ${process.arch}`);
  const [setup, submit, getEvents] = numbers;
  const fd = fs.openSync(file, O_WRONLY | O_DIRECT | O_DSYNC);
  const context = Buffer.alloc(8);
  check('io_setup', syscall(setup, 'int', 1, 'void *', context), 0);
  const block = Buffer.alloc(64);
  block.writeUInt16LE(IOCB_CMD_PWRITE, 16);
  block.writeUInt32LE(fd, 20);
  block.writeBigUInt64LE(addressOf(page), 24);
  block.writeBigUInt64LE(BigInt(page.length), 32);
  const blocks = Buffer.alloc(8);
  blocks.writeBigUInt64LE(addressOf(block), 0);
  const id = context.readBigUInt64LE(0);
  check('io_submit', syscall(submit, 'uint64_t', id, 'long', 1, 'void *', blocks), 1);
  const event = Buffer.alloc(32);
  check('io_getevents', syscall(getEvents, 'uint64_t', id, 'long', 1, 'long', 1, 'void *', event, 'void *', null), 1);
  const written = event.readBigInt64LE(16);
  if (written < 0) throw new SyscallError('aio write', Number(-written));
}

const ways: Record<string, () => void> = {
  nothing: () => writeThen(() => undefined),
  fsync: () => writeThen(fs.fsyncSync),
  fdatasync: () => writeThen(fs.fdatasyncSync),
  O_SYNC: () => writeOpenedWith(O_SYNC),
  O_DSYNC: () => writeOpenedWith(O_DSYNC),
  'O_DIRECT and O_DSYNC': () => writeOpenedWith(O_DIRECT | O_DSYNC),
  RWF_SYNC: () => writeFlagged(RWF_SYNC),
  RWF_DSYNC: () => writeFlagged(RWF_DSYNC),
  'asynchronous, O_DIRECT and O_DSYNC': writeAsynchronously,
  'fsync of the directory': () =>
    writeThen(() => {
      const fd = fs.openSync(path.dirname(file), 'r');
      fs.fsyncSync(fd);
      fs.closeSync(fd);
    }),
};
const run = ways[way];
if (run === undefined) throw new Error(`unknown way ${way}`);
run();
