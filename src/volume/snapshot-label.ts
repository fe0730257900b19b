import type { SnapshotLabel } from '../format/index.ts';
import { checkSnapshotName, defaultSnapshotName, gmtAccessPoint } from './names.ts';
import type { Volume } from './volume.ts';

/** How a snapshot is to be called; everything has a default. */
export interface SnapshotRequest {
  name?: string | undefined;
  /** Where `name` is taken it gets a number behind it, as a default name does: nobody chose it. */
  numbered?: boolean | undefined;
  accessPoint?: string | undefined;
  comment?: string | undefined;
  /** Who made it: a user's name, or a schedule's. */
  by?: string | undefined;
}

/**
 * The label of a new snapshot of `volume`, made at `nowMs`. What nobody chose is free as long as nobody else has a turn before the snapshot
 * is made. Throws EEXIST (for what was chosen), EINVAL, ENAMETOOLONG.
 */
export function labelFor(volume: Volume, request: SnapshotRequest, nowMs: number): SnapshotLabel {
  const wanted = request.name ?? defaultSnapshotName(nowMs);
  const isChosen = request.name !== undefined && request.numbered !== true;
  const name = isChosen ? wanted : freeName(wanted, (other) => volume.findSnapshot(other) !== undefined);
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
  return freeName(gmtAccessPoint(nowMs), (other) => volume.findAccessPoint(other) !== undefined);
}

/** `wanted`, or where that is taken the first of `wanted-2`, `wanted-3`, ... that is not. */
function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  let name = wanted;
  for (let count = 2; isTaken(name); count++) name = `${wanted}-${count}`;
  return name;
}
