/**
 * Makes files of 4 MiB in DIR, opens and unlinks them, and then answers lines on its input: `check` reads all of them and
 * writes on, `close` closes them. Ends with its input. Usage: orphan-holder DIR COUNT
 */
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

const [, , dir, count] = process.argv as [string, string, string, string];
const sizeBytes = 4 << 20;
const open: number[] = [];

function contentOf(index: number): Buffer {
  const content = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 4) content.writeUInt32LE((at * 2654435761 + index) >>> 0, at);
  return content;
}

function check(): string {
  for (const [index, fd] of open.entries()) {
    const buffer = Buffer.alloc(sizeBytes + 100);
    const length = fs.readSync(fd, buffer, 0, buffer.length, 0);
    if (length !== sizeBytes || !buffer.subarray(0, length).equals(contentOf(index))) return `file ${index} differs`;
    const patch = Buffer.from('patched');
    fs.writeSync(fd, patch, 0, patch.length, sizeBytes / 2);
    fs.readSync(fd, buffer, 0, patch.length, sizeBytes / 2);
    if (!buffer.subarray(0, patch.length).equals(patch)) return `file ${index} does not keep what is written`;
    contentOf(index).copy(buffer);
    fs.writeSync(fd, buffer, sizeBytes / 2, patch.length, sizeBytes / 2);
    if (fs.fstatSync(fd).nlink !== 0) return `file ${index} has a name`;
  }
  return 'ok';
}

for (let index = 0; index < Number(count); index++) {
  const file = path.join(dir, `orphan-${index}`);
  const fd = fs.openSync(file, 'w+');
  fs.writeSync(fd, contentOf(index));
  fs.fsyncSync(fd);
  fs.unlinkSync(file);
  open.push(fd);
}
// So that the names are gone for good, whatever happens to the daemon.
const dirFd = fs.openSync(dir, 'r');
fs.fsyncSync(dirFd);
fs.closeSync(dirFd);
process.stdout.write('open\n');

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line === 'check') process.stdout.write(`${check()}\n`);
  if (line === 'close') {
    for (const fd of open.splice(0)) fs.closeSync(fd);
    process.stdout.write('closed\n');
  }
}
