// What all volumes and snapshots of a store show otherwise than the naive copy.

import { type Volumes, currentHolds } from '../../src/volume/index.ts';
import { differences } from '../model/differences.ts';
import { type NaiveVolumes, tagsAt } from '../model/naive-volumes.ts';

/** One line for each difference, at the moment `nowMs` of the store's clock. */
export function stateDifferences(volumes: Volumes, naive: NaiveVolumes, nowMs: number): string[] {
  const [names, expectedNames] = [
    volumes
      .list()
      .map(({ name }) => name)
      .join(),
    [...naive.keys()].sort().join(),
  ];
  if (names !== expectedNames) return [`the volumes are ${names}, not ${expectedNames}`];
  const found: string[] = [];
  for (const [name, { live, snapshots }] of naive) {
    const volume = volumes.get(name);
    found.push(...differences(volume.filesystem, live).map((line) => `volume ${name}: ${line}`));
    const labels = volume.snapshots().map(({ label }) => {
      return [label.name, label.accessPoint, ...currentHolds(label, nowMs).map(({ tag }) => tag)].join(' ');
    });
    const expected = snapshots.map((one) => [one.name, one.name, ...tagsAt(one, nowMs)].join(' '));
    if (labels.join() !== expected.join()) {
      found.push(`volume ${name} has the snapshots ${labels.join()}, not ${expected.join()}`);
      continue;
    }
    for (const { name: snapshot, files } of snapshots) {
      const lines = differences(volume.snapshot(snapshot).filesystem, files);
      found.push(...lines.map((line) => `snapshot ${name}@${snapshot}: ${line}`));
    }
  }
  return found;
}
