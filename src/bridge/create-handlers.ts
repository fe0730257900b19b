import type { FuseHandlers } from '../fuse/index.ts';
import { U32_SPAN } from '../util/index.ts';
import type { View } from '../vfs/index.ts';
import { attrHandlers } from './attr-handlers.ts';
import { Bridge, type BridgeOptions, type BridgeSession } from './bridge.ts';
import { directoryHandlers } from './directory-handlers.ts';
import { fileHandlers } from './file-handlers.ts';
import { latestHandlers } from './latest-handlers.ts';
import { nodeHandlers } from './node-handlers.ts';
import { rangeHandlers } from './range-handlers.ts';
import { type AfterRestore, beforeRestore } from './restored.ts';
import { route } from './route.ts';
import { invalidateSnapdir, invalidateSnapshots } from './snapdir-changes.ts';
import { snapdirHandlers } from './snapdir-handlers.ts';

/** The handlers of one mount, and what else whoever mounts it needs. One set serves one session. */
export interface BridgeHandlers extends FuseHandlers {
  /** To be called once, when the session is there: with it come notifications and back-pressure. */
  attach(session: BridgeSession): void;
  /**
   * To be called after snapshots of the volume came, went or changed their names other than through this mount, with
   * all access points concerned. At once everybody sees the change. Never rejects.
   */
  invalidateSnapshots(names: readonly string[]): Promise<void>;
  /** The same after a change of the volume's property `snapdir`. */
  invalidateSnapdir(): Promise<void>;
  /**
   * To be called right before the volume is restored; what it gives, right after, with nothing in between. When that
   * resolves, everybody sees the files of now and handles of before answer ESTALE. It never rejects.
   */
  beforeRestore(): AfterRestore;
  /** Live inodes that the kernel holds, and those of them without a name. For status. */
  readonly knownNodes: number;
  readonly orphanCount: number;
}

/** Handlers that show `view`. */
export function createHandlers(view: View, options: BridgeOptions = {}): BridgeHandlers {
  const bridge = new Bridge(view, options);
  const { lookups, orphans } = bridge;
  const files: FuseHandlers = {
    ...nodeHandlers(bridge),
    ...attrHandlers(bridge),
    ...fileHandlers(bridge),
    ...rangeHandlers(bridge),
    ...directoryHandlers(bridge),
  };
  return {
    beforeAnswer() {
      view.volumes.record();
    },
    retryAfter: (error) => bridge.retryAfter(error),
    ...route(bridge, files, snapdirHandlers(bridge), latestHandlers(bridge)),
    forget(nodeHi, nodeLo, nlookup) {
      // Nodes of snapshots are not counted; nor are those from before a restore, whose numbers may be in use again.
      if (nodeHi >>> 8 !== view.tag) return;
      const ino = (nodeHi & 0xff) * U32_SPAN + nodeLo;
      if (lookups.forget(ino, nlookup)) orphans.forgotten(ino);
    },
    destroy() {
      bridge.session = undefined;
      orphans.destroyAll();
    },
    attach(session) {
      bridge.session = session;
    },
    invalidateSnapshots: (names) => invalidateSnapshots(bridge, names),
    invalidateSnapdir: () => invalidateSnapdir(bridge),
    beforeRestore: () => beforeRestore(bridge),
    get knownNodes() {
      return lookups.size;
    },
    get orphanCount() {
      return orphans.size;
    },
  };
}
