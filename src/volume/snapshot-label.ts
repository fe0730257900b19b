import type { SnapshotLabel } from '../format/index.ts';
import { checkSnapshotName, defaultSnapshotName } from './names.ts';
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
  const accessPoint = request.accessPoint ?? name;
  checkSnapshotName(name);
  checkSnapshotName(accessPoint);
  volume.assertFree(name, accessPoint);
  const label: SnapshotLabel = { name, accessPoint };
  if (request.comment !== undefined) label.comment = request.comment;
  if (request.by !== undefined) label.by = request.by;
  return label;
}
