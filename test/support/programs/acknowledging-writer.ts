/**
 * Works on `MOUNT/NAME` without a pause, one operation after the other, and writes at its end what was acknowledged and
 * when to LOG: when its input is closed, or when the mount fails. Usage:
 * acknowledging-writer MOUNT NAME LOG SEED SYNC-PERCENT AMBERFS-CLI, the last one empty for a writer that takes no snapshots.
 * Prints a line once it has begun.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { type LogEntry, ModelTree, type Operation, contentOf, monotonicUs } from '../acknowledged-operations.ts';
import { SyscallError, errnoNameOf } from '../errno.ts';
import { seededRandom } from '../seeded-random.ts';
import * as sys from '../syscalls.ts';

const [mount, name, logFile, seed, syncPercent, cli] = process.argv.slice(2) as [string, ...string[]] & { length: 6 };
const base = `${mount}/${name!}`;
const random = seededRandom(Number(seed));
const model = new ModelTree();
const log: LogEntry[] = [];
/** Files that stay open: they live on when their last name goes. */
const open = new Map<object, number>();
const openMax = 12;
const filesMax = 40;
const sizeMax = 300_000;
/** What the calls answer when the daemon is gone. */
const goneErrors = ['ENOTCONN', 'ECONNABORTED'];
let count = 0;

function pick<T>(list: readonly T[]): T | undefined {
  return list[random(Math.max(list.length, 1))];
}

function freshPath(): string {
  const directory = random(3) === 0 ? undefined : pick(model.paths('directory'));
  return `${directory === undefined ? '' : `${directory}/`}n${count}`;
}

/** Mostly small, now and then across many blocks; often on block borders. */
function length(): number {
  const size = [1 + random(300), 4096, 1 + random(10_000), 4096 * (1 + random(8)), 1 + random(150_000)];
  return size[random(random(4) === 0 ? 5 : 4)]!;
}

function writeTo(path: string): Operation {
  const size = model.sizeOf(path);
  const near = [size, 4096 * random(1 + Math.ceil(size / 4096)), random(size + 1), size + random(20_000)];
  const offset = Math.min(near[random(4)]!, sizeMax - 150_000);
  return {
    do: 'write',
    path,
    offset,
    length: length(),
    fill: `${name!}.${count};`,
    synced: random(100) < Number(syncPercent) / 3,
  };
}

function changeOfFile(path: string): Operation {
  switch (random(12)) {
    case 0:
      return { do: 'truncate', path, length: random(model.sizeOf(path) + 9000) };
    case 1:
      return { do: 'punch', path, offset: random(model.sizeOf(path) + 1), length: length() };
    case 2:
      return { do: 'chmod', path, mode: 0o600 + random(0o200) };
    case 3: {
      const old = pick(model.attributesOf(path));
      if (old !== undefined && random(2) === 0) return { do: 'removexattr', path, name: old };
      return { do: 'setxattr', path, name: `user.a${random(4)}`, value: `${count}`.repeat(1 + random(40)) };
    }
    default:
      return writeTo(path);
  }
}

function changeOfNames(file: string): Operation {
  const directory = pick(model.paths('directory'));
  const gone = pick([...model.paths('file'), ...model.paths('symlink')]);
  switch (random(9)) {
    case 0:
      return { do: 'mkdir', path: freshPath() };
    case 1:
      return { do: 'symlink', path: freshPath(), target: `${count}`.repeat(1 + random(30)) };
    case 2:
      return { do: 'link', from: file, path: freshPath() };
    case 3:
      if (directory !== undefined && model.isEmpty(directory)) return { do: 'rmdir', path: directory };
      return { do: 'mkdir', path: freshPath() };
    case 4: {
      // A directory must not move into itself.
      const path = freshPath();
      if (directory !== undefined && !path.startsWith(`${directory}/`)) return { do: 'rename', from: directory, path };
      return { do: 'rename', from: file, path };
    }
    case 5: {
      const other = pick(model.paths('file'))!;
      if (model.identity(other) === model.identity(file)) return { do: 'unlink', path: file };
      return { do: random(2) === 0 ? 'rename' : 'exchange', from: file, path: other };
    }
    case 6:
      return { do: 'rename', from: file, path: freshPath() };
    default:
      return { do: 'unlink', path: gone! };
  }
}

function next(): Operation {
  count++;
  const files = model.paths('file');
  const file = pick(files);
  if (file === undefined || (files.length < filesMax && random(8) === 0)) {
    return { do: 'create', path: freshPath(), mode: 0o600 + random(0o200) };
  }
  if (random(100) < Number(syncPercent)) {
    const directory = pick(model.paths('directory'));
    if (random(3) === 0) return { do: 'fsyncdir', path: directory ?? '.' };
    return { do: random(2) === 0 ? 'fsync' : 'fdatasync', path: file };
  }
  if (cli !== '' && random(400) === 0) {
    const old = model.snapshots.length > 4 ? pick(model.snapshots) : undefined;
    if (old !== undefined) return { do: 'delete-snapshot', name: old };
    return { do: random(8) === 0 ? 'snapshot-command' : 'snapshot', name: `${name!}-${count}` };
  }
  if (random(60) === 0) return { do: 'write-orphan' };
  return random(3) === 0 || files.length >= filesMax ? changeOfNames(file) : changeOfFile(file);
}

/** An open file for a path; closes the one that was opened first where there are too many. */
function descriptor(path: string): number {
  const identity = model.identity(path);
  const known = open.get(identity);
  if (known !== undefined) return known;
  const fd = fs.openSync(`${base}/${path}`, 'r+');
  keepOpen(identity, fd);
  return fd;
}

function keepOpen(identity: object, fd: number): void {
  open.set(identity, fd);
  if (open.size <= openMax) return;
  const [oldest, oldFd] = [...open][0]!;
  open.delete(oldest);
  fs.closeSync(oldFd);
}

function writeAll(fd: number, content: Buffer, offset: number): void {
  // The end of the daemon between two requests makes a write short; the next call says so.
  for (let done = 0; done < content.length;)
    done += fs.writeSync(fd, content, done, content.length - done, offset + done);
}

function syncPath(path: string, sync: (fd: number) => void): void {
  const fd = fs.openSync(`${base}/${path}`, 'r');
  sync(fd);
  fs.closeSync(fd);
}

function snapshotByCommand(snapshot: string): void {
  const result = spawnSync(process.execPath, [cli!, 'snapshot', 'create', mount, snapshot], {
    cwd: '/',
    timeout: 20_000,
  });
  // Without a daemon it says so: then nothing is known of it.
  if (result.status !== 0) throw new SyscallError('snapshot create', os.constants.errno.ENOTCONN);
}

function perform(operation: Operation): void {
  const path = 'path' in operation ? `${base}/${operation.path}` : base;
  switch (operation.do) {
    case 'create': {
      const { O_CREAT, O_EXCL, O_RDWR } = fs.constants;
      const fd = fs.openSync(path, O_CREAT | O_EXCL | O_RDWR, operation.mode);
      model.apply(operation);
      keepOpen(model.identity(operation.path), fd);
      return;
    }
    case 'mkdir':
      fs.mkdirSync(path, 0o755);
      break;
    case 'symlink':
      fs.symlinkSync(operation.target, path);
      break;
    case 'link':
      fs.linkSync(`${base}/${operation.from}`, path);
      break;
    case 'unlink':
      fs.unlinkSync(path);
      break;
    case 'rmdir':
      fs.rmdirSync(path);
      break;
    case 'rename':
      fs.renameSync(`${base}/${operation.from}`, path);
      break;
    case 'exchange':
      sys.renameat2(`${base}/${operation.from}`, path, sys.RENAME_EXCHANGE);
      break;
    case 'write':
      write(operation, path);
      break;
    case 'truncate':
      fs.ftruncateSync(descriptor(operation.path), operation.length);
      break;
    case 'punch':
      sys.fallocate(
        descriptor(operation.path),
        sys.FALLOC_FL_PUNCH_HOLE | sys.FALLOC_FL_KEEP_SIZE,
        operation.offset,
        operation.length,
      );
      break;
    case 'chmod':
      fs.chmodSync(path, operation.mode);
      break;
    case 'setxattr':
      sys.setxattr(path, operation.name, operation.value);
      break;
    case 'removexattr':
      sys.removexattr(path, operation.name);
      break;
    case 'write-orphan':
      writeOrphan();
      break;
    case 'fsync':
    case 'fsyncdir':
      syncPath(operation.path, fs.fsyncSync);
      break;
    case 'fdatasync':
      syncPath(operation.path, fs.fdatasyncSync);
      break;
    case 'snapshot':
      fs.mkdirSync(`${mount}/.snapshots/${operation.name}`);
      break;
    case 'snapshot-command':
      snapshotByCommand(operation.name);
      break;
    case 'delete-snapshot':
      fs.rmdirSync(`${mount}/.snapshots/${operation.name}`);
      break;
  }
  model.apply(operation);
}

function write(operation: Operation & { do: 'write' }, path: string): void {
  const content = contentOf(operation.fill, operation.length);
  if (!operation.synced) {
    writeAll(descriptor(operation.path), content, operation.offset);
    return;
  }
  const { O_DSYNC, O_SYNC, O_WRONLY } = fs.constants;
  const fd = fs.openSync(path, O_WRONLY | (operation.length % 2 === 0 ? O_DSYNC : O_SYNC));
  writeAll(fd, content, operation.offset);
  fs.closeSync(fd);
}

function writeOrphan(): void {
  const named = new Set(model.paths('file').map((path) => model.identity(path)));
  for (const [identity, fd] of open) {
    if (named.has(identity)) continue;
    writeAll(fd, contentOf(`orphan ${count};`, length()), random(100_000));
    return;
  }
}

/** False when the mount is gone. */
function step(): boolean {
  const operation = next();
  const entry: LogEntry = { operation, startedUs: monotonicUs() };
  log.push(entry);
  try {
    perform(operation);
  } catch (error) {
    if (goneErrors.includes(errnoNameOf(error) ?? '')) return false;
    throw error;
  }
  entry.acknowledgedUs = monotonicUs();
  return true;
}

const stopping = { now: false };
process.stdin.on('data', () => undefined);
process.stdin.on('end', () => {
  stopping.now = true;
});
process.umask(0);
fs.mkdirSync(base);
process.stdout.write('begun\n');
try {
  let alive = true;
  while (alive && !stopping.now) {
    for (let index = 0; alive && index < 20; index++) alive = step();
    // The end of the input is noticed between rounds only.
    await new Promise((resolve) => setImmediate(resolve));
  }
} finally {
  fs.writeFileSync(logFile!, log.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}
process.exit(0);
