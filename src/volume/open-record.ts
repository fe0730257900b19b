// The record of an open volume, with its name, under which it is stored. Whatever is assigned to it is noted for the next commit: nobody
// has to say so, and nobody has to look for it among many thousands of volumes.

import type { CloneOrigin, VolumeRecord } from '../format/index.ts';

/** What a record tells of its changes. */
export interface RecordListener {
  /** The record is to be written with the next commit. */
  touched(record: OpenRecord): void;
  /** Nothing is stored under `name` any more. */
  nameGone(name: string): void;
}

export class OpenRecord implements VolumeRecord {
  readonly #stored: VolumeRecord;
  /** undefined once the volume was deleted: nothing may write it again. */
  #listener: RecordListener | undefined;
  #name: string;

  constructor(name: string, stored: VolumeRecord, listener: RecordListener) {
    this.#name = name;
    this.#stored = stored;
    this.#listener = listener;
  }

  get id(): number {
    return this.#stored.id;
  }

  get createdMs(): number {
    return this.#stored.createdMs;
  }

  get name(): string {
    return this.#name;
  }

  set name(name: string) {
    this.#listener?.nameGone(this.#name);
    this.#name = name;
    this.#touch();
  }

  get head(): number {
    return this.#stored.head;
  }

  set head(id: number) {
    this.#stored.head = id;
    this.#touch();
  }

  get nextIno(): number {
    return this.#stored.nextIno;
  }

  set nextIno(ino: number) {
    this.#stored.nextIno = ino;
    this.#touch();
  }

  get origin(): CloneOrigin | undefined {
    return this.#stored.origin;
  }

  set origin(origin: CloneOrigin | undefined) {
    this.#stored.origin = origin;
    this.#touch();
  }

  get snapshotsChangedMs(): number {
    return this.#stored.snapshotsChangedMs;
  }

  set snapshotsChangedMs(nowMs: number) {
    this.#stored.snapshotsChangedMs = nowMs;
    this.#touch();
  }

  /** Those that were set. */
  get properties(): Readonly<Record<string, string>> {
    return this.#stored.properties;
  }

  set properties(properties: Readonly<Record<string, string>>) {
    this.#stored.properties = properties;
    this.#touch();
  }

  #touch(): void {
    this.#listener?.touched(this);
  }

  /** The volume is deleted, and its record with the next commit. */
  remove(): void {
    this.#listener?.nameGone(this.#name);
    this.#listener = undefined;
  }

  /** What is stored, for the encoding. */
  toJSON(): VolumeRecord {
    return this.#stored;
  }
}
