/**
 * Reads the files below `DIR/state` without a pause until its input is closed. Each is in one of the states 1 to 9: so
 * many times 5000 bytes, all of them that digit. Anything else is a mixture, and the program says what it saw and
 * fails. ESTALE is what a handle from before a restore gets. Usage: state-reader DIR. Prints a line once it has begun,
 * and at its end how many files it read, in how many states, and how often a handle was stale.
 */
import fs from 'node:fs';
import path from 'node:path';
import { errnoNameOf } from '../errno.ts';

const [, , base] = process.argv as [string, string, string];
const dir = path.join(base, 'state');
const stopping = { now: false };
const states = new Set<number>();
let reads = 0;
let stale = 0;

/** The state that a file of this content is in; 0 for none. */
function stateOf(content: Buffer): number {
  const digit = (content[0] ?? 0x30) - 0x30;
  if (digit < 1 || digit > 9 || content.length !== digit * 5000) return 0;
  return content.every((byte) => byte === content[0]) ? digit : 0;
}

function readOne(name: string): void {
  const file = path.join(dir, name);
  const content = fs.readFileSync(file);
  const state = stateOf(content);
  if (state === 0) throw new Error(`${file}: ${content.length} bytes, from ${String(content[0])} to ${content.at(-1)}`);
  states.add(state);
  reads++;
}

function round(): void {
  try {
    const names = fs.readdirSync(dir);
    if (names.length < 4) throw new Error(`${dir} lists ${names.join(', ')}`);
    for (const name of ['a', 'b', 'c', 'd']) readOne(name);
  } catch (error) {
    if (errnoNameOf(error) !== 'ESTALE') throw error;
    stale++;
  }
}

process.stdin.on('data', () => undefined);
process.stdin.on('end', () => {
  stopping.now = true;
});
for (let count = 0; !stopping.now; count++) {
  for (let index = 0; index < 5; index++) round();
  if (count === 4) process.stdout.write('begun\n');
  await new Promise((resolve) => setTimeout(resolve, 1));
}
process.stdout.write(`${JSON.stringify({ reads, states: states.size, stale })}\n`);
