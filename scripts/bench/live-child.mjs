/**
 * What a user of the live files does, on two volumes in turns, as a process of its own. Usage: live-child.mjs ROUNDS DIR DIR; prints,
 * for each figure, the rounds as `alternate` gives them.
 */
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { alternate } from './versus.mjs';

const BLOCK_BYTES = 4096;
const SETTLED_BLOCKS = 4096;
const READ_BYTES = 64 << 20;
const READ_CALL_BYTES = 1 << 20;
const STAT_FILES = 2000;
const STAT_PASSES = 4;
const CREATE_COUNT = 1000;

const block = randomFillSync(Buffer.alloc(BLOCK_BYTES));
const call = Buffer.alloc(READ_CALL_BYTES);

function microseconds(count, action) {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1000 / count;
}

/** All blocks of the settled file, in an order that is the same for both sides of a round. */
const orders = new Map();
function blockOrder(round) {
  let order = orders.get(round);
  if (order === undefined) {
    const keys = Float64Array.from({ length: SETTLED_BLOCKS }, Math.random);
    order = Array.from(keys.keys()).sort((one, two) => keys[one] - keys[two]);
    orders.set(round, order);
  }
  return order;
}

/** 4 KiB at a time over the whole file in random order; what it leaves to write out is not left to the next figure. */
function randomWrite(dir, round) {
  const fd = fs.openSync(path.join(dir, 'settled'), 'r+');
  const took = microseconds(SETTLED_BLOCKS, () => {
    for (const index of blockOrder(round)) fs.writeSync(fd, block, 0, BLOCK_BYTES, index * BLOCK_BYTES);
  });
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  return took;
}

/** Twice, since once is short. */
function sequentialRead(dir) {
  const file = path.join(dir, 'sequential');
  return (readOnce(file) + readOnce(file)) / 2;
}

/** From the daemon, since dd(1) lets the kernel drop the pages of that file; the host's page cache stays, so no disk is measured. */
function readOnce(file) {
  execFileSync('sh', ['-c', 'dd if="$0" iflag=nocache count=0 status=none', file]);
  const fd = fs.openSync(file, 'r');
  let total = 0;
  const took = microseconds(READ_BYTES / READ_CALL_BYTES, () => {
    for (let count; (count = fs.readSync(fd, call, 0, READ_CALL_BYTES)) > 0;) total += count;
  });
  fs.closeSync(fd);
  if (total !== READ_BYTES) throw new Error(`${file}: read ${total} bytes of ${READ_BYTES}`);
  return took;
}

const statNames = Array.from({ length: STAT_FILES * STAT_PASSES }, (_, index) => `stat/${index % STAT_FILES}`);

/** With --cached=never each goes to the daemon; so many calls that starting stat(1) counts for nothing. */
function getattr(dir) {
  return microseconds(statNames.length, () =>
    execFileSync('stat', ['--cached=never', '--format=%s', ...statNames], { cwd: dir, maxBuffer: 1 << 24 }),
  );
}

function createUnlink(dir) {
  return microseconds(CREATE_COUNT, () => {
    for (let index = 0; index < CREATE_COUNT; index++) {
      const file = path.join(dir, `new-${index}`);
      fs.closeSync(fs.openSync(file, 'wx'));
      fs.unlinkSync(file);
    }
  });
}

/** Makes the files where there are none yet, and rewrites the settled one: then none of its blocks belongs to a snapshot. */
function prepare(dir) {
  if (!fs.existsSync(path.join(dir, 'stat'))) {
    fs.mkdirSync(path.join(dir, 'stat'));
    for (let index = 0; index < STAT_FILES; index++) fs.writeFileSync(path.join(dir, 'stat', `${index}`), block);
    fs.writeFileSync(path.join(dir, 'settled'), Buffer.alloc(SETTLED_BLOCKS * BLOCK_BYTES, block));
    fs.writeFileSync(path.join(dir, 'sequential'), Buffer.alloc(READ_BYTES, block));
  }
  randomWrite(dir, 'settling');
  for (const figure of Object.values(figures)) figure(dir, 'warming');
}

const figures = {
  'random write of 4 KiB': randomWrite,
  'sequential read of 1 MiB': sequentialRead,
  getattr,
  'create + unlink': createUnlink,
};

const [rounds, ...dirs] = process.argv.slice(2);
for (const dir of dirs) prepare(dir);
const measured = Object.entries(figures).map(([name, figure]) => [
  name,
  alternate(Number(rounds), (side, round) => figure(dirs[side], round)),
]);
process.stdout.write(JSON.stringify(Object.fromEntries(measured)));
