// Writes the records of volumes with each commit: those that changed, without anybody having to say so. What can change is compared with
// what was written last; numbers first, since there may be many thousands of volumes and a commit must not feel them.

import { type VolumeRecord, encodeVolume, volumeKey } from '../format/index.ts';
import type { Batch, CommitParticipant } from '../store/index.ts';
import type { Volume } from './volume.ts';

/** What of a record can change, as it was written. */
interface Written {
  head: number;
  nextIno: number;
  snapshotsChangedMs: number;
  properties: string;
}

export class VolumeRecords implements CommitParticipant {
  readonly #volumes: ReadonlyMap<string, Volume>;
  readonly #written = new Map<string, Written>();

  constructor(volumes: ReadonlyMap<string, Volume>) {
    this.#volumes = volumes;
  }

  capture(batch: Batch): void {
    for (const name of this.#written.keys()) {
      if (this.#volumes.has(name)) continue;
      batch.delete(volumeKey(name));
      this.#written.delete(name);
    }
    for (const volume of this.#volumes.values()) {
      volume.record.head = volume.head.id;
      if (isWritten(volume.record, this.#written.get(volume.name))) continue;
      this.loaded(volume);
      batch.put(volumeKey(volume.name), encodeVolume(volume.record));
    }
  }

  /** The record of `volume` is stored as it is. */
  loaded(volume: Volume): void {
    const { head, nextIno, snapshotsChangedMs, properties } = volume.record;
    this.#written.set(volume.name, { head, nextIno, snapshotsChangedMs, properties: describe(properties) });
  }

  durable(): void {
    // Nothing is kept for it.
  }
}

function isWritten(record: VolumeRecord, written: Written | undefined): boolean {
  return (
    written?.head === record.head &&
    written.nextIno === record.nextIno &&
    written.snapshotsChangedMs === record.snapshotsChangedMs &&
    written.properties === describe(record.properties)
  );
}

function describe(properties: Record<string, string>): string {
  // Most volumes have none.
  for (const name in properties) if (Object.hasOwn(properties, name)) return JSON.stringify(properties);
  return '';
}
