/**
 * A disk whose power can be cut at any moment: an ext4 filesystem in an image file on an XFS filesystem, each on a loop
 * device. A copy of the image that shares its blocks is made at one moment and holds what had reached the disk by then;
 * what was only in the page cache of the ext4 filesystem is missing, as after a power cut. Needs root.
 */
import fs from 'node:fs';
import path from 'node:path';
import { monotonicUs } from './acknowledged-operations.ts';
import { checkStore } from './crash-writers.ts';
import { forceUnmountBelow, isMounted } from './mount-table.ts';
import { withMounted, type Mounted } from './mounted.ts';
import { requireCommands, waitUntil } from './run-command.ts';

export interface PowerCut {
  readonly image: string;
  /** When copying began and ended, as in the logs of writers. */
  readonly beginsUs: number;
  readonly endsUs: number;
}

export interface PowerCutDisk {
  /** For everything that needs a time limit and a clean end; its own store is not used. */
  readonly mounted: Mounted;
  /** The store on the disk, and where its volume main is mounted. */
  readonly store: string;
  readonly dir: string;
  /** Copies the disk as it is at this moment. */
  cut(): Promise<PowerCut>;
  /**
   * Switches the machine on again, so to speak: mounts a copy and its store, gives `body` the mount, checks the store in
   * full, and throws the copy away.
   */
  examine(cut: PowerCut, body: (dir: string) => Promise<void>): Promise<void>;
}

const diskBytes = 8 * 1024 ** 3;
const hostBytes = 64 * 1024 ** 3;

/** Makes a disk with a store, mounts it, and gives both to `body`; cleans up whatever happens. */
export function withPowerCutDisk(body: (disk: PowerCutDisk) => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('loop devices and mounting them need root');
  requireCommands({ 'mkfs.xfs': 'xfsprogs', 'mkfs.ext4': 'e2fsprogs', losetup: 'mount' });
  return withMounted(async (mounted) => {
    const disk = new LoopDisk(mounted);
    try {
      await disk.start();
      await body(disk);
    } catch (error) {
      // What went wrong first is what the caller hears about.
      await disk.stop().catch(() => undefined);
      throw error;
    }
    await disk.stop();
  });
}

class LoopDisk implements PowerCutDisk {
  readonly mounted: Mounted;
  readonly store: string;
  readonly dir: string;
  readonly #host: string;
  readonly #disk: string;
  readonly #copy: string;
  readonly #copyDir: string;
  #count = 0;

  constructor(mounted: Mounted) {
    const below = (name: string): string => path.join(mounted.temp, name);
    this.mounted = mounted;
    this.#host = below('host');
    this.#disk = below('disk');
    this.#copy = below('copy');
    this.#copyDir = below('on-copy');
    this.dir = below('on-disk');
    this.store = path.join(this.#disk, 'store');
  }

  async start(): Promise<void> {
    const { mounted } = this;
    for (const directory of [this.#host, this.#disk, this.#copy, this.#copyDir, this.dir]) fs.mkdirSync(directory);
    const host = path.join(mounted.temp, 'host.img');
    await mounted.run('truncate', ['-s', String(hostBytes), host]);
    await mounted.run('mkfs.xfs', ['-q', '-m', 'reflink=1', host]);
    await mounted.run('mount', ['-o', 'loop', host, this.#host]);
    await mounted.run('truncate', ['-s', String(diskBytes), this.#image]);
    await mounted.run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1', this.#image]);
    await mounted.run('mount', ['-o', 'loop', this.#image, this.#disk]);
    await mounted.amberfs('init', this.store);
    await mounted.amberfs('mount', `${this.store}:main`, this.dir);
  }

  get #image(): string {
    return path.join(this.#host, 'disk.img');
  }

  /** The innermost first. A loop device goes with its last mount. */
  async stop(): Promise<void> {
    const { mounted } = this;
    try {
      for (const dir of [this.#copyDir, this.dir]) if (isMounted(dir)) await mounted.tryAmberfs('umount', dir);
      for (const directory of [this.#copy, this.#disk, this.#host]) {
        if (isMounted(directory)) await this.#unmount(directory);
      }
    } finally {
      for (const directory of [this.#copyDir, this.dir, this.#copy, this.#disk, this.#host])
        forceUnmountBelow(directory);
    }
  }

  /** A daemon needs a moment to let go of its store. */
  async #unmount(directory: string): Promise<void> {
    const unmounted = async (): Promise<boolean> => (await this.mounted.attempt('umount', [directory])).status === 0;
    await waitUntil(`${directory} unmounted`, 15_000, unmounted);
  }

  async cut(): Promise<PowerCut> {
    const image = path.join(this.#host, `cut${++this.#count}.img`);
    const beginsUs = monotonicUs();
    await this.mounted.run('cp', ['--reflink=always', this.#image, image]);
    return { image, beginsUs, endsUs: monotonicUs() };
  }

  async examine({ image }: PowerCut, body: (dir: string) => Promise<void>): Promise<void> {
    const { mounted } = this;
    const store = path.join(this.#copy, 'store');
    // The journal of ext4 is replayed by mounting it.
    await mounted.run('mount', ['-o', 'loop', image, this.#copy]);
    try {
      await mounted.amberfs('mount', `${store}:main`, this.#copyDir);
      try {
        await body(this.#copyDir);
      } finally {
        await mounted.amberfs('umount', this.#copyDir);
      }
      await checkStore(mounted, store);
    } finally {
      await this.#unmount(this.#copy);
      fs.rmSync(image);
    }
  }
}
