/**
 * Writes files of growing size below DIR, one after the other, and prints the SHA-256 and the name of each only when both
 * the file and its directory are synced. Runs until it is killed. Usage: fsync-writer DIR PREFIX
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { seededRandom } from '../seeded-random.ts';

const [, , dir, prefix] = process.argv as [string, string, string, string];
const random = seededRandom(Number(prefix) + 1);

function syncDir(): void {
  const fd = fs.openSync(dir, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

for (let index = 0; ; index++) {
  const name = `synced-${prefix}-${index}`;
  const content = Buffer.alloc(1 + random(60_000), random(256));
  content.writeUInt8(index & 255, content.length - 1);
  const temporary = path.join(dir, `${name}.tmp`);
  const fd = fs.openSync(index % 2 === 0 ? path.join(dir, name) : temporary, 'w');
  fs.writeSync(fd, content);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  if (index % 2 !== 0) {
    fs.renameSync(temporary, path.join(dir, name));
    syncDir();
  }
  const hash = createHash('sha256').update(content).digest('hex');
  process.stdout.write(`${hash}  ${name}\n`);
}
