/**
 * Changes a live tree without a pause until its input is closed: overwrites, appends, truncates, creates, renames,
 * removes, chmods and sets attributes on the files it finds or makes below `DIR/busy` and on `DIR/keep*`.
 * Usage: busy-writer DIR. Prints a line once it has begun, and the number of rounds at its end.
 */
import fs from 'node:fs';
import path from 'node:path';
import { seededRandom } from '../seeded-random.ts';
import { setxattr } from '../syscalls.ts';

const [, , dir] = process.argv as [string, string, string];
const random = seededRandom(99);
const busy = path.join(dir, 'busy');
let rounds = 0;
const state = { stopping: false };

function round(): void {
  const own = path.join(busy, `file-${random(50)}`);
  fs.writeFileSync(own, Buffer.alloc(1 + random(20_000), random(256)));
  fs.appendFileSync(own, `round ${rounds}`);
  fs.renameSync(own, path.join(busy, `moved-${random(50)}`));
  const kept = path.join(dir, `keep-${random(5)}`);
  const fd = fs.openSync(kept, 'a+');
  fs.writeSync(fd, `appended in round ${rounds}`);
  fs.closeSync(fd);
  if (random(3) === 0) fs.truncateSync(kept, random(5000));
  fs.chmodSync(kept, 0o600 + random(0o200));
  fs.utimesSync(kept, random(1_000_000), random(1_000_000));
  setxattr(kept, 'user.round', String(rounds));
  if (rounds++ === 20) process.stdout.write('busy\n');
}

fs.mkdirSync(busy, { recursive: true });
process.stdin.on('data', () => undefined);
process.stdin.on('end', () => {
  state.stopping = true;
});
while (!state.stopping) {
  for (let index = 0; index < 20; index++) round();
  // The end of the input is noticed between rounds only.
  await new Promise((resolve) => setTimeout(resolve, 1));
}
process.stdout.write(`${rounds}\n`);
