// What carries a mount: the one seam behind which the kernel is reached. The device transport is the first.

import type { Log } from '../../util/index.ts';
import type { FuseHandlers, SessionLimits } from './handlers.ts';
import type { InitOptions } from './init.ts';
import type { Notifier } from './notifier.ts';
import type { SessionEnd } from './session.ts';
import type { SessionStatistics } from './statistics.ts';

/** How to mount. */
export interface MountOptions {
  /** What the mount table shows as device, for example the store's path. */
  readonly source: string;
  readonly readOnly?: boolean;
  /** Whether users other than the mounting one may enter. Default: true as root, false otherwise (/etc/fuse.conf must allow it). */
  readonly allowOther?: boolean;
  /** The kernel checks permission bits itself. Default true; `posixAcl` implies it. */
  readonly defaultPermissions?: boolean;
  /** Setuid programs and device nodes work on the mount. Default false; root alone may ask. */
  readonly suid?: boolean;
  readonly dev?: boolean;
  /** Programs can be run from the mount. Default true. */
  readonly exec?: boolean;
  /** The kernel reports no reads. Default false; a FUSE server is never told of them anyhow unless it counts them. */
  readonly noatime?: boolean;
  readonly init?: InitOptions;
  readonly log: Log;
}

/** One mount that is being served. */
export interface FuseSession {
  /** Absolute, without symlinks. */
  readonly mountPoint: string;
  readonly limits: SessionLimits;
  readonly notify: Notifier;
  readonly statistics: SessionStatistics;
  /** The number under /sys/fs/fuse/connections, where the transport has one. */
  readonly connection: number | undefined;
  /** Answers that handlers still owe. */
  readonly deferredCount: number;
  /** Resolves when the mount is gone, however it went. Never rejects. */
  readonly closed: Promise<SessionEnd>;
  /**
   * Takes in no more requests, and again, once for each pause. They wait in the kernel. While paused, the session neither notices its end nor keeps the event
   * loop alive.
   */
  pause(): void;
  resume(): void;
  /** Unmounts. Rejects with FsError (EBUSY if it is in use and `lazy` is not set); the session then goes on. */
  unmount(options?: { readonly lazy?: boolean }): Promise<void>;
  /** Gives up the connection without unmounting: everybody who waits gets an error, the mount point is dead until it is unmounted. */
  abandon(): void;
}

export interface Transport {
  readonly name: string;
  /** Mounts `handlers` at `mountPoint`; resolves when INIT is agreed and requests are served. Rejects with FsError or ProtocolError. */
  open(mountPoint: string, handlers: FuseHandlers, options: MountOptions): Promise<FuseSession>;
}
