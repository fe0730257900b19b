// Deleting snapshots over the control protocol, finding those whose deletion frees enough, and waiting for what they free.

import { FsError } from '../../errors/index.ts';
import { BLOCK_BYTES, assertUnheld, cheapestToFree, type Snapshot, type Volume } from '../../volume/index.ts';
import type { DeletionInfo } from '../control/methods.ts';
import { faultOf, type Fields } from '../control/protocol.ts';
import { booleanParam, longStringParam, numberParam, stringParam } from '../params.ts';
import { selectSnapshots } from '../select-snapshots.ts';
import { commitFigures, describeSnapshots } from './describe-snapshots.ts';
import type { Service } from './service.ts';

/** Throws EBUSY where the snapshot has to stay. */
function assertDeletable({ core, daemon }: Service, volume: Volume, snapshot: Snapshot): void {
  daemon?.mounts.assertSnapshotFree(volume, snapshot);
  assertUnheld(volume, snapshot, core.volumes.nowMs);
}

/** Does `work` for each; what it throws as FsError goes to `failures`. Gives those with which it succeeded. */
function each(snapshots: readonly Snapshot[], failures: FsError[], work: (snapshot: Snapshot) => void): Snapshot[] {
  return snapshots.filter((snapshot) => {
    try {
      work(snapshot);
      return true;
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      failures.push(error);
      return false;
    }
  });
}

/**
 * `snapshot.delete`: names are gone at once, space comes back in the background. `name` may hold several names and ranges; what can't be
 * deleted does not keep the others. With `dryRun` nothing is changed, and the bytes are counted that deleting all of them would free.
 * Rejects with the only failure where nothing else was to be done.
 */
export async function deleteSnapshots(service: Service, params: Fields): Promise<DeletionInfo> {
  const { volumes } = service.core;
  const dryRun = booleanParam(params, 'dryRun');
  const volume = volumes.get(stringParam(params, 'volume'));
  const { snapshots, failures } = selectSnapshots(volume, longStringParam(params, 'name'));
  const able = each(snapshots, failures, (snapshot) => {
    assertDeletable(service, volume, snapshot);
  });
  if (able.length === 0 && failures.length === 1) throw failures[0]!;
  const infos = await describeSnapshots(service, volume, able);
  if (dryRun) {
    const freedBytes = (await volumes.rehearseDelete(able)) * BLOCK_BYTES;
    return { snapshots: infos, failures: failures.map(faultOf), freedBytes };
  }
  // Anew, since others had their turn: from here to the deletion nobody has.
  const gone = each(able, failures, (snapshot) => {
    if (!snapshot.filesystem.alive) volume.snapshot(snapshot.label.name);
    assertDeletable(service, volume, snapshot);
    volumes.deleteSnapshot(volume, snapshot);
  });
  volumes.record();
  await service.daemon?.mounts.snapshotsChanged(
    volume,
    gone.map(({ label }) => label.accessPoint),
  );
  await volumes.flush();
  for (const { label } of gone) service.log.info(`snapshot ${volume.name}@${label.name} deleted`);
  const names = new Set(gone.map(({ label }) => label.name));
  return {
    snapshots: infos.filter(({ name }) => names.has(name)),
    failures: failures.map(faultOf),
    freedBytes: null,
  };
}

/**
 * `snapshot.cheapest`: of the snapshots that nothing holds the oldest, as few as it takes to free `bytes`, without those among them that
 * need not go. Rejects with ENOSPC where all together would not free so much.
 */
export async function cheapestSnapshots(service: Service, params: Fields): Promise<DeletionInfo> {
  const { volumes } = service.core;
  const volume = volumes.get(stringParam(params, 'volume'));
  const wanted = Math.ceil(numberParam(params, 'bytes') / BLOCK_BYTES);
  await commitFigures(service);
  const able = each(volume.snapshots(), [], (snapshot) => {
    assertDeletable(service, volume, snapshot);
  });
  const { snapshots, blocks } = await cheapestToFree(volumes.forest, able, wanted);
  const freedBytes = blocks * BLOCK_BYTES;
  if (blocks < wanted) {
    throw new FsError(
      'ENOSPC',
      'free-not-enough',
      `deleting all snapshots of volume ${volume.name} that nothing holds (${able.length}) would free ${freedBytes} bytes only`,
    );
  }
  return { snapshots: await describeSnapshots(service, volume, snapshots), failures: [], freedBytes };
}

/** `reclaimed`: resolves when all that deletions free can be used again. */
export async function awaitReclaimed({ core }: Service): Promise<{ usedBytes: number }> {
  await core.volumes.reclaimed();
  await core.volumes.commit();
  return { usedBytes: core.volumes.allocatedBlocks * BLOCK_BYTES };
}
