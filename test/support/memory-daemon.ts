/**
 * Starts and ends test/mount/fixtures/memory-daemon.mjs, a small filesystem in a process of its own over the device transport. Whatever a
 * test does, its mount and its process are gone afterwards. The test's own process never touches the mount.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { forceUnmountBelow } from './mount-table.ts';
import { runCommand, within, type CommandResult } from './run-command.ts';

const program = fileURLToPath(new URL('../mount/fixtures/memory-daemon.mjs', import.meta.url));
const startTimeMs = 20_000;
const answerTimeMs = 20_000;

export class MemoryDaemon {
  readonly dir: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly ended: Promise<number | null>;
  stderr = '';

  constructor(dir: string, user?: number) {
    this.dir = dir;
    const identity = user === undefined ? {} : { uid: user, gid: user };
    this.#child = spawn(process.execPath, [program, dir], { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'], ...identity });
    this.#child.stderr.on('data', (data: Buffer) => (this.stderr += data.toString()));
    // A command may be sent to a daemon that has just ended.
    this.#child.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Resolves when it serves; rejects with what it said if it ended instead. */
  async ready(): Promise<this> {
    const line = await within(this.#lines.next(), startTimeMs);
    if (line?.value !== 'ready') {
      await within(this.ended, 1000);
      throw new Error(this.stderr === '' ? 'the daemon did not start in time' : this.stderr);
    }
    return this;
  }

  /** Sends a command and gives its answer. */
  async ask(...words: string[]): Promise<Record<string, unknown>> {
    this.#child.stdin.write(`${words.join(' ')}\n`);
    const line = await within(this.#lines.next(), answerTimeMs);
    if (line === undefined || line.done === true) throw new Error(`no answer to ${words.join(' ')}: ${this.stderr}`);
    return JSON.parse(line.value) as Record<string, unknown>;
  }

  /** Runs a shell command with the mount as `$M`; never fails by itself. */
  sh(command: string, timeLimitMs = 20_000): Promise<CommandResult> {
    const onStuck = (): Promise<void> => {
      forceUnmountBelow(this.dir);
      return Promise.resolve();
    };
    return runCommand('sh', ['-c', command], { env: { M: this.dir }, timeLimitMs, onStuck });
  }

  /** Runs a shell command that must succeed; gives its output. */
  async run(command: string, timeLimitMs?: number): Promise<string> {
    const result = await this.sh(command, timeLimitMs);
    if (result.status !== 0) throw new Error(`${command}: ${result.stderr}${this.stderr}`);
    return result.stdout;
  }

  /** As SIGKILL does it: no word to anybody. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** Runs `body` with a directory to mount on, and cleans up all that it left there. */
export async function withMountPoint(
  body: (dir: string, start: (user?: number) => Promise<MemoryDaemon>) => Promise<void>,
): Promise<void> {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'amberfs-fuse-'));
  const dir = path.join(parent, 'mount');
  fs.mkdirSync(dir);
  const daemons: MemoryDaemon[] = [];
  try {
    await body(dir, (user) => {
      const daemon = new MemoryDaemon(dir, user);
      daemons.push(daemon);
      return daemon.ready();
    });
  } finally {
    forceUnmountBelow(parent);
    for (const daemon of daemons) {
      if ((await within(daemon.ended, 5000)) === undefined) await daemon.kill();
    }
    fs.rmSync(parent, { recursive: true });
  }
}

/** Runs `body` with a daemon that serves. */
export function withMemoryDaemon(body: (daemon: MemoryDaemon) => Promise<void>): Promise<void> {
  return withMountPoint(async (_dir, start) => {
    await body(await start());
  });
}
