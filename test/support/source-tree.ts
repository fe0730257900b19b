/**
 * A source tree on the host with at least 20,000 files: what the machine has of real trees first, in a fixed order, and
 * generated C sources for the rest, so that the number of files is about the same everywhere.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from './run-command.ts';
import { seededRandom } from './seeded-random.ts';

export const minimumFileCount = 20_000;

const realTrees = [
  '/usr/include',
  '/usr/share/zoneinfo',
  fileURLToPath(new URL('../../node_modules', import.meta.url)),
];
const maximumRealBytes = 160 << 20;
const filesPerDirectory = 100;

/** Generates one more or less plausible C file of 200 bytes to 8 KiB. */
function cSource(index: number, random: (limit: number) => number): string {
  const lines = [`/* Part ${index}. */`, '#include <stdint.h>'];
  for (let count = 1 + random(60); count > 0; count--) {
    lines.push(`uint32_t f${index}_${count}(uint32_t x) { return x * ${random(1 << 30)}u + ${random(1 << 30)}u; }`);
  }
  return `${lines.join('\n')}\n`;
}

function generate(dir: string, count: number): void {
  const random = seededRandom(20_000);
  for (let index = 0; index < count; index++) {
    const parent = path.join(dir, `module-${Math.floor(index / filesPerDirectory)}`);
    if (index % filesPerDirectory === 0) fs.mkdirSync(parent, { recursive: true });
    fs.writeFileSync(path.join(parent, `part-${index}.c`), cSource(index, random));
  }
}

async function countFiles(dir: string): Promise<number> {
  return (await mustRun('find', [dir, '-type', 'f', '-printf', 'x'])).length;
}

/** Makes the tree in a new directory `dir` on the host. */
export async function makeSourceTree(dir: string): Promise<void> {
  fs.mkdirSync(dir);
  let bytesLeft = maximumRealBytes;
  for (const [index, tree] of realTrees.entries()) {
    if (!fs.existsSync(tree)) continue;
    const size = Number((await mustRun('du', ['-s', '-B1', tree])).split('\t')[0]);
    if (size > bytesLeft) continue;
    bytesLeft -= size;
    // Caches in node_modules change while tests run; nothing of them belongs to a source tree.
    const script = 'mkdir "$2"; tar -C "$1" --exclude=./.cache --exclude=./.vite* -cf - . | tar -C "$2" -xpf -';
    await mustRun('sh', ['-ec', script, 'sh', tree, path.join(dir, `real-${index}`)], { timeLimitMs: 120_000 });
  }
  const missing = minimumFileCount + 500 - (await countFiles(dir));
  if (missing > 0) generate(path.join(dir, 'generated'), missing);
}
