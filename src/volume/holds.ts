// Holds: who needs a snapshot to stay. While one of them has not expired, nothing deletes the snapshot. An expired one is void at once,
// and leaves the label when a hold is next added or released.

import { FsError } from '../errors/index.ts';
import type { SnapshotHold, SnapshotLabel } from '../format/index.ts';
import type { Snapshot, Volume } from './volume.ts';

/** What holds need of the volumes. */
interface Labelled {
  readonly nowMs: number;
  relabel(volume: Volume, snapshot: Snapshot, label: SnapshotLabel): void;
}

const TAG = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** The holds that hold at the moment `nowMs`. */
export function currentHolds(label: SnapshotLabel, nowMs: number): SnapshotHold[] {
  return (label.holds ?? []).filter(({ expiresMs }) => expiresMs === undefined || expiresMs > nowMs);
}

/** Throws EBUSY where the snapshot is held at the moment `nowMs`, and says by whom and what to do about it. */
export function assertUnheld(volume: Volume, snapshot: Snapshot, nowMs: number): void {
  const { label } = snapshot;
  if (label.holds === undefined) return;
  const holds = currentHolds(label, nowMs);
  if (holds.length === 0) return;
  const release =
    holds.length === 1
      ? `release it with "amberfs snapshot release TARGET@${label.name} ${holds[0]!.tag}"`
      : `release each with "amberfs snapshot release TARGET@${label.name} TAG"`;
  throw new FsError(
    'EBUSY',
    'snapshot-held',
    `snapshot ${volume.name}@${label.name} is held by ${holds.map(describeHold).join(' and by ')}; ${release}`,
  );
}

function describeHold({ tag, reason, expiresMs }: SnapshotHold): string {
  const facts: string[] = [];
  if (reason !== undefined) facts.push(reason);
  if (expiresMs !== undefined) facts.push(`until ${new Date(expiresMs).toISOString()}`);
  return facts.length === 0 ? `tag ${tag}` : `tag ${tag} (${facts.join(', ')})`;
}

/** Adds a hold. Throws EEXIST where its tag holds already, EINVAL for a tag or an end that can't be. */
export function holdSnapshot(volumes: Labelled, volume: Volume, snapshot: Snapshot, hold: SnapshotHold): void {
  const { tag, expiresMs } = hold;
  const { nowMs } = volumes;
  if (!TAG.test(tag)) {
    throw new FsError(
      'EINVAL',
      'hold-tag-illegal',
      `"${tag}" can't be a tag: up to 64 letters, digits and . _ : - are allowed, the first a letter or digit`,
    );
  }
  if (expiresMs !== undefined && !(expiresMs > nowMs)) {
    throw new FsError('EINVAL', 'hold-expired', 'the hold would have expired already; give a later moment');
  }
  const holds = currentHolds(snapshot.label, nowMs);
  if (holds.some((other) => other.tag === tag)) {
    throw new FsError(
      'EEXIST',
      'hold-tag-taken',
      `snapshot ${volume.name}@${snapshot.label.name} is held by tag ${tag} already; release that first, or take another tag`,
    );
  }
  relabelHolds(volumes, volume, snapshot, [...holds, hold]);
}

/** Takes the hold `tag` away. Throws ENOENT where there is none that holds. */
export function releaseSnapshot(volumes: Labelled, volume: Volume, snapshot: Snapshot, tag: string): void {
  const holds = currentHolds(snapshot.label, volumes.nowMs);
  const left = holds.filter((hold) => hold.tag !== tag);
  if (left.length === holds.length) {
    const held = holds.length === 0 ? 'nothing holds it' : `it is held by ${holds.map(describeHold).join(' and by ')}`;
    throw new FsError(
      'ENOENT',
      'hold-unknown',
      `snapshot ${volume.name}@${snapshot.label.name} is not held by tag ${tag}; ${held}`,
    );
  }
  relabelHolds(volumes, volume, snapshot, left);
}

function relabelHolds(volumes: Labelled, volume: Volume, snapshot: Snapshot, holds: SnapshotHold[]): void {
  const label: SnapshotLabel = { ...snapshot.label };
  if (holds.length === 0) delete label.holds;
  else label.holds = holds;
  volumes.relabel(volume, snapshot, label);
}
