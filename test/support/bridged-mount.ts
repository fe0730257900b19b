/**
 * The volume `main` of a store in memory behind the bridge and a fake kernel: all of the program but the device and
 * LevelDB.
 */
import { SESSION_OPTIONS, createHandlers, type BridgeHandlers, type BridgeOptions } from '../../src/bridge/index.ts';
import { noLog } from '../../src/util/index.ts';
import { snapshotView, volumeView, type View, type ViewOptions } from '../../src/vfs/index.ts';
import { KernelError } from './fake-kernel.ts';
import { FakeMount, type KernelOffer } from './fake-mount.ts';
import { MessageWriter, readEntry, MessageReader, type KernelDirent, type KernelEntry } from './fuse-message.ts';
import { openMemoryVolumes, type MemoryVolumes, type MemoryVolumesOptions } from './memory-volumes.ts';

export const ROOT = 1n;
/** The nodeid of `.snapshots`. */
export const SNAPDIR = 2n;

export interface BridgedMount {
  readonly memory: MemoryVolumes;
  readonly view: View;
  readonly handlers: BridgeHandlers;
  readonly mount: FakeMount;
  /** How often the bridge asked to take in no more, and to go on. */
  readonly intake: { paused: number; resumed: number };
}

export interface BridgedOptions extends BridgeOptions {
  volumes?: MemoryVolumesOptions;
  view?: Partial<ViewOptions>;
  /** What sets the kernel apart from Linux 6.18. */
  kernel?: Partial<KernelOffer>;
}

/** Mounts the volume `main` of a new store. */
export async function openBridged(options: BridgedOptions = {}): Promise<BridgedMount> {
  const memory = await openMemoryVolumes(options.volumes);
  const { volumes } = memory;
  const view = volumeView(volumes, volumes.get('main'), { availableBytes: () => 1 << 30, ...options.view });
  return mountView(memory, view, options);
}

/** Mounts a snapshot of it by itself. */
export function openSnapshot(memory: MemoryVolumes, name: string): Promise<BridgedMount> {
  const { volumes } = memory;
  const volume = volumes.get('main');
  return mountView(memory, snapshotView(volumes, volume, volume.snapshot(name), { availableBytes: () => 0 }), {});
}

async function mountView(memory: MemoryVolumes, view: View, options: BridgedOptions): Promise<BridgedMount> {
  const handlers = createHandlers(view, options);
  const { kernel = {}, log = noLog } = options;
  const mount = await FakeMount.open(handlers, { init: SESSION_OPTIONS, offer: kernel, log });
  mount.kernel.credentials = { uid: 0, gid: 0, pid: 1 };
  const intake = { paused: 0, resumed: 0 };
  handlers.attach({
    notify: mount.session.notify,
    pause: () => intake.paused++,
    resume: () => intake.resumed++,
  });
  return { memory, view, handlers, mount, intake };
}

/** mkdir in `.snapshots`: takes a snapshot; rejects with KernelError. */
export async function takeSnapshot(mount: FakeMount, name: string): Promise<KernelEntry> {
  const message = new MessageWriter().u32(0o755).u32(0).name(name).bytes();
  const { error, body } = await mount.kernel.request('FUSE_MKDIR', SNAPDIR, message);
  if (error !== 0) throw new KernelError('FUSE_MKDIR', error);
  return readEntry(new MessageReader(body));
}

/** The whole of a directory, asked for in answers of `size` bytes. */
export function listAll(mount: FakeMount, node: bigint, plus = false, size = 4096): KernelDirent[] {
  const all: KernelDirent[] = [];
  for (;;) {
    const offset = all.at(-1)?.nextOffset ?? 0;
    const some = plus ? mount.readdirplusOnce(node, 0, offset, size) : mount.readdirOnce(node, 0, offset, size);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** The names of a directory, sorted. */
export function namesIn(mount: FakeMount, node: bigint): string[] {
  return listAll(mount, node)
    .map(({ name }) => name.toString())
    .sort();
}

/** The errno that `action` is answered with, 0 for none. */
export function errnoOf(action: () => unknown): number {
  try {
    action();
  } catch (error) {
    if (error instanceof KernelError) return error.errno;
    throw error;
  }
  return 0;
}

/** The same for an action that answers later. */
export async function errnoLater(action: () => Promise<unknown>): Promise<number> {
  try {
    await action();
  } catch (error) {
    if (error instanceof KernelError) return error.errno;
    throw error;
  }
  return 0;
}
