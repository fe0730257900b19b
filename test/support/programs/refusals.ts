/**
 * Tries every kind of change in a snapshot that has `file`, `dir/inner` and `symlink`, and across to a live tree that has
 * `outside` and `outside-dir`. Prints one line of JSON: the name of the error by what was tried, `none` for success.
 * Usage: refusals SNAPSHOT LIVE
 */
import fs from 'node:fs';
import path from 'node:path';
import { errnoNameOf } from '../errno.ts';
import { mapFile, MAP_SHARED, PROT_READ, PROT_WRITE } from '../memory-map.ts';
import {
  fallocate,
  linkOpenFile,
  makedev,
  mknod,
  O_TMPFILE_BIT,
  removexattr,
  renameat2,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  setxattr,
  utimens,
  UTIME_NOW,
} from '../syscalls.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_DIRECTORY, S_IFIFO, S_IFCHR } = fs.constants;
const [, , snapshot, live] = process.argv as [string, string, string, string];
const at = (...names: string[]): string => path.join(snapshot, ...names);
const outside = (...names: string[]): string => path.join(live, ...names);
const now = { sec: 0, nsec: UTIME_NOW };

function withReadOnly(action: (fd: number) => void): void {
  const fd = fs.openSync(at('file'), O_RDONLY);
  try {
    action(fd);
  } finally {
    fs.closeSync(fd);
  }
}

const attempts: Record<string, () => unknown> = {
  'open for writing': () => fs.openSync(at('file'), O_WRONLY),
  'open for reading and writing': () => fs.openSync(at('file'), O_RDWR),
  'open for appending': () => fs.openSync(at('file'), O_WRONLY | O_APPEND),
  'open with O_TRUNC': () => fs.openSync(at('file'), O_RDONLY | O_TRUNC),
  'open for writing with O_TRUNC': () => fs.openSync(at('file'), O_WRONLY | O_TRUNC),
  'write a whole file': () => fs.writeFileSync(at('file'), 'x'),
  'append to a file': () => fs.appendFileSync(at('file'), 'x'),
  create: () => fs.openSync(at('new'), O_WRONLY | O_CREAT),
  'create below': () => fs.openSync(at('dir', 'new'), O_WRONLY | O_CREAT),
  O_TMPFILE: () => fs.openSync(at('dir'), O_TMPFILE_BIT | O_DIRECTORY | O_RDWR),
  truncate: () => fs.truncateSync(at('file'), 0),
  'truncate up': () => fs.truncateSync(at('file'), 1_000_000),
  unlink: () => fs.unlinkSync(at('file')),
  'unlink below': () => fs.unlinkSync(at('dir', 'inner')),
  rmdir: () => fs.rmdirSync(at('dir')),
  mkdir: () => fs.mkdirSync(at('new')),
  'mkdir below': () => fs.mkdirSync(at('dir', 'new')),
  symlink: () => fs.symlinkSync('x', at('new')),
  'mknod fifo': () => mknod(at('new'), S_IFIFO | 0o600),
  'mknod device': () => mknod(at('new'), S_IFCHR | 0o600, makedev(1, 3)),
  'link within': () => fs.linkSync(at('file'), at('new')),
  'rename within': () => fs.renameSync(at('file'), at('new')),
  'rename within, no replace': () => renameat2(at('file'), at('new'), RENAME_NOREPLACE),
  'exchange within': () => renameat2(at('file'), at('dir'), RENAME_EXCHANGE),
  chmod: () => fs.chmodSync(at('file'), 0o777),
  'chmod of a directory': () => fs.chmodSync(at('dir'), 0o777),
  'chmod of the root': () => fs.chmodSync(snapshot, 0o777),
  chown: () => fs.chownSync(at('file'), 1, 1),
  lchown: () => fs.lchownSync(at('symlink'), 1, 1),
  utimes: () => utimens(at('file'), { sec: 1, nsec: 0 }, { sec: 1, nsec: 0 }),
  'utimes now': () => utimens(at('file'), now, now),
  setxattr: () => setxattr(at('file'), 'user.new', 'v'),
  'setxattr on the root': () => setxattr(snapshot, 'user.new', 'v'),
  removexattr: () => removexattr(at('file'), 'user.kept'),
  'fchmod of a read-only descriptor': () => withReadOnly((fd) => fs.fchmodSync(fd, 0o777)),
  'futimes of a read-only descriptor': () => withReadOnly((fd) => fs.futimesSync(fd, 1, 1)),
  'fallocate through a read-only descriptor': () => withReadOnly((fd) => fallocate(fd, 0, 0, 10)),
  'ftruncate through a read-only descriptor': () => withReadOnly((fd) => fs.ftruncateSync(fd, 0)),
  'write through a read-only descriptor': () => withReadOnly((fd) => fs.writeSync(fd, 'x')),
  'shared writable map': () => withReadOnly((fd) => mapFile(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED).unmap()),
  'rename out': () => fs.renameSync(at('file'), outside('stolen')),
  'rename a directory out': () => fs.renameSync(at('dir'), outside('stolen')),
  'rename in': () => fs.renameSync(outside('outside'), at('new')),
  'rename in over a file': () => fs.renameSync(outside('outside'), at('file')),
  'rename a directory in': () => fs.renameSync(outside('outside-dir'), at('new')),
  'exchange across': () => renameat2(outside('outside'), at('file'), RENAME_EXCHANGE),
  'link out': () => fs.linkSync(at('file'), outside('stolen')),
  'link in': () => fs.linkSync(outside('outside'), at('new')),
  'link in over a file': () => fs.linkSync(outside('outside'), at('file')),
  'link out by descriptor': () => withReadOnly((fd) => linkOpenFile(fd, outside('stolen'))),
  'create what exists, exclusively': () => fs.openSync(at('file'), 'wx'),
};

const results: Record<string, string> = {};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    attempt();
    results[name] = 'none';
  } catch (error) {
    results[name] = errnoNameOf(error) ?? String(error);
  }
}
process.stdout.write(`${JSON.stringify(results)}\n`);
