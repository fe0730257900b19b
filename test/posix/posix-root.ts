/**
 * What a test of the POSIX table gets: a fresh directory and a few helpers. The tests run inside a child program
 * (test/support/programs/posix-runner.ts), so they may block, change directory, umask and effective user.
 * They know nothing of amberfs: the same table runs on a directory of the host, which is the truth.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { errnoNameOf } from '../support/errno.ts';

export interface PosixRoot {
  /** A fresh, empty directory, mode 0755; removed after the test. */
  readonly dir: string;
  readonly kind: 'host' | 'mount';
  /** The path of a name (or of several, joined) below `dir`. */
  readonly at: (...names: string[]) => string;
  /** The path of a name of raw bytes below `dir`. */
  readonly atBytes: (name: Buffer) => Buffer;
  /**
   * Drops what the kernel has cached of the filesystem: a real unmount and mount again where there is a daemon, nothing
   * on the host. No file below `dir` may be open, and no process may stand in it.
   */
  refresh(): Promise<void>;
}

export type PosixTest = (root: PosixRoot) => Promise<void> | void;
export type PosixTable = Record<string, PosixTest>;

/** Thrown by a test that can't run here; the runner reports it as skipped, with the reason. */
export class SkipTest extends Error {}

/** Time limit in ms for one helper process of a test. */
const toolTimeoutMs = 60_000;

/** Skips the test when it does not run as root. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new SkipTest('needs root');
}

/** Throws when a command is missing, naming the Debian package that has it. */
export function requireCommand(command: string, debianPackage: string): void {
  const found = spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
  if (!found) throw new Error(`${command} is missing: install the Debian package ${debianPackage}`);
}

/** Asserts that `action` fails with one of the named errors, for example 'ENOENT'. */
export function fails(action: () => unknown, ...names: string[]): void {
  let name: string | undefined;
  try {
    action();
  } catch (error) {
    name = errnoNameOf(error);
    if (name === undefined) throw error;
  }
  assert.ok(name !== undefined, `succeeded, but should fail with ${names.join(' or ')}`);
  assert.ok(names.includes(name), `failed with ${name}, but should fail with ${names.join(' or ')}`);
}

/** Runs a command to its end and returns its standard output; throws with its messages when it fails. */
export function tool(command: string, args: readonly string[], options: { cwd?: string; input?: string } = {}): string {
  const result = spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    timeout: toolTimeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 << 20,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (result.error) throw result.error;
  assert.equal(result.status, 0, `${command} ${args.join(' ')}: status ${result.status}: ${result.stderr}`);
  return result.stdout;
}

/** A script for `node -e` as a process of its own; its arguments are in process.argv from index 1. */
export function startScript(script: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['-e', script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** Waits for the end of a process and returns its status (null after a signal). Kills it after the time limit. */
export function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), toolTimeoutMs);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}

/** Waits for the first output of a process. */
export function firstOutput(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (data: Buffer) => {
      resolve(data.toString());
    });
    child.once('exit', (code) => {
      reject(new Error(`ended before it wrote anything, with status ${code}`));
    });
  });
}

/**
 * Runs `action` (synchronous) with another effective user, group and list of supplementary groups, without any
 * capability; needs root.
 */
export function asUser<T>(uid: number, gid: number, groups: readonly number[], action: () => T): T {
  const before = process.getgroups?.() ?? [];
  process.setgroups?.([...groups]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(before);
  }
}

/** Runs `action` (synchronous) with a file mode creation mask. */
export function withUmask<T>(mask: number, action: () => T): T {
  const before = process.umask(mask);
  try {
    return action();
  } finally {
    process.umask(before);
  }
}

/** Runs `action` (synchronous) with a working directory. */
export function withCwd<T>(dir: string, action: () => T): T {
  const before = process.cwd();
  process.chdir(dir);
  try {
    return action();
  } finally {
    process.chdir(before);
  }
}

/** Runs `action` with an open file, and closes it. */
export function withOpen<T>(file: string | Buffer, flags: string | number, action: (fd: number) => T, mode = 0o644): T {
  const fd = fs.openSync(file, flags, mode);
  try {
    return action(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Waits so long that a later change gets a later time stamp (the kernel's coarse clock ticks at 100 Hz at least). */
export function tick(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15);
}

/** lstat with exact times and numbers. */
export function stat(file: string | Buffer): fs.BigIntStats {
  return fs.lstatSync(file, { bigint: true });
}

/** The permission bits, with setuid, setgid and sticky. */
export function modeOf(file: string | Buffer): number {
  return fs.lstatSync(file).mode & 0o7777;
}

/** Names in a directory, sorted by their bytes. */
export function names(dir: string): string[] {
  return fs.readdirSync(dir).sort();
}

export function write(file: string | Buffer, content: string | Buffer = ''): void {
  fs.writeFileSync(file, content);
}

export function read(file: string | Buffer): string {
  return fs.readFileSync(file, 'latin1');
}

export function joinBytes(dir: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(dir), Buffer.from(path.sep), name]);
}
