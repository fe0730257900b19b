/**
 * A memory cgroup for processes of a test, by version 1 or 2 of the kernel's interface: they share a limit that the page cache counts towards,
 * so that they reclaim memory as on a machine that has no more. What is in it when it is removed is killed.
 */
import fs from 'node:fs';
import path from 'node:path';
import { waitUntil } from './run-command.ts';

/** Where one version of the interface keeps what is asked here. */
interface Interface {
  readonly type: 'cgroup' | 'cgroup2';
  readonly limit: string;
  readonly peak: string;
  readonly events: string;
}

const INTERFACES: readonly Interface[] = [
  { type: 'cgroup2', limit: 'memory.max', peak: 'memory.peak', events: 'memory.events' },
  {
    type: 'cgroup',
    limit: 'memory.limit_in_bytes',
    peak: 'memory.max_usage_in_bytes',
    events: 'memory.oom_control',
  },
];

const END_MS = 10_000;
let made = 0;

export class MemoryCgroup {
  readonly #directory: string;
  readonly #interface: Interface;

  readonly limitBytes: number;

  private constructor(directory: string, kind: Interface, limitBytes: number) {
    this.limitBytes = limitBytes;
    this.#directory = directory;
    this.#interface = kind;
  }

  /** Makes one that may use so much. Gives the reason, as a text, where this machine does not let us. */
  static create(limitMiB: number): MemoryCgroup | string {
    const limitBytes = limitMiB * 1024 * 1024;
    const refused: string[] = [];
    for (const kind of INTERFACES) {
      const root = mountPoint(kind.type);
      if (root === undefined) continue;
      const directory = path.join(root, `amberfs-test-${process.pid}-${++made}`);
      try {
        if (kind.type === 'cgroup2') fs.writeFileSync(path.join(root, 'cgroup.subtree_control'), '+memory');
        fs.mkdirSync(directory);
        // Version 2 has it from Linux 5.19 on.
        fs.accessSync(path.join(directory, kind.peak));
        fs.writeFileSync(path.join(directory, kind.limit), String(limitBytes));
        return new MemoryCgroup(directory, kind, limitBytes);
      } catch (error) {
        refused.push(String(error));
        if (fs.existsSync(directory)) fs.rmdirSync(directory);
      }
    }
    return `no memory cgroup can be made: ${refused.join('; ') || 'none is mounted'}`;
  }

  /** A command that runs in it; what that starts does so too, from its first page of memory on. */
  inside(command: readonly string[]): string[] {
    return ['sh', '-euc', 'echo $$ > "$0"; exec "$@"', path.join(this.#directory, 'cgroup.procs'), ...command];
  }

  has(pid: number): boolean {
    return this.#pids().includes(pid);
  }

  /** How many of its processes the kernel killed for want of memory. */
  get killed(): number {
    return Number(/^oom_kill (\d+)$/m.exec(this.#read(this.#interface.events))![1]);
  }

  /** The most that it used, page cache and all. */
  get peakBytes(): number {
    return Number(this.#read(this.#interface.peak));
  }

  async remove(): Promise<void> {
    for (const pid of this.#pids()) kill(pid);
    await waitUntil('the cgroup is empty', END_MS, () => this.#pids().length === 0);
    fs.rmdirSync(this.#directory);
  }

  #pids(): number[] {
    const lines = this.#read('cgroup.procs').split('\n');
    return lines.filter((line) => line !== '').map(Number);
  }

  #read(file: string): string {
    return fs.readFileSync(path.join(this.#directory, file), 'utf8');
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}

/** Where the interface of that type is mounted that has memory to give. */
function mountPoint(type: Interface['type']): string | undefined {
  for (const line of fs.readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, place, found, options] = line.split(' ');
    if (found !== type || place === undefined) continue;
    if (type === 'cgroup' && !options!.split(',').includes('memory')) continue;
    if (type === 'cgroup2' && !/\bmemory\b/.test(fs.readFileSync(path.join(place, 'cgroup.controllers'), 'utf8'))) {
      continue;
    }
    return place;
  }
  return undefined;
}
