/**
 * A store with mounts for one test, made and used through the command line as a person would, and always cleaned up:
 * `amberfs umount` first; a mount that is left after that is aborted and detached, a daemon that is left is killed.
 * The process of the test runner stays outside of the mounts (see run-command.ts).
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import tmp from 'tmp-promise';
import { listField, numberField, parseObject, type JsonObject } from './json-fields.ts';
import { forceUnmountBelow, isMounted, mountsBelow } from './mount-table.ts';
import {
  describeFailure,
  mustRun,
  runCommand,
  waitUntil,
  type CommandOptions,
  type CommandResult,
} from './run-command.ts';

/** What was built here, or another build to put to the test. */
const cli = process.env['AMBERFS_CLI'] ?? fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The command line tool as words of a shell command. */
export const amberfsCommand: readonly string[] = [process.execPath, cli];

/** How long a daemon may take to end by itself after its last mount is gone. */
const daemonEndMs = 15_000;

export interface Mounted {
  /** A directory on the host for whatever the test needs; store and mount points are in it. */
  readonly temp: string;
  readonly store: string;
  /** Where the volume main is mounted. */
  readonly dir: string;
  /** Runs a command that must succeed, with a time limit; returns its standard output. */
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Runs a command, whatever its status. */
  attempt(command: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs `sh -e` with a script in a directory (the mount point by default), with further arguments. */
  sh(script: string, ...args: string[]): Promise<string>;
  /** Runs the command line tool; it must succeed. */
  amberfs(...args: string[]): Promise<string>;
  /** Runs the command line tool, whatever its status. */
  tryAmberfs(...args: string[]): Promise<CommandResult>;
  /** Runs the command line tool with `--json` and parses what it prints. */
  json(...args: string[]): Promise<JsonObject>;
  /** Mounts VOLUME or VOLUME@NAME on a new directory below `temp` and returns its path. */
  mount(target: string, ...options: string[]): Promise<string>;
  umount(dir?: string): Promise<void>;
  /** Unmounts and mounts main again. */
  remount(): Promise<void>;
  /** Mounts main again over the mount point that a killed daemon left behind. */
  remountDead(): Promise<void>;
  daemonPid(): Promise<number>;
  /** Ends the daemon with SIGKILL and waits until it is gone; the mounts stay behind, dead. */
  killDaemon(): Promise<void>;
  /** Cleans up everything. Rejects when something was left over that had to be forced. */
  close(): Promise<void>;
}

export interface MountedOptions {
  /** Options for the mount of main, for example `['-o', 'noatime']`. */
  mountOptions?: readonly string[];
}

/** Runs the built command line tool. */
export function runAmberfs(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return runCommand(process.execPath, [cli, ...args], options);
}

/** Makes a store, mounts main, and gives both to `body`; cleans up whatever happens. */
export async function withMounted(body: (mounted: Mounted) => Promise<void>, options?: MountedOptions): Promise<void> {
  const mounted = await openMounted(options);
  try {
    await body(mounted);
  } catch (error) {
    // What the test found comes first; what the clean-up finds after a failure is a consequence.
    await mounted.close().catch(() => undefined);
    throw error;
  }
  await mounted.close();
}

/** Like `withMounted`, for a mount that several tests share; the caller closes it in `afterAll`. */
export async function openMounted(options: MountedOptions = {}): Promise<Mounted> {
  if (!fs.existsSync(cli)) throw new Error(`${cli} is missing: run npm run build`);
  const directory = await tmp.dir({ prefix: 'amberfs-mount-', mode: 0o755 });
  const temp = fs.realpathSync(directory.path);
  const mounted = new StoreUnderTest(temp, options);
  try {
    await mounted.start();
  } catch (error) {
    await mounted.close().catch(() => undefined);
    throw error;
  }
  return mounted;
}

class StoreUnderTest implements Mounted {
  readonly temp: string;
  readonly store: string;
  readonly dir: string;
  readonly #options: MountedOptions;
  readonly #pids = new Set<number>();
  #mountCount = 0;
  readonly #onExit = (): void => this.#forceEnd();

  constructor(temp: string, options: MountedOptions) {
    this.temp = temp;
    this.store = path.join(temp, 'store');
    this.dir = path.join(temp, 'mnt');
    this.#options = options;
  }

  async start(): Promise<void> {
    // The last resort, when the test runner ends without coming to `close`.
    process.once('exit', this.#onExit);
    fs.mkdirSync(this.dir);
    await this.amberfs('init', this.store);
    await this.remountDead();
  }

  run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return mustRun(command, args, { onStuck: this.#abort, ...options });
  }

  attempt(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(command, args, { onStuck: this.#abort, ...options });
  }

  sh(script: string, ...args: string[]): Promise<string> {
    return this.run('sh', ['-euc', script, 'sh', ...args], { cwd: this.dir, timeLimitMs: 100_000 });
  }

  async amberfs(...args: string[]): Promise<string> {
    const result = await this.tryAmberfs(...args);
    if (result.status !== 0) throw new Error(describeFailure('amberfs', args, result));
    return result.stdout;
  }

  async tryAmberfs(...args: string[]): Promise<CommandResult> {
    const result = await runAmberfs(args, { onStuck: this.#abort });
    if (args[0] === 'mount' && result.status === 0) await this.#rememberDaemon(args[1]!.split(':')[0]!);
    return result;
  }

  async json(...args: string[]): Promise<JsonObject> {
    const object = parseObject(await this.amberfs(...args, '--json'));
    numberField(object, 'output_version');
    return object;
  }

  async mount(target: string, ...options: string[]): Promise<string> {
    const dir = path.join(this.temp, `mnt${++this.#mountCount}`);
    fs.mkdirSync(dir);
    await this.#mountOn(target, dir, options);
    return dir;
  }

  async umount(dir = this.dir): Promise<void> {
    await this.amberfs('umount', dir);
    if (isMounted(dir)) throw new Error(`${dir} is still mounted after amberfs umount`);
  }

  async remount(): Promise<void> {
    if (isMounted(this.dir)) await this.umount();
    await this.remountDead();
  }

  remountDead(): Promise<void> {
    return this.#mountOn('main', this.dir, this.#options.mountOptions ?? []);
  }

  async daemonPid(): Promise<number> {
    return numberField(await this.json('status', this.store), 'pid');
  }

  async killDaemon(): Promise<void> {
    const pid = await this.daemonPid();
    process.kill(pid, 'SIGKILL');
    await waitUntil(`daemon ${pid} gone`, 10_000, () => !isAlive(pid));
  }

  async close(): Promise<void> {
    for (const entry of mountsBelow(this.temp)) await this.tryAmberfs('umount', entry.mountPoint);
    const left = mountsBelow(this.temp).map((entry) => entry.mountPoint);
    const ended = await waitUntil('daemons gone', daemonEndMs, () => ![...this.#pids].some(isAlive)).then(
      () => true,
      () => false,
    );
    this.#forceEnd();
    process.off('exit', this.#onExit);
    fs.rmSync(this.temp, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`amberfs umount left mounts behind: ${left.join(', ')}`);
    if (!ended) throw new Error('the daemon was still there after its last mount was gone');
  }

  async #mountOn(target: string, dir: string, options: readonly string[]): Promise<void> {
    await this.amberfs('mount', `${this.store}:${target}`, dir, ...options);
    if (!isMounted(dir)) throw new Error(`${dir} is not mounted after amberfs mount`);
  }

  /** Notes the daemon of a store, so that `close` can see to it that it ends. */
  async #rememberDaemon(store: string): Promise<void> {
    const result = await runAmberfs(['status', store, '--json'], { onStuck: this.#abort });
    if (result.status !== 0) throw new Error(describeFailure('amberfs', ['status', store, '--json'], result));
    this.#pids.add(numberField(parseObject(result.stdout), 'pid'));
  }

  readonly #abort = async (): Promise<void> => {
    forceUnmountBelow(this.temp);
  };

  /** Must not wait: it also runs when the process exits. */
  #forceEnd(): void {
    for (const pid of this.#pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    forceUnmountBelow(this.temp);
  }
}

/**
 * True while a process runs; a zombie, which only waits for its parent, has ended. The main thread of a process that is
 * killed may be a zombie while others still hold its files open, as the device of a mount.
 */
export function isAlive(pid: number): boolean {
  try {
    const status = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3);
    return state !== 'Z' || fs.readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/** The bytes of file data that the store uses, as statfs(2) of the mount tells: unlike what is free, nobody else on the host can change that. */
export async function usedBytes(mounted: Mounted): Promise<number> {
  const [total, free, unit] = (await mounted.run('stat', ['-f', '-c', '%b %f %S', mounted.dir])).trim().split(' ');
  return (Number(total) - Number(free)) * Number(unit);
}

/** The rows of a listing with `--json`: they are in one list, named in the plural (`mounts`, `volumes`, `snapshots`). */
export async function rowsOf(mounted: Mounted, list: string, ...args: string[]): Promise<JsonObject[]> {
  return listField(await mounted.json(...args), list);
}
