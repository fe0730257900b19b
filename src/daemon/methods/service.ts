// What the methods of the control protocol work on.

import type { Log } from '../../util/index.ts';
import type { Core } from '../core.ts';
import type { Mounts } from '../mounts.ts';

/** The daemon around a store; a command that has opened the store by itself has none. */
export interface DaemonFacts {
  readonly pid: number;
  readonly startedMs: number;
  readonly mounts: Mounts;
  /**
   * To be called when a mount has gone. Resolves with false if others are left; otherwise the daemon ends, and it resolves with true when
   * the store is closed. Rejects where closing it failed.
   */
  endIfIdle(): Promise<boolean>;
}

export interface Service {
  readonly core: Core;
  readonly log: Log;
  readonly daemon: DaemonFacts | undefined;
}
