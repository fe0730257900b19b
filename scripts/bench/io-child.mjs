/**
 * The I/O loops of the benchmark, as a process of their own: plain synchronous calls of node:fs, the same for each peer.
 * Usage: io-child.mjs JOB ARGUMENTS...; prints one object of JSON with seconds, measured around the calls alone.
 */
import { randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const SMALL_FILE_BYTES = 2048;
const FILES_PER_DIRECTORY = 500;

function secondsOf(action) {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Writes a new file in calls of `callBytes`; the second figure includes the fsync. */
function write(file, bytes, callBytes) {
  const buffer = randomFillSync(Buffer.alloc(Math.max(callBytes, 1 << 20)));
  const fd = fs.openSync(file, 'w');
  const seconds = secondsOf(() => {
    for (let done = 0; done < bytes; done += callBytes) {
      fs.writeSync(fd, buffer, done % buffer.length, callBytes);
    }
  });
  const syncSeconds = secondsOf(() => fs.fsyncSync(fd));
  fs.closeSync(fd);
  return { seconds, durableSeconds: seconds + syncSeconds };
}

function read(file, bytes, callBytes) {
  const buffer = Buffer.alloc(callBytes);
  const fd = fs.openSync(file, 'r');
  let total = 0;
  const seconds = secondsOf(() => {
    for (;;) {
      const count = fs.readSync(fd, buffer, 0, callBytes);
      if (count === 0) break;
      total += count;
    }
  });
  fs.closeSync(fd);
  if (total !== bytes) throw new Error(`read ${total} bytes of ${bytes}`);
  return { seconds };
}

function smallFile(dir, index) {
  return path.join(dir, `d${Math.floor(index / FILES_PER_DIRECTORY)}`, `file-${index}`);
}

/** Creates, writes and closes `count` files in directories of 500. */
function create(dir, count, fileBytes = SMALL_FILE_BYTES) {
  const content = randomFillSync(Buffer.alloc(fileBytes));
  const seconds = secondsOf(() => {
    for (let index = 0; index < count; index++) {
      const file = smallFile(dir, index);
      if (index % FILES_PER_DIRECTORY === 0) fs.mkdirSync(path.dirname(file), { recursive: true });
      const fd = fs.openSync(file, 'wx');
      fs.writeSync(fd, content);
      fs.closeSync(fd);
    }
  });
  return { seconds };
}

function remove(dir, count) {
  const seconds = secondsOf(() => {
    for (let index = 0; index < count; index++) {
      fs.unlinkSync(smallFile(dir, index));
      if ((index + 1) % FILES_PER_DIRECTORY === 0 || index === count - 1)
        fs.rmdirSync(path.dirname(smallFile(dir, index)));
    }
  });
  return { seconds };
}

/**
 * Writes `callBytes` and calls fdatasync, `count` times: over a file of `fileBytes` that is there already, or, where that is 0, at its end. The median
 * seconds of one.
 */
function sync(file, count, callBytes, fileBytes) {
  const buffer = randomFillSync(Buffer.alloc(Math.max(callBytes, fileBytes)));
  const fd = fs.openSync(file, 'w');
  fs.writeSync(fd, buffer, 0, fileBytes);
  fs.fsyncSync(fd);
  const each = [];
  for (let index = 0; index < count; index++) {
    const at = fileBytes === 0 ? index * callBytes : (index * 37 * callBytes) % fileBytes;
    each.push(
      secondsOf(() => {
        fs.writeSync(fd, buffer, 0, callBytes, at);
        fs.fdatasyncSync(fd);
      }),
    );
  }
  fs.closeSync(fd);
  each.sort((a, b) => a - b);
  return { seconds: each[count >> 1] };
}

/** Takes snapshots by mkdir, each after a small change so that none is for free; the seconds of each. */
function snapshots(dir, prefix, count) {
  const seconds = [];
  for (let index = 0; index < count; index++) {
    fs.writeFileSync(path.join(dir, 'changing'), `change ${index}`);
    seconds.push(secondsOf(() => fs.mkdirSync(path.join(dir, '.snapshots', `${prefix}-${index}`))));
  }
  return { each: seconds };
}

const [, , job, target, ...rest] = process.argv;
const jobs = {
  write: () => write(target, Number(rest[0]), Number(rest[1])),
  sync: () => sync(target, ...rest.map(Number)),
  read: () => read(target, Number(rest[0]), Number(rest[1])),
  create: () => create(target, ...rest.map(Number)),
  remove: () => remove(target, Number(rest[0])),
  snapshots: () => snapshots(target, rest[0], Number(rest[1])),
};
process.stdout.write(`${JSON.stringify(jobs[job]())}\n`);
