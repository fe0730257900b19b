/**
 * A store on a small filesystem of its own, ext4 on a loop device: it can be filled, made read-only, and made to fail as a broken disk does.
 * Nothing of the machine that runs the tests is put at risk.
 */
import fs from 'node:fs';
import path from 'node:path';
import { isAlive, withMounted, type Mounted } from './mounted.ts';
import { requireCommands, waitUntil } from './run-command.ts';

export interface LoopHost {
  readonly mounted: Mounted;
  /** Where the host's filesystem is mounted. */
  readonly host: string;
  /** The store on it. */
  readonly store: string;
  /** Where the volume main of that store is mounted, as long as it is. */
  readonly dir: string;
  /** Runs `sh -e` with a script in `dir`. */
  sh: (script: string) => Promise<string>;
  /** Runs `sh` with a script in `dir`, whatever its status, and gives its output, both streams. */
  attempt: (script: string) => Promise<string>;
  mount: () => Promise<unknown>;
  umount: () => Promise<unknown>;
  /** Ends the daemon of that store with SIGKILL. */
  kill: () => Promise<void>;
  /** Mounts the host's filesystem anew: after that it works again. Nothing of the store may be mounted. */
  repair: () => Promise<void>;
}

/** Runs `body` with a host of `sizeMiB`, no block of it kept for root, whose store is mounted; cleans up whatever happens. */
export function withLoopHost(sizeMiB: number, body: (small: LoopHost) => Promise<void>): Promise<void> {
  requireCommands({ 'mkfs.ext4': 'e2fsprogs', xfs_io: 'xfsprogs' });
  return withMounted(async (mounted) => {
    const [image, host, dir] = ['image', 'host', 'small'].map((name) => path.join(mounted.temp, name)) as [
      string,
      string,
      string,
    ];
    const store = path.join(host, 'store');
    for (const made of [host, dir]) fs.mkdirSync(made);
    await mounted.run('truncate', ['-s', `${sizeMiB}M`, image]);
    await mounted.run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    const attach = (): Promise<string> => mounted.run('mount', ['-o', 'loop', image, host]);
    const detach = (): Promise<void> =>
      waitUntil('the host lets go', 15_000, async () => (await mounted.attempt('umount', [host])).status === 0);
    await attach();
    try {
      await mounted.amberfs('init', store);
      await mounted.amberfs('mount', store, dir);
      await body({
        ...{ mounted, host, store, dir },
        sh: (script) => mounted.sh(`cd "$1"; ${script}`, dir),
        attempt: async (script) => {
          const { stdout, stderr } = await mounted.attempt('sh', ['-c', script], { cwd: dir });
          return stdout + stderr;
        },
        mount: () => mounted.amberfs('mount', store, dir),
        umount: () => mounted.amberfs('umount', dir),
        kill: async () => {
          const pid = Number(fs.readFileSync(path.join(store, 'owner.pid'), 'utf8'));
          process.kill(pid, 'SIGKILL');
          await waitUntil('the daemon is gone', 10_000, () => !isAlive(pid));
        },
        repair: async () => {
          await detach();
          await attach();
        },
      });
    } finally {
      await mounted.attempt('umount', [dir]);
      await detach();
    }
  });
}
