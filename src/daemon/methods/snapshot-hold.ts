// Holding and releasing snapshots over the control protocol.

import { holdSnapshot, releaseSnapshot } from '../../volume/index.ts';
import type { SnapshotInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { optionalNumber, optionalString, stringParam } from '../params.ts';
import { describeSnapshot } from './describe-snapshots.ts';
import type { Service } from './service.ts';

/** `snapshot.hold`: the snapshot is not deleted until the tag is released or has expired. */
export async function addHold(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volumes } = service.core;
  const tag = stringParam(params, 'tag');
  const reason = optionalString(params, 'reason');
  const expiresMs = optionalNumber(params, 'expiresMs');
  const volume = volumes.get(stringParam(params, 'volume'));
  const snapshot = volume.snapshot(stringParam(params, 'name'));
  holdSnapshot(volumes, volume, snapshot, {
    tag,
    ...(reason === undefined ? {} : { reason }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  });
  await volumes.flush();
  service.log.info(`snapshot ${volume.name}@${snapshot.label.name} held by ${tag}`);
  return describeSnapshot(service, volume, snapshot);
}

/** `snapshot.release`. */
export async function releaseHold(service: Service, params: Fields): Promise<SnapshotInfo> {
  const { volumes } = service.core;
  const tag = stringParam(params, 'tag');
  const volume = volumes.get(stringParam(params, 'volume'));
  const snapshot = volume.snapshot(stringParam(params, 'name'));
  releaseSnapshot(volumes, volume, snapshot, tag);
  await volumes.flush();
  service.log.info(`snapshot ${volume.name}@${snapshot.label.name} released by ${tag}`);
  return describeSnapshot(service, volume, snapshot);
}
