/**
 * Runs commands for the mount tests, always with an end: a process that outlives its time limit is killed with its
 * whole group, and one that even a kill can't end (it waits inside a mount that hangs) is left to `onStuck`, which
 * aborts the mount. The runner's own process never calls into a mount: no working directory there (a `chdir` of the
 * child would block the parent inside fork and exec), no stat, no read.
 */
import { spawn, spawnSync } from 'node:child_process';

export interface CommandResult {
  status: number | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

export interface CommandOptions {
  /** Where the command runs; set by env(1) inside the child. */
  cwd?: string;
  timeLimitMs?: number;
  input?: string;
  env?: Record<string, string>;
  /** Called when the command does not die; must make it die. */
  onStuck?: () => Promise<void>;
}

const defaultTimeLimitMs = 60_000;
const dyingTimeMs = 3_000;

/** Runs a command to its end, whatever its status. Rejects only when it can't be started. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const chdir = options.cwd === undefined ? [] : [`--chdir=${options.cwd}`];
  const child = spawn('env', [...chdir, command, ...args], {
    cwd: '/',
    detached: true,
    env: { ...process.env, LC_ALL: 'C', NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  // A command may end before it has read all of its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  let status = await within(closed, options.timeLimitMs ?? defaultTimeLimitMs);
  const timedOut = status === undefined;
  if (status === undefined) {
    killGroup(child.pid);
    status = await within(closed, dyingTimeMs);
    if (status === undefined) {
      await options.onStuck?.();
      status = await within(closed, dyingTimeMs);
    }
  }
  return {
    status: status ?? null,
    stdout: Buffer.concat(output).toString(),
    stderr: Buffer.concat(errors).toString(),
    timedOut,
  };
}

/** What a failed command says, for the message of an error. */
export function describeFailure(command: string, args: readonly string[], result: CommandResult): string {
  const end = result.timedOut ? 'did not end in time (does a child of it hold its output?)' : `status ${result.status}`;
  return `${command} ${args.join(' ')}: ${end}\n${result.stdout.slice(-2000)}${result.stderr.slice(-2000)}`;
}

/** Runs a command that must succeed; returns its standard output. */
export async function mustRun(command: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const result = await runCommand(command, args, options);
  if (result.status !== 0) throw new Error(describeFailure(command, args, result));
  return result.stdout;
}

/** Throws for each missing command, with the Debian packages to install. */
export function requireCommands(packageByCommand: Record<string, string>): void {
  const missing = Object.entries(packageByCommand).filter(
    ([command]) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0,
  );
  if (missing.length === 0) return;
  const commands = missing.map(([command]) => command).join(', ');
  const packages = [...new Set(missing.map(([, name]) => name))].join(' ');
  throw new Error(`missing: ${commands}; install them with: apt-get install ${packages}`);
}

/** The value of a promise, or undefined when it takes longer than `limitMs`. */
export async function within<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until `check` holds; throws with `what` when the time is over. */
export async function waitUntil(what: string, limitMs: number, check: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`still not after ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group ended by itself in the meantime.
  }
}
