// Volumes over the control protocol.

import { BLOCK_BYTES, assertUnheld, referencedBlocks, snapshotsBlocks, type Volume } from '../../volume/index.ts';
import type { VolumeInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { booleanParam, stringParam } from '../params.ts';
import { commitFigures } from './describe-snapshots.ts';
import type { Service } from './service.ts';

/** `used`: what deleting all its snapshots would free, in blocks; null where that is not known. */
function describe({ daemon }: Service, volume: Volume, used: number | null): VolumeInfo {
  const { record, head } = volume;
  return {
    volume: volume.name,
    createdMs: record.createdMs,
    origin: record.origin === undefined ? null : `${record.origin.volume}@${record.origin.snapshot}`,
    snapshots: volume.snapshotCount,
    referencedBytes: referencedBlocks(head.version) * BLOCK_BYTES,
    snapshotsBytes: used === null ? null : used * BLOCK_BYTES,
    mountedOn: daemon?.mounts.ofVolume(volume)?.dir ?? null,
  };
}

async function describeVolume(service: Service, volume: Volume): Promise<VolumeInfo> {
  const [used] = await usedBySnapshots(service, [volume]);
  return describe(service, volume, used!);
}

/** Of each; null in a damaged store, whose books may have gaps. */
async function usedBySnapshots(service: Service, volumes: readonly Volume[]): Promise<(number | null)[]> {
  const { forest, store } = service.core.volumes;
  return store.kv.damage === undefined ? snapshotsBlocks(forest, volumes) : volumes.map(() => null);
}

/** `volume.list`, by name; without those that are deleted meanwhile. */
export async function listVolumes(service: Service): Promise<VolumeInfo[]> {
  const { volumes, store } = service.core;
  if (store.kv.damage === undefined) await commitFigures(service);
  const listed = volumes.list();
  const used = await usedBySnapshots(service, listed);
  return listed.flatMap((volume, index) => (volume.filesystem.alive ? [describe(service, volume, used[index]!)] : []));
}

/** `volume.create`: an empty one. */
export async function createVolume(service: Service, params: Fields): Promise<VolumeInfo> {
  const { volumes } = service.core;
  const volume = volumes.createVolume(stringParam(params, 'volume'));
  await volumes.flush();
  service.log.info(`volume ${volume.name} created`);
  return describeVolume(service, volume);
}

/** Throws EBUSY where the volume has to stay. */
function assertDeletable({ core, daemon }: Service, volume: Volume): void {
  daemon?.mounts.assertVolumeFree(volume);
  for (const snapshot of volume.snapshots()) assertUnheld(volume, snapshot, core.volumes.nowMs);
}

/** `volume.delete`: with its snapshots. With `dryRun` it only finds out whether it could. */
export async function deleteVolume(service: Service, params: Fields): Promise<VolumeInfo> {
  const { volumes } = service.core;
  const name = stringParam(params, 'volume');
  const dryRun = booleanParam(params, 'dryRun');
  assertDeletable(service, volumes.get(name));
  await commitFigures(service);
  const info = await describeVolume(service, volumes.get(name));
  if (dryRun) return info;
  // Anew, since others had their turn: from here to the deletion nobody has.
  const volume = volumes.get(name);
  assertDeletable(service, volume);
  volumes.deleteVolume(volume);
  await volumes.flush();
  service.log.info(`volume ${volume.name} deleted`);
  return info;
}

/** `clone`: a new volume that starts as a snapshot. */
export async function cloneVolume(service: Service, params: Fields): Promise<VolumeInfo> {
  const { volumes } = service.core;
  const origin = volumes.get(stringParam(params, 'volume'));
  const snapshot = origin.snapshot(stringParam(params, 'name'));
  const volume = volumes.clone(origin, snapshot, stringParam(params, 'to'));
  await volumes.flush();
  service.log.info(`volume ${volume.name} cloned from ${origin.name}@${snapshot.label.name}`);
  return describeVolume(service, volume);
}
