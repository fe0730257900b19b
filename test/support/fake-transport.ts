/** A transport whose mounts end in fake kernels: what a daemon does with mounts, without any. */
import { FsError } from '../../src/errors/index.ts';
import type { FuseHandlers, FuseSession, MountOptions, Transport } from '../../src/fuse/index.ts';
import { FakeMount } from './fake-mount.ts';

/** A mount that was made, as both its ends see it. */
export interface FakeSession {
  readonly mountPoint: string;
  readonly mount: FakeMount;
  readonly options: MountOptions;
  /** Somebody uses it: it can't be unmounted but lazily, and then lives on until it is abandoned. */
  busy: boolean;
  lazily: boolean;
  abandoned: boolean;
}

export class FakeTransport implements Transport {
  readonly name = 'fake';
  readonly sessions: FakeSession[] = [];
  /** What the next mount fails with. */
  failure: Error | undefined;
  /** Runs while a mount is being made. */
  onOpen: () => Promise<void> = () => Promise.resolve();

  async open(mountPoint: string, handlers: FuseHandlers, options: MountOptions): Promise<FuseSession> {
    await this.onOpen();
    if (this.failure !== undefined) throw this.failure;
    const mount = await FakeMount.open(handlers, options.init === undefined ? {} : { init: options.init });
    const state: FakeSession = { mountPoint, mount, options, busy: false, lazily: false, abandoned: false };
    this.sessions.push(state);
    return makeSession(state);
  }

  /** The mount made last. */
  get last(): FakeSession {
    return this.sessions.at(-1)!;
  }
}

function makeSession(state: FakeSession): FuseSession {
  const { mount, mountPoint } = state;
  return {
    mountPoint,
    limits: mount.limits,
    notify: mount.session.notify,
    statistics: mount.session.statistics,
    connection: undefined,
    closed: mount.session.closed,
    get deferredCount() {
      return mount.session.deferredCount;
    },
    pause: () => mount.kernel.pause(),
    resume: () => mount.kernel.resume(),
    unmount: (how) => {
      if (state.busy && how?.lazy !== true) return Promise.reject(new FsError('EBUSY', 'fake-busy', 'in use'));
      state.lazily = how?.lazy === true;
      if (!state.busy) mount.kernel.unmount();
      return Promise.resolve();
    },
    abandon: () => {
      state.abandoned = true;
      mount.kernel.unmount();
    },
  };
}
