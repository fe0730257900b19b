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

/**
 * Gives the origins in records of before volumes could be renamed their ids. At that time a name belonged to one volume until that was
 * deleted, and ids grow: the volume of that name is the origin if it is older than the clone, and else the origin is gone.
 */
export function identifyOrigins(volumes: VolumeNames): void {
  let byName: Map<string, number> | undefined;
  for (const { record } of volumes.all()) {
    const { origin } = record;
    if (origin === undefined || origin.id !== undefined) continue;
    byName ??= new Map([...volumes.all()].map((volume) => [volume.name, volume.record.id]));
    const id = byName.get(origin.volume);
    record.origin = { ...origin, id: id !== undefined && id < record.id ? id : 0 };
  }
}
