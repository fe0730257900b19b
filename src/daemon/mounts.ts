// The mounts of this daemon: which view is where, from the request to the moment when the kernel has let go.
//
// INVARIANT: a view (a volume's live files, or one snapshot) is in one mount at most. The kernel's caches of two mounts would not see each
// other's changes (checked by test/unit/daemon/mounts.test.ts).
// Nothing here touches a mount of its own: whoever serves a request must not wait for one.

import type { AfterRestore } from '../bridge/index.ts';
import { FsError } from '../errors/index.ts';
import { canonicalMountPoint, connectionOf, type FuseSession, type Transport } from '../fuse/index.ts';
import type { Log } from '../util/index.ts';
import type { Snapshot, Volume } from '../volume/index.ts';
import type { MountInfo, MountRequest } from './control/methods.ts';
import { formatSource } from './control/mount-table.ts';
import type { Core } from './core.ts';
import { assertApart } from './mount-place.ts';
import { openView, type OpenView } from './open-view.ts';
import { within } from './within.ts';

interface Mount {
  readonly dir: string;
  readonly volume: Volume;
  /** undefined: the live files. */
  readonly snapshot: Snapshot | undefined;
  readonly readOnly: boolean;
  readonly mountedMs: number;
  readonly session: FuseSession;
  readonly view: OpenView;
  /** Resolves when the mount is gone and what was written is durable, with what made that fail. */
  readonly gone: Promise<Error | undefined>;
}

/** How soon the kernel ends a session that nobody uses after it was unmounted. It does so at once. */
const END_WAIT_MS = 1_000;
/** How long the kernel may take to drop what it has cached before the change is answered all the same. */
const NOTIFY_MS = 5_000;

export class Mounts {
  readonly #core: Core;
  readonly #transport: Transport;
  readonly #log: Log;
  readonly #onGone: () => void;
  readonly #mounts = new Set<Mount>();
  /** Views that are being mounted. */
  readonly #coming = new Map<Volume | Snapshot, string>();

  /** `onGone` is called when a mount has ended, however it did, and what was written is durable. */
  constructor(core: Core, transport: Transport, log: Log, onGone: () => void) {
    this.#core = core;
    this.#transport = transport;
    this.#log = log;
    this.#onGone = onGone;
  }

  /** Whether there is no mount and none is coming. */
  get idle(): boolean {
    return this.#mounts.size === 0 && this.#coming.size === 0;
  }

  list(): MountInfo[] {
    return [...this.#mounts].map((mount) => this.#describe(mount));
  }

  #describe(mount: Mount): MountInfo {
    return {
      dir: mount.dir,
      volume: mount.volume.name,
      snapshot: mount.snapshot?.label.name ?? null,
      readOnly: mount.readOnly,
      mountedMs: mount.mountedMs,
      connection: mount.session.connection ?? null,
      requests: Object.values(mount.session.statistics.toJSON()).reduce((sum, { requests }) => sum + requests, 0),
      damage: this.#core.volumes.store.kv.damage?.message ?? null,
    };
  }

  /** The mount of the volume's live files. */
  ofVolume(volume: Volume): MountInfo | undefined {
    const mount = this.#find(volume, undefined);
    return mount === undefined ? undefined : this.#describe(mount);
  }

  /** The mount of the snapshot by itself. */
  ofSnapshot(snapshot: Snapshot): MountInfo | undefined {
    for (const mount of this.#mounts) if (mount.snapshot === snapshot) return this.#describe(mount);
    return undefined;
  }

  #find(volume: Volume, snapshot: Snapshot | undefined): Mount | undefined {
    for (const mount of this.#mounts) if (mount.volume === volume && mount.snapshot === snapshot) return mount;
    return undefined;
  }

  /** Mounts; resolves when the mount is in place. Rejects with FsError where that can't be. */
  async add(request: MountRequest): Promise<MountInfo> {
    const volume = this.#core.volumes.get(request.volume);
    const snapshot = request.snapshot === undefined ? undefined : volume.snapshot(request.snapshot);
    const key = snapshot ?? volume;
    this.#assertNotMounted(volume, snapshot);
    this.#coming.set(key, request.dir);
    try {
      const dir = await canonicalMountPoint(request.dir);
      assertApart(dir, this.#core.store.path);
      const mount = await this.#open(request, dir, volume, snapshot);
      this.#mounts.add(mount);
      this.#log.info(`${nameOf(volume, snapshot)} mounted on ${dir}${mount.readOnly ? ', read-only' : ''}`);
      return this.#describe(mount);
    } finally {
      this.#coming.delete(key);
    }
  }

  #assertNotMounted(volume: Volume, snapshot: Snapshot | undefined): void {
    const coming = this.#coming.get(snapshot ?? volume);
    const mount = this.#find(volume, snapshot);
    const name = nameOf(volume, snapshot);
    if (mount !== undefined && isDetached(mount)) {
      throw new FsError(
        'EBUSY',
        'view-still-used',
        `${name} was unmounted from ${mount.dir} but is still in use, by programs or by a bind mount; end those first`,
      );
    }
    const dir = mount?.dir ?? coming;
    if (dir === undefined) return;
    throw new FsError(
      'EBUSY',
      'view-mounted',
      `${name} is mounted already, on ${dir}; use it there or unmount it first`,
    );
  }

  async #open(request: MountRequest, dir: string, volume: Volume, snapshot: Snapshot | undefined): Promise<Mount> {
    const { options } = request;
    const checkRemovable = (removed: Snapshot): void => this.assertSnapshotFree(volume, removed);
    const view = openView(this.#core, volume, snapshot, options, checkRemovable, this.#log);
    const source = formatSource({
      store: this.#core.store.path,
      volume: volume.name,
      ...(snapshot === undefined ? {} : { snapshot: snapshot.label.name }),
    });
    const session = await this.#transport.open(dir, view.handlers, {
      source: options.fsname ?? source,
      readOnly: view.readOnly,
      allowOther: options.allowOther ?? process.geteuid?.() === 0,
      suid: options.suid ?? false,
      dev: options.dev ?? false,
      exec: options.exec ?? true,
      noatime: options.noatime ?? false,
      init: view.init,
      log: this.#log,
    });
    view.handlers.attach(session);
    const gone = session.closed.then((end) => {
      this.#mounts.delete(mount);
      return this.#settle(mount, end.error);
    });
    const mountedMs = Date.now();
    const mount: Mount = { dir, volume, snapshot, readOnly: view.readOnly, mountedMs, session, view, gone };
    return mount;
  }

  /** The mount has ended: makes durable what was written. Never rejects. */
  async #settle(mount: Mount, error: Error | undefined): Promise<Error | undefined> {
    const name = nameOf(mount.volume, mount.snapshot);
    if (error === undefined) this.#log.info(`${name} unmounted from ${mount.dir}`);
    else this.#log.error(`the mount of ${name} on ${mount.dir} ended: ${error.message}`);
    let failure: Error | undefined;
    try {
      await this.#core.volumes.flush();
    } catch (cause) {
      failure = cause instanceof Error ? cause : new Error(String(cause));
      this.#log.error(`after unmounting ${mount.dir}: ${failure.message}`);
    }
    this.#onGone();
    return failure;
  }

  /**
   * Unmounts `dir` (canonical); resolves when the mount is gone and what was written is durable. `lazy`: see FuseSession.unmount. Where the
   * volume stays in use, lazily or by a bind mount, it resolves all the same. Rejects with ENOENT where this daemon has no mount there, EBUSY, or what the flush met.
   */
  async remove(dir: string, lazy: boolean): Promise<void> {
    const mount = [...this.#mounts].findLast((candidate) => candidate.dir === dir);
    if (mount === undefined) {
      throw new FsError('ENOENT', 'mount-unknown', `${dir}: the daemon of ${this.#core.store.path} has no mount here`);
    }
    await mount.session.unmount({ lazy });
    const end = await within(mount.session.closed, END_WAIT_MS);
    if (end === undefined) {
      // Lazily, or it is mounted elsewhere as well: a bind mount, another mount namespace. The session goes on for whoever uses that.
      this.#log.info(`${nameOf(mount.volume, mount.snapshot)} unmounted from ${dir}, but it is still in use`);
      await this.#core.volumes.flush();
      return;
    }
    const failure = await mount.gone;
    if (failure !== undefined) throw failure;
  }

  /** Throws FsError EBUSY where a snapshot of `volume` is mounted by itself: its mount would show something else, or nothing. */
  assertSnapshotFree(volume: Volume, snapshot: Snapshot): void {
    const mount = this.#find(volume, snapshot);
    const dir = mount?.dir ?? this.#coming.get(snapshot);
    if (dir === undefined) return;
    throw new FsError(
      'EBUSY',
      'snapshot-mounted',
      `${nameOf(volume, snapshot)} is mounted on ${dir}; unmount it first`,
    );
  }

  /** Throws FsError EBUSY where `volume` or a snapshot of it is mounted. */
  assertVolumeFree(volume: Volume): void {
    this.#assertNotComing(volume);
    for (const mount of this.#mounts) {
      if (mount.volume !== volume) continue;
      const name = nameOf(volume, mount.snapshot);
      throw new FsError('EBUSY', 'volume-mounted', `${name} is mounted on ${mount.dir}; unmount it first`);
    }
  }

  #assertNotComing(volume: Volume): void {
    for (const [view, dir] of this.#coming) {
      const concerned = view === volume || volume.snapshots().some((snapshot) => snapshot === view);
      if (!concerned) continue;
      throw new FsError('EBUSY', 'volume-being-mounted', `volume ${volume.name} is being mounted on ${dir}; try again`);
    }
  }

  /**
   * The snapshots of a volume in the directories `accessPoints` of `.snapshots` came, went or changed: resolves when its mount shows it. Never
   * rejects.
   */
  async snapshotsChanged(volume: Volume, accessPoints: readonly string[]): Promise<void> {
    const mount = this.#find(volume, undefined);
    if (mount !== undefined) await within(mount.view.handlers.invalidateSnapshots(accessPoints), NOTIFY_MS);
  }

  /**
   * To be called right before `volume` is restored; what it gives, right after, with the access points of snapshots that this made. That
   * resolves when the mount shows the files of now; it never rejects. Throws FsError EBUSY.
   */
  beforeRestore(volume: Volume): AfterRestore {
    this.#assertNotComing(volume);
    const told = this.#find(volume, undefined)?.view.handlers.beforeRestore();
    return async (accessPoints) => {
      if (told !== undefined) await within(told(accessPoints), NOTIFY_MS);
    };
  }

  /** The property `snapdir` of a volume was set: resolves when its mount goes by it. Never rejects. */
  async snapdirChanged(volume: Volume): Promise<void> {
    const mount = this.#find(volume, undefined);
    if (mount !== undefined) await within(mount.view.handlers.invalidateSnapdir(), NOTIFY_MS);
  }

  /**
   * Unmounts everything: tries for `politeMs` with those that are in use, then takes them out of sight and serves on for whoever still uses
   * them until `limitMs` are over; whoever then still does gets errors. Never rejects.
   */
  async removeAll(politeMs: number, limitMs: number): Promise<void> {
    await Promise.all([...this.#mounts].map((mount) => this.#removeFirmly(mount, politeMs, limitMs)));
  }

  async #removeFirmly(mount: Mount, politeMs: number, limitMs: number): Promise<void> {
    const politeUntil = Date.now() + politeMs;
    let lazy = false;
    for (;;) {
      try {
        await mount.session.unmount({ lazy });
        break;
      } catch (error) {
        const busy = error instanceof FsError && error.code === 'EBUSY';
        if (!busy || lazy) {
          // Not mounted any more: whoever did that was lazy, too.
          this.#log.warn(`unmounting ${mount.dir}: ${error instanceof Error ? error.message : String(error)}`);
          break;
        }
      }
      lazy = Date.now() >= politeUntil;
      if (!lazy) await within(mount.gone, 100);
    }
    if (lazy) this.#log.warn(`${mount.dir} is in use; it is unmounted lazily`);
    await within(mount.gone, limitMs);
    if (!this.#mounts.has(mount)) return;
    this.#log.warn(`${mount.dir} is still in use; programs that use it get errors from now on`);
    mount.session.abandon();
    await within(mount.gone, limitMs);
  }

  /** Lets go of everything at once, for the end of a process that can't go on: nobody shall wait for it. Never rejects. */
  async abandonAll(): Promise<void> {
    const mounts = [...this.#mounts];
    // Before they leave the mount table: a thread of ours may wait in the kernel, and the process could not end.
    for (const mount of mounts) mount.session.abandon();
    await Promise.all(mounts.map((mount) => mount.session.unmount({ lazy: true }).catch(() => undefined)));
  }
}

function nameOf(volume: Volume, snapshot: Snapshot | undefined): string {
  return snapshot === undefined ? `volume ${volume.name}` : `snapshot ${volume.name}@${snapshot.label.name}`;
}

/** Whether the mount has left the mount table and lives on for those who have files of it open. */
function isDetached(mount: Mount): boolean {
  return mount.session.connection !== undefined && connectionOf(mount.dir) !== mount.session.connection;
}
