// What is told of snapshots over the control protocol.

import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  BLOCK_BYTES,
  currentHolds,
  referencedBlocks,
  relationsOf,
  uniqueBlocks,
  writtenBlocks,
  type Snapshot,
  type Volume,
} from '../../volume/index.ts';
import type { SnapshotInfo } from '../control/methods.ts';
import type { Service } from './service.ts';

/** So many are described before others have their turn: there may be many thousands. */
const GROUP = 512;

/** One snapshot of `volume`. */
export async function describeSnapshot(service: Service, volume: Volume, snapshot: Snapshot): Promise<SnapshotInfo> {
  const [unique] = await uniqueOf(service, [snapshot]);
  return describe(service, volume, snapshot, unique!, volumeNames(service));
}

/** One that was made in this very stretch: nothing has changed since, so deleting it would free nothing, and no figure has to be committed first. */
export function describeNewSnapshot(service: Service, volume: Volume, snapshot: Snapshot): SnapshotInfo {
  return describe(service, volume, snapshot, 0, volumeNames(service));
}

/** Several, in their order; without those that are deleted meanwhile. */
export async function describeSnapshots(
  service: Service,
  volume: Volume,
  snapshots: readonly Snapshot[],
): Promise<SnapshotInfo[]> {
  const unique = await uniqueOf(service, snapshots);
  const names = volumeNames(service);
  const infos: SnapshotInfo[] = [];
  for (const [index, snapshot] of snapshots.entries()) {
    if (index > 0 && index % GROUP === 0) await nextTurn();
    // Others had their turn.
    if (snapshot.filesystem.alive) infos.push(describe(service, volume, snapshot, unique[index]!, names));
  }
  return infos;
}

/** What deleting each alone would free, in blocks; null in a damaged store, whose books may have gaps. */
async function uniqueOf(service: Service, snapshots: readonly Snapshot[]): Promise<(number | null)[]> {
  const { forest, store } = service.core.volumes;
  if (store.kv.damage !== undefined) return snapshots.map(() => null);
  await commitFigures(service);
  return uniqueBlocks(
    forest,
    snapshots.map(({ version }) => version),
  );
}

/** What can be read of dead lists is what was committed: to be called before space figures are asked for. */
export async function commitFigures({ core, log }: Service): Promise<void> {
  try {
    await core.volumes.commit();
  } catch (error) {
    // Whoever has run out of space wants to see what could go; the figures are then those of the last commit.
    log.warn(`figures of snapshots are of the last commit: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The names of volumes by their ids, read when they are first asked for. */
function volumeNames({ core }: Service): (id: number) => string | undefined {
  let names: Map<number, string> | undefined;
  return (id) => {
    names ??= new Map(core.volumes.list().map((volume) => [volume.record.id, volume.name]));
    return names.get(id);
  };
}

function describe(
  { core, daemon }: Service,
  volume: Volume,
  snapshot: Snapshot,
  unique: number | null,
  names: (id: number) => string | undefined,
): SnapshotInfo {
  const { forest, nowMs } = core.volumes;
  const { label, version } = snapshot;
  return {
    volume: volume.name,
    name: label.name,
    accessPoint: label.accessPoint,
    createdMs: version.createdMs,
    referencedBytes: referencedBlocks(version) * BLOCK_BYTES,
    uniqueBytes: unique === null ? null : unique * BLOCK_BYTES,
    writtenBytes: writtenBlocks(version) * BLOCK_BYTES,
    ...relationsOf(forest, version, names),
    holds: currentHolds(label, nowMs).map(({ tag, reason, expiresMs }) => ({
      tag,
      reason: reason ?? null,
      expiresMs: expiresMs ?? null,
    })),
    comment: label.comment ?? null,
    by: label.by ?? null,
    mountedOn: daemon?.mounts.ofSnapshot(snapshot)?.dir ?? null,
  };
}
