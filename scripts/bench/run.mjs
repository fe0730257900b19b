/**
 * Runs the child processes of the benchmark, with an end in any case. The benchmark's own process never touches a mount, so
 * a peer that hangs ends with an error and not with a benchmark that has to be killed.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const IO_CHILD = new URL('./io-child.mjs', import.meta.url);
const TIME_LIMIT_MS = 600_000;

/** Runs a command that must succeed; resolves to its standard output and its duration. */
export function run(command, args, { cwd = '/', timeLimitMs = TIME_LIMIT_MS } = {}) {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    // env(1) changes directory inside the child: a chdir into a mount that hangs would block this process inside fork.
    const child = spawn('env', [`--chdir=${cwd}`, command, ...args], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    let output = '';
    let errors = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), timeLimitMs);
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (errors += data));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      if (status === 0) resolve({ output, seconds });
      else
        reject(
          new Error(
            `${command} ${args.slice(0, 8).join(' ')}: status ${status} ${signal ?? ''}\n${errors.slice(-1000)}`,
          ),
        );
    });
  });
}

/** Runs a script, given by its URL, and resolves to what it prints, which is JSON. */
export async function runChild(script, ...args) {
  return JSON.parse((await run(process.execPath, [fileURLToPath(script), ...args.map(String)])).output);
}

/** Runs one job of io-child.mjs and resolves to the figures that it prints. */
export function runIo(job, ...args) {
  return runChild(IO_CHILD, job, ...args);
}

/** True when `dir` is a mount point. Asks the kernel's table and not the mount. */
export function isMounted(dir) {
  return connectionOf(dir) !== undefined;
}

/** The minor device number of the mount on `dir`, or undefined. */
function connectionOf(dir) {
  for (const line of fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const fields = line.split(' ');
    if (fields[4] === dir) return fields[2].split(':')[1];
  }
  return undefined;
}

/** Removes the mount on `dir`, if there is one, whatever state it is in. */
export function forceUnmount(dir) {
  const connection = connectionOf(dir);
  if (connection === undefined) return;
  const abort = `/sys/fs/fuse/connections/${connection}/abort`;
  if (fs.existsSync(abort)) fs.writeFileSync(abort, '1');
  spawnSync('umount', ['--lazy', dir], { timeout: 10_000 });
  if (isMounted(dir)) throw new Error(`cannot unmount ${dir}`);
}

export async function waitUntil(what, limitMs, check) {
  const end = Date.now() + limitMs;
  while (!check()) {
    if (Date.now() > end) throw new Error(`still not after ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** True while a process runs; a zombie has ended. */
export function isAlive(pid) {
  try {
    const status = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return status[status.lastIndexOf(')') + 2] !== 'Z';
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return false;
    throw error;
  }
}
