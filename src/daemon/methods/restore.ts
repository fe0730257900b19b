// Restoring over the control protocol.

import { ProtocolError } from '../../errors/index.ts';
import { BLOCK_BYTES, defaultSnapshotName, labelFor, writtenBlocks, type SnapshotRequest } from '../../volume/index.ts';
import type { RestoreInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { booleanParam, optionalBoolean, optionalString, stringParam } from '../params.ts';
import { optionalMaker } from './maker.ts';
import type { Service } from './service.ts';

/**
 * `snapshot.restore`: the volume shows what the snapshot shows, its mount at once. With `dryRun` it only finds out whether it could and what
 * would become of what the volume holds. With `properties` those of the volume become what they were when the snapshot was made.
 */
export async function restoreSnapshot(service: Service, params: Fields): Promise<RestoreInfo> {
  const { daemon, log } = service;
  const { volumes } = service.core;
  const discard = booleanParam(params, 'discard');
  const dryRun = booleanParam(params, 'dryRun');
  const wanted = optionalString(params, 'preserve');
  const by = optionalMaker(params);
  if (discard && wanted !== undefined) throw new ProtocolError('"preserve" and "discard" exclude each other');
  const volume = volumes.get(stringParam(params, 'volume'));
  const snapshot = volume.snapshot(stringParam(params, 'name'));
  const { name } = snapshot.label;
  const properties = optionalBoolean(params, 'properties') ?? false;
  const nowMs = Date.now();
  const preserve: SnapshotRequest | undefined = discard
    ? undefined
    : {
        name: wanted ?? `before-restore-${defaultSnapshotName(nowMs)}`,
        numbered: wanted === undefined,
        comment: `Before restoring ${name}`,
        by,
      };
  const preserved = preserve === undefined ? null : labelFor(volume, preserve, nowMs).name;
  const writtenBytes = writtenBlocks(volume.head.version) * BLOCK_BYTES;
  const mountedOn = daemon?.mounts.ofVolume(volume)?.dir ?? null;
  const info: RestoreInfo = { volume: volume.name, snapshot: name, preserved, writtenBytes, mountedOn };
  if (dryRun) return info;
  // From here to the notification nobody else has a turn.
  const afterRestore = daemon?.mounts.beforeRestore(volume);
  const kept = volumes.restore(volume, snapshot, preserve, { properties });
  volumes.record();
  const told = afterRestore?.(kept === undefined ? [] : [kept.label.accessPoint]);
  await volumes.flush();
  await told;
  if (properties) await daemon?.mounts.snapdirChanged(volume);
  log.info(`volume ${volume.name} restored to snapshot ${name}; ${preserved ?? 'nothing'} keeps what it held`);
  return info;
}
