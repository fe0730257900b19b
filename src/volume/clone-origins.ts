// What clones say of where they came from, while volumes change their names.

import type { Volume } from './volume.ts';
import type { VolumeNames } from './volume-names.ts';

/** `volume` has a new name: its clones name it so. */
export function renameOrigins(volumes: VolumeNames, volume: Volume): void {
  for (const { record } of volumes.all()) {
    const { origin } = record;
    if (origin?.id === volume.record.id) record.origin = { ...origin, volume: volume.name };
  }
}
