/**
 * Maps the first 64 KiB of FILE and writes into the mapping without a pause until its input is closed; it also ends by
 * SIGBUS, when the file is taken away and with it what was mapped. Usage: map-writer FILE. Prints a line once it has begun.
 */
import fs from 'node:fs';
import { MAP_SHARED, PROT_READ, PROT_WRITE, mapFile } from '../memory-map.ts';

const [, , file] = process.argv as [string, string, string];
const length = 65_536;
const map = mapFile(fs.openSync(file, 'r+'), length, PROT_READ | PROT_WRITE, MAP_SHARED);
const dirty = Buffer.alloc(length, 'dirty');
const stopping = { now: false };

process.stdin.on('data', () => undefined);
process.stdin.on('end', () => {
  stopping.now = true;
});
for (let count = 0; !stopping.now; count++) {
  dirty.copy(map.bytes);
  if (count === 5) process.stdout.write('begun\n');
  await new Promise((resolve) => setImmediate(resolve));
}
