import { FsError } from '../errors/index.ts';
import type { SnapshotLabel } from '../format/index.ts';
import { checkSnapshotName, defaultSnapshotName, gmtAccessPoint } from './names.ts';
import type { Volume } from './volume.ts';

/** How a snapshot is to be called; everything has a default. */
export interface SnapshotRequest {
  name?: string | undefined;
  accessPoint?: string | undefined;
  comment?: string | undefined;
  by?: string | undefined;
}

/** The label of a new snapshot of `volume`, made at `nowMs`. Throws EEXIST, EINVAL, ENAMETOOLONG. */
export function labelFor(volume: Volume, request: SnapshotRequest, nowMs: number): SnapshotLabel {
  const name = request.name ?? defaultSnapshotName(nowMs);
  const accessPoint = request.accessPoint ?? defaultAccessPoint(volume, name, nowMs);
  checkSnapshotName(name);
  checkSnapshotName(accessPoint);
  volume.assertFree(name, accessPoint);
  const label: SnapshotLabel = { name, accessPoint };
  if (Object.keys(volume.record.properties).length > 0) label.properties = volume.record.properties;
  if (request.comment !== undefined) label.comment = request.comment;
  if (request.by !== undefined) label.by = request.by;
  return label;
}

/** The access point of a snapshot for which none was chosen, as the volume's property `access-points` says. */
function defaultAccessPoint(volume: Volume, name: string, nowMs: number): string {
  if (volume.record.properties['access-points'] !== 'gmt') return name;
  const accessPoint = gmtAccessPoint(nowMs);
  const other = volume.findAccessPoint(accessPoint);
  if (other === undefined) return accessPoint;
  throw new FsError(
    'EEXIST',
    'access-point-second-taken',
    `snapshot ${volume.name}@${other.label.name} was taken in this same second, and with access-points=gmt each second has one ` +
      'directory; try again in a second, or choose one with --access-point',
  );
}
