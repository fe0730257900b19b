// Snapshots over the control protocol. Where a method waits, others have their turn: what was found before is looked up again after.

import {
  BLOCK_BYTES,
  referencedBlocks,
  uniqueBlocks,
  writtenBlocks,
  type Snapshot,
  type Volume,
} from '../../volume/index.ts';
import type { SnapshotInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { booleanParam, optionalString, stringParam } from '../params.ts';
import type { Service } from './service.ts';

async function describeSnapshot({ core, daemon }: Service, volume: Volume, snapshot: Snapshot): Promise<SnapshotInfo> {
  const { label, version } = snapshot;
  const unique = await uniqueBlocks(core.volumes.forest, version);
  return {
    volume: volume.name,
    name: label.name,
    accessPoint: label.accessPoint,
    createdMs: version.createdMs,
    referencedBytes: referencedBlocks(version) * BLOCK_BYTES,
    uniqueBytes: unique === undefined ? null : unique * BLOCK_BYTES,
    writtenBytes: writtenBlocks(version) * BLOCK_BYTES,
    comment: label.comment ?? null,
    by: label.by ?? null,
    mountedOn: daemon?.mounts.ofSnapshot(snapshot)?.dir ?? null,
  };
}

function find(service: Service, params: Fields): { volume: Volume; snapshot: Snapshot } {
  const volume = service.core.volumes.get(stringParam(params, 'volume'));
  return { volume, snapshot: volume.snapshot(stringParam(params, 'name')) };
}

/** `snapshot.list`, oldest first. */
export async function listSnapshots(service: Service, params: Fields): Promise<SnapshotInfo[]> {
  const volume = service.core.volumes.get(stringParam(params, 'volume'));
  const infos: SnapshotInfo[] = [];
  for (const snapshot of volume.snapshots()) {
    // Others may delete some meanwhile.
    if (volume.findSnapshot(snapshot.label.name) !== snapshot) continue;
    infos.push(await describeSnapshot(service, volume, snapshot));
  }
  return infos;
}

/** `snapshot.info`, by name or access point. */
export async function snapshotInfo(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volume, snapshot } = find(service, params);
  return describeSnapshot(service, volume, snapshot);
}

/** `snapshot.create`: freezes the volume as the daemon knows it at this moment. */
export async function createSnapshot(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volumes } = service.core;
  const volume = volumes.get(stringParam(params, 'volume'));
  const snapshot = volumes.createSnapshot(volume, {
    name: optionalString(params, 'name'),
    comment: optionalString(params, 'comment'),
    accessPoint: optionalString(params, 'accessPoint'),
  });
  await service.daemon?.mounts.snapshotsChanged(volume, [snapshot.label.accessPoint]);
  await volumes.commit();
  service.log.info(`snapshot ${volume.name}@${snapshot.label.name} created`);
  return describeSnapshot(service, volume, snapshot);
}

/** `snapshot.delete`: its name is gone at once, its space comes back in the background. */
export async function deleteSnapshot(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volumes } = service.core;
  const dryRun = booleanParam(params, 'dryRun');
  const found = find(service, params);
  const info = await describeSnapshot(service, found.volume, found.snapshot);
  // Anew, since others had their turn: from here to the deletion nobody has.
  const { volume, snapshot } = find(service, params);
  service.daemon?.mounts.assertSnapshotFree(volume, snapshot);
  if (dryRun) return info;
  volumes.deleteSnapshot(volume, snapshot);
  await service.daemon?.mounts.snapshotsChanged(volume, [snapshot.label.accessPoint]);
  await volumes.commit();
  service.log.info(`snapshot ${volume.name}@${snapshot.label.name} deleted`);
  return info;
}

/** `snapshot.rename`. */
export async function renameSnapshot(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volumes } = service.core;
  const { volume, snapshot } = find(service, params);
  service.daemon?.mounts.assertSnapshotFree(volume, snapshot);
  const before = snapshot.label;
  volumes.renameSnapshot(volume, snapshot, stringParam(params, 'to'));
  await service.daemon?.mounts.snapshotsChanged(volume, [before.accessPoint, snapshot.label.accessPoint]);
  await volumes.commit();
  service.log.info(`snapshot ${volume.name}@${before.name} renamed to ${snapshot.label.name}`);
  return describeSnapshot(service, volume, snapshot);
}
