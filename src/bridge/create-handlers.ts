import type { FuseHandlers } from '../fuse/index.ts';
import { U32_SPAN } from '../util/index.ts';
import type { View } from '../vfs/index.ts';
import { attrHandlers } from './attr-handlers.ts';
import { Bridge, type BridgeOptions, type BridgeSession } from './bridge.ts';
import { directoryHandlers } from './directory-handlers.ts';
import { fileHandlers } from './file-handlers.ts';
import { nodeHandlers } from './node-handlers.ts';
import { rangeHandlers } from './range-handlers.ts';
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
    ...route(bridge, files, snapdirHandlers(bridge)),
    forget(nodeHi, nodeLo, nlookup) {
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
    get knownNodes() {
      return lookups.size;
    },
    get orphanCount() {
      return orphans.size;
    },
  };
}
