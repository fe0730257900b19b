// Snapshots over the control protocol. Where a method waits, others have their turn: what was found before is looked up again after.

import type { Snapshot, Volume } from '../../volume/index.ts';
import type { SnapshotInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { optionalBoolean, optionalString, stringParam } from '../params.ts';
import { describeNewSnapshot, describeSnapshot, describeSnapshots } from './describe-snapshots.ts';
import { optionalMaker } from './maker.ts';
import type { Service } from './service.ts';

function find(service: Service, params: Fields): { volume: Volume; snapshot: Snapshot } {
  const volume = service.core.volumes.get(stringParam(params, 'volume'));
  return { volume, snapshot: volume.snapshot(stringParam(params, 'name')) };
}

/** `snapshot.list`, oldest first. */
export async function listSnapshots(service: Service, params: Fields): Promise<SnapshotInfo[]> {
  const volume = service.core.volumes.get(stringParam(params, 'volume'));
  return describeSnapshots(service, volume, volume.snapshots());
}

/** `snapshot.info`, by name or access point. */
export async function snapshotInfo(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volume, snapshot } = find(service, params);
  return describeSnapshot(service, volume, snapshot);
}

/** `snapshot.create`: freezes the volume as the daemon knows it at this moment. A name that nobody chose is free. */
export async function createSnapshot(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volumes } = service.core;
  const volume = volumes.get(stringParam(params, 'volume'));
  const snapshot = volumes.createSnapshot(volume, {
    name: optionalString(params, 'name'),
    numbered: optionalBoolean(params, 'numbered'),
    comment: optionalString(params, 'comment'),
    accessPoint: optionalString(params, 'accessPoint'),
    by: optionalMaker(params),
  });
  const info = describeNewSnapshot(service, volume, snapshot);
  volumes.record();
  await service.daemon?.mounts.snapshotsChanged(volume, [snapshot.label.accessPoint]);
  await volumes.flush();
  service.log.info(`snapshot ${volume.name}@${snapshot.label.name} created`);
  return info;
}

/** `snapshot.rename`: gives it another name (`to`), another access point, or both. */
export async function renameSnapshot(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volumes } = service.core;
  const { volume, snapshot } = find(service, params);
  service.daemon?.mounts.assertSnapshotFree(volume, snapshot);
  const before = snapshot.label;
  const to = optionalString(params, 'to') ?? before.name;
  volumes.renameSnapshot(volume, snapshot, to, optionalString(params, 'accessPoint'));
  volumes.record();
  await service.daemon?.mounts.snapshotsChanged(volume, [before.accessPoint, snapshot.label.accessPoint]);
  await volumes.flush();
  const { name, accessPoint } = snapshot.label;
  service.log.info(`snapshot ${volume.name}@${before.name} renamed to ${name}, in the directory ${accessPoint}`);
  return describeSnapshot(service, volume, snapshot);
}
