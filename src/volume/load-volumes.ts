// Which volumes and snapshots there are, read when a store is opened.

import { CorruptionError } from '../errors/index.ts';
import { SPACE, decodeVolume, nameOfVolumeKey } from '../format/index.ts';
import { type KeyValue, eachRecord } from '../store/index.ts';
import type { Forest } from '../tree/index.ts';
import type { Log } from '../util/index.ts';
import type { VolumeRecords } from './volume-records.ts';
import type { VolumeSet } from './volume-set.ts';

/**
 * Adds to `set` and `records` what the store holds. Throws CorruptionError where something of it is damaged; of a store that is known to be,
 * what can't be read is left out, and `log` is told.
 */
export async function loadVolumes(
  kv: KeyValue,
  forest: Forest,
  set: VolumeSet,
  records: VolumeRecords,
  log: Log,
): Promise<void> {
  const add = (what: string, load: () => void, missing: (why: string) => void = () => undefined): void => {
    try {
      load();
    } catch (error) {
      if (kv.damage === undefined || !(error instanceof CorruptionError)) throw error;
      log.error(`${what} can't be shown: ${error.message}`);
      missing(error.message);
    }
  };
  await eachRecord(kv, SPACE.volume, (key, value) => {
    const name = nameOfVolumeKey(key);
    add(
      `volume ${name}`,
      () => {
        const record = records.load(name, decodeVolume(key, value, `volume ${name}`));
        set.attach(record, forest.head(forest.versions.get(record.head)));
      },
      (why) => {
        set.names.noteUnreadable(name, why);
      },
    );
  });
  const labelled = [...forest.versions.all()].filter((version) => version.label !== undefined);
  // Version ids grow with time, whatever the clock did.
  labelled.sort((a, b) => a.id - b.id);
  for (const version of labelled) {
    add(`snapshot ${version.label!.name}`, () => {
      set.attachSnapshot(version, version.label!);
    });
  }
  const { unreadable } = forest.versions;
  if (unreadable > 0) log.error(`${unreadable} versions can't be read: snapshots may be missing`);
}
