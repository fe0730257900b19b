// Writes the records of volumes with each commit: those that changed, and no look at the others, of which there may be many thousands.

import { type VolumeRecord, encodeVolume, volumeKey } from '../format/index.ts';
import type { Batch, CommitParticipant } from '../store/index.ts';
import { OpenRecord, type RecordListener } from './open-record.ts';

export class VolumeRecords implements CommitParticipant, RecordListener {
  readonly #dirty = new Set<OpenRecord>();
  readonly #gone = new Set<string>();

  /** The record of a volume as it was read. */
  load(name: string, stored: VolumeRecord): OpenRecord {
    return new OpenRecord(name, stored, this);
  }

  /** The record of a new volume, to be written. */
  create(name: string, fields: VolumeRecord): OpenRecord {
    const record = this.load(name, fields);
    this.touched(record);
    return record;
  }

  /** The volume is deleted: its record goes. */
  remove(record: OpenRecord): void {
    record.remove();
    this.#dirty.delete(record);
  }

  touched(record: OpenRecord): void {
    this.#dirty.add(record);
  }

  nameGone(name: string): void {
    this.#gone.add(name);
  }

  capture(batch: Batch): void {
    // First those that go: another volume may have the name by now.
    for (const name of this.#gone) batch.delete(volumeKey(name));
    this.#gone.clear();
    for (const record of this.#dirty) {
      const key = volumeKey(record.name);
      batch.put(key, encodeVolume(key, record.toJSON()));
    }
    this.#dirty.clear();
  }

  durable(): void {
    // Nothing is kept for it.
  }
}
