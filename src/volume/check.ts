import { checkForest } from '../tree/index.ts';
import { checkFilesystem } from './check-filesystem.ts';
import type { Volumes } from './volumes.ts';

/**
 * The full check of a store: all invariants of design section 5. Waits until everything is committed and reclaimed, reads everything,
 * changes nothing. Gives what is wrong, one line each.
 */
export async function checkVolumes(volumes: Volumes): Promise<string[]> {
  await volumes.commit();
  await volumes.reclaimed();
  await volumes.commit();
  const problems = await checkForest(volumes.forest);
  for (const volume of volumes.list()) {
    problems.push(...checkFilesystem(volume.filesystem).map((problem) => `volume ${volume.name}: ${problem}`));
    for (const snapshot of volume.snapshots()) {
      const found = checkFilesystem(snapshot.filesystem);
      problems.push(...found.map((problem) => `snapshot ${volume.name}@${snapshot.label.name}: ${problem}`));
    }
  }
  return problems;
}
