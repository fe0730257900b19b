// Volumes over the control protocol.

import { BLOCK_BYTES, assertUnheld, referencedBlocks, type Volume } from '../../volume/index.ts';
import type { VolumeInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { booleanParam, stringParam } from '../params.ts';
import type { Service } from './service.ts';

function describeVolume({ daemon }: Service, volume: Volume): VolumeInfo {
  const { record, head } = volume;
  return {
    volume: volume.name,
    createdMs: record.createdMs,
    origin: record.origin === undefined ? null : `${record.origin.volume}@${record.origin.snapshot}`,
    snapshots: volume.snapshotCount,
    referencedBytes: referencedBlocks(head.version) * BLOCK_BYTES,
    mountedOn: daemon?.mounts.ofVolume(volume)?.dir ?? null,
  };
}

/** `volume.list`, by name. */
export function listVolumes(service: Service): VolumeInfo[] {
  return service.core.volumes.list().map((volume) => describeVolume(service, volume));
}

/** `volume.create`: an empty one. */
export async function createVolume(service: Service, params: Fields): Promise<VolumeInfo> {
  const { volumes } = service.core;
  const volume = volumes.createVolume(stringParam(params, 'volume'));
  await volumes.commit();
  service.log.info(`volume ${volume.name} created`);
  return describeVolume(service, volume);
}

/** `volume.delete`: with its snapshots. With `dryRun` it only finds out whether it could. */
export async function deleteVolume(service: Service, params: Fields): Promise<VolumeInfo> {
  const { volumes } = service.core;
  const volume = volumes.get(stringParam(params, 'volume'));
  service.daemon?.mounts.assertVolumeFree(volume);
  for (const snapshot of volume.snapshots()) assertUnheld(volume, snapshot, volumes.nowMs);
  const info = describeVolume(service, volume);
  if (booleanParam(params, 'dryRun')) return info;
  volumes.deleteVolume(volume);
  await volumes.commit();
  service.log.info(`volume ${volume.name} deleted`);
  return info;
}

/** `clone`: a new volume that starts as a snapshot. */
export async function cloneVolume(service: Service, params: Fields): Promise<VolumeInfo> {
  const { volumes } = service.core;
  const origin = volumes.get(stringParam(params, 'volume'));
  const snapshot = origin.snapshot(stringParam(params, 'name'));
  const volume = volumes.clone(origin, snapshot, stringParam(params, 'to'));
  await volumes.commit();
  service.log.info(`volume ${volume.name} cloned from ${origin.name}@${snapshot.label.name}`);
  return describeVolume(service, volume);
}
