import { encodeVolume, volumeKey } from '../format/index.ts';
import type { Batch, CommitParticipant } from '../store/index.ts';
import type { Volume } from './volume.ts';

/** Writes the records of volumes with each commit: of those that changed, without anybody having to say so. */
export class VolumeRecords implements CommitParticipant {
  readonly #volumes: ReadonlyMap<string, Volume>;
  /** The JSON of each stored record, by volume name. */
  readonly #written = new Map<string, string>();

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
      const text = JSON.stringify(volume.record);
      if (this.#written.get(volume.name) === text) continue;
      this.#written.set(volume.name, text);
      batch.put(volumeKey(volume.name), encodeVolume(volume.record));
    }
  }

  /** The record of `volume` is stored as it is. */
  loaded(volume: Volume): void {
    this.#written.set(volume.name, JSON.stringify(volume.record));
  }

  durable(): void {
    // Nothing is kept for it.
  }
}
