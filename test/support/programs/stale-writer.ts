/**
 * Opens `DIR/held`, works in `DIR/own`, and writes through both until its input is closed. What it opened
 * stays open when a restore takes it away: then each write through it has to fail with ESTALE, and never to land in the
 * files of now. Names it looks up anew; its own directory it makes again where a restore took it away.
 * Usage: stale-writer DIR. Prints a line once it has begun, and at its end how many writes it made and how many were stale.
 */
import fs from 'node:fs';
import path from 'node:path';
import { errnoNameOf } from '../errno.ts';

const [, , base] = process.argv as [string, string, string];
const own = path.join(base, 'own');
const held = fs.openSync(path.join(base, 'held'), 'r+');
const dirty = Buffer.alloc(4096, 'dirty');
const stopping = { now: false };
let writes = 0;
let stale = 0;
let isHeldStale = false;

function tolerant(action: () => void): boolean {
  try {
    action();
    writes++;
    return true;
  } catch (error) {
    // ENOENT: a restore came between making the directory and using it.
    if (!['ESTALE', 'ENOENT'].includes(errnoNameOf(error) ?? '')) throw error;
    stale++;
    return false;
  }
}

function round(count: number): void {
  isHeldStale = !tolerant(() => fs.writeSync(held, dirty, 0, dirty.length, 0)) || isHeldStale;
  tolerant(() => {
    fs.mkdirSync(own, { recursive: true });
    const file = path.join(own, `file-${count % 7}`);
    fs.writeFileSync(file, Buffer.alloc(1 + (count % 30_000), count));
    fs.renameSync(file, path.join(own, `moved-${count % 5}`));
    if (count % 3 === 0) fs.unlinkSync(path.join(own, `moved-${count % 5}`));
  });
}

process.stdin.on('data', () => undefined);
process.stdin.on('end', () => {
  stopping.now = true;
});
for (let count = 0; !stopping.now; count++) {
  round(count);
  if (count === 20) process.stdout.write('begun\n');
  await new Promise((resolve) => setTimeout(resolve, 1));
}
process.stdout.write(`${JSON.stringify({ writes, stale, isHeldStale })}\n`);
