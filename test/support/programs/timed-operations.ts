/**
 * Makes and removes directories, and reads a small piece of the file `kept` past the kernel's cache, until it is asked for its figures.
 * Usage: timed-operations DIR. Prints a line once it has begun; a line on its input ends the work, and it answers with the figures as JSON.
 */
import fs from 'node:fs';
import path from 'node:path';

const PIECE_BYTES = 4096;

const [, , dir] = process.argv as [string, string, string];
const directory = path.join(dir, 'made');
const kept = fs.openSync(path.join(dir, 'kept'), fs.constants.O_RDONLY | fs.constants.O_DIRECT);
const bytes = Buffer.alloc(PIECE_BYTES);
const times: number[] = [];
const state = { ended: false };

function timed(operation: () => void): void {
  const startMs = performance.now();
  operation();
  times.push(performance.now() - startMs);
}

process.stdin.on('data', () => {
  state.ended = true;
});
process.stdout.write('begun\n');
while (!state.ended) {
  for (let round = 0; round < 5; round++) {
    timed(() => {
      fs.mkdirSync(directory);
    });
    timed(() => {
      fs.rmdirSync(directory);
    });
    timed(() => {
      fs.readSync(kept, bytes, 0, PIECE_BYTES, 0);
    });
  }
  // What asks gets its turn, and so does the daemon on a machine with few processors.
  await new Promise((resolve) => setTimeout(resolve, 2));
}
times.sort((a, b) => a - b);
const figures = { count: times.length, medianMs: times[Math.floor(times.length / 2)], slowestMs: times.at(-1) };
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.stdin.destroy();
