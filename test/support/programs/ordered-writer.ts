/**
 * Keeps an order between two files until its input is closed, so that a cut at one moment can be told from a smear.
 * `counters`: writes the next number into `first`, then the same into `second`; at any moment first - second is 0 or 1.
 * `appends`: appends record n to `first`, then to `second`; the same holds for the number of records.
 * Usage: ordered-writer counters|appends DIR. Prints a line once it has begun, and the last number at its end.
 */
import fs from 'node:fs';
import path from 'node:path';

const [, , kind, dir] = process.argv as [string, string, string, string];
const [first, second] = ['first', 'second'].map((name) =>
  fs.openSync(path.join(dir, name), kind === 'appends' ? 'a' : 'w'),
);
const state = { stopping: false };
let last = 0;

/** One record or counter: always 16 bytes, in one write. */
function put(fd: number): void {
  const text = `${String(last).padStart(15, '0')}\n`;
  if (kind === 'appends') fs.writeSync(fd, text);
  else fs.writeSync(fd, text, 0);
}

process.stdin.on('data', () => undefined);
process.stdin.on('end', () => {
  state.stopping = true;
});
while (!state.stopping) {
  for (let index = 0; index < 4; index++) {
    last++;
    put(first!);
    put(second!);
  }
  if (last === 40) process.stdout.write('begun\n');
  await new Promise((resolve) => setTimeout(resolve, 1));
}
process.stdout.write(`${last}\n`);
