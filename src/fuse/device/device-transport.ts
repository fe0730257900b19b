// The transport over /dev/fuse.

import { ProtocolSession, type SessionEnd } from '../session/session.ts';
import type { FuseHandlers, SessionLimits } from '../session/handlers.ts';
import { readaheadBytes, transferBytes } from '../session/init.ts';
import type { Notifier } from '../session/notifier.ts';
import type { SessionStatistics } from '../session/statistics.ts';
import type { FuseSession, MountOptions, Transport } from '../session/transport.ts';
import { abortConnection, connectionOf, raiseReadahead } from './connection.ts';
import { DeviceChannel } from './device-channel.ts';
import { mountDevice } from './mount-device.ts';
import { canonicalMountPoint, prepareMountPoint } from './mount-point.ts';
import { unmount, type UnmountOptions } from './unmount.ts';

class DeviceSession implements FuseSession {
  readonly mountPoint: string;
  readonly limits: SessionLimits;
  readonly connection: number | undefined;
  readonly #session: ProtocolSession;
  readonly #channel: DeviceChannel;

  constructor(mountPoint: string, session: ProtocolSession, channel: DeviceChannel, limits: SessionLimits) {
    this.mountPoint = mountPoint;
    this.limits = limits;
    this.connection = connectionOf(mountPoint);
    this.#session = session;
    this.#channel = channel;
  }

  get notify(): Notifier {
    return this.#session.notify;
  }

  get statistics(): SessionStatistics {
    return this.#session.statistics;
  }

  get deferredCount(): number {
    return this.#session.deferredCount;
  }

  get closed(): Promise<SessionEnd> {
    return this.#session.closed;
  }

  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  unmount(options?: UnmountOptions): Promise<void> {
    return unmount(this.mountPoint, options);
  }

  abandon(): void {
    // Only while the mount table says that the number is ours: a mount that is gone may have left it to another one.
    if (this.connection !== undefined && connectionOf(this.mountPoint) === this.connection)
      abortConnection(this.connection);
    this.#channel.close();
  }
}

/** FUSE over /dev/fuse in this process: no library, no thread per call. */
export const deviceTransport: Transport = {
  name: 'device',

  async open(mountPoint: string, handlers: FuseHandlers, options: MountOptions): Promise<FuseSession> {
    const { log, init = {} } = options;
    const path = await canonicalMountPoint(mountPoint);
    await prepareMountPoint(path, log);
    const fd = await mountDevice(path, options, transferBytes(init));
    const channel = new DeviceChannel(fd, log);
    const protocol = new ProtocolSession(channel, handlers, init, log);
    try {
      const limits = await protocol.ready;
      const session = new DeviceSession(path, protocol, channel, limits);
      if (session.connection !== undefined) raiseReadahead(session.connection, readaheadBytes(init), log);
      return session;
    } catch (error) {
      channel.close();
      // What made INIT fail is the news; that a mount which never worked could not be taken down is for the log.
      await unmount(path, { lazy: true }).catch((cause: unknown) => {
        log.warn(`${path}: the failed mount could not be taken down: ${String(cause)}`);
      });
      throw error;
    }
  },
};
