// What a daemon and whoever starts it say to each other.

import type { MountInfo, MountRequest } from './methods.ts';
import type { ControlFault } from './protocol.ts';

/** The log of the daemon, in the store. */
export const DAEMON_LOG = 'daemon.log';

/** What the daemon sends when its first mount is in place, or has failed. */
export type StartMessage = { readonly mount: MountInfo } | { readonly error: ControlFault };

/** What the daemon is told to begin with. */
export interface StartOrder {
  readonly store: string;
  readonly mount: MountRequest;
}
