// What a mount shows, joined with what answers the kernel for it.

import { SESSION_OPTIONS, createHandlers, type BridgeHandlers } from '../bridge/index.ts';
import type { InitOptions } from '../fuse/index.ts';
import { hostRoom, hostSpace } from '../store/index.ts';
import type { Log } from '../util/index.ts';
import { snapshotView, volumeView } from '../vfs/index.ts';
import type { Snapshot, Volume } from '../volume/index.ts';
import type { MountChoices } from './control/methods.ts';
import type { Core } from './core.ts';
import { nameOfUser } from './user-names.ts';

/** A view that is about to be mounted, or is. */
export interface OpenView {
  readonly handlers: BridgeHandlers;
  readonly init: InitOptions;
  readonly readOnly: boolean;
}

/**
 * The live files of `volume`, or those of one of its snapshots. `checkRemovable` throws where a snapshot must not be deleted from within the
 * mount.
 */
export function openView(
  core: Core,
  volume: Volume,
  snapshot: Snapshot | undefined,
  choices: MountChoices,
  checkRemovable: (snapshot: Snapshot) => void,
  log: Log,
): OpenView {
  // Never asked through a mount of ours: mounting over the store is refused.
  const space = hostSpace(core.store.path);
  const options = {
    readOnly: choices.readOnly === true || core.volumes.store.kv.damage !== undefined,
    snapdir: choices.snapdir,
    atime: choices.noatime === true ? ('noatime' as const) : ('relatime' as const),
    availableBytes: () => space.forData(),
  };
  const view =
    snapshot === undefined
      ? volumeView(core.volumes, volume, options)
      : snapshotView(core.volumes, volume, snapshot, options);
  return {
    handlers: createHandlers(view, { log, checkRemovable, userName: nameOfUser, room: hostRoom(core.store.path) }),
    init: SESSION_OPTIONS,
    readOnly: view.readOnly,
  };
}
