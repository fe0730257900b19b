// The journal: what was done since the last durable commit, one record an operation, in two lanes of one file that take turns.
//
// A commit's capture turns to the other lane: what was recorded before is in the commit, what comes after is not. Since there is one
// capture in flight at a time, the lane that was left is free again when its commit is durable, before the next capture needs it.
// Records are numbered without gaps; a commit notes the number of the last record whose changes it holds. What is to be done again
// after a crash is what follows that number, as far as it is whole.
// INVARIANT: numbers go up by one from record to record over both lanes (checked by test/unit/store/journal.test.ts).

import {
  type JournalRecord,
  type JournalRecordWriter,
  findJournalRecord,
  journalRecordBytes,
  readJournalRecord,
} from '../format/index.ts';
import { assert } from '../util/index.ts';
import { FlushPace } from './flush-pace.ts';
import { type JournalFile, LANES, type Lane } from './journal-file.ts';

/** So much is kept ready to be overwritten, so that an operation that began finds room for its record. */
const HEADROOM_BYTES = 512 * 1024;

/** What is found in the journal of a store that was not closed. */
export interface JournalRemains {
  /** The records that follow the commit, in order. */
  records: JournalRecord[];
  /** So many more were on stable storage once and can't be done again: a record before them is damaged, or a commit that held them is gone. */
  lost: number;
}

export class Journal {
  readonly #file: JournalFile;
  /** The one that is written to. */
  #lane: Lane = 0;
  /** The last record that the newest capture holds. */
  #captured = 0;
  readonly #pace = new FlushPace();
  #bytes = 0;
  #sequence = 0;
  #durable = 0;
  #open = false;

  constructor(file: JournalFile) {
    this.#file = file;
  }

  /** The number of the last record. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Bytes recorded since the last capture. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What a crash left behind after record `mark`. To be called before {@link begin}. */
  remains(mark: number): JournalRemains {
    assert(!this.#open, 'what a crash left is read before anything new is recorded');
    // Also one whose first record is damaged has something to say: what was durable.
    const rounds = LANES.map((lane) => readRound(this.#file.read(lane)));
    rounds.sort((a, b) => (a.records[0]?.sequence ?? 0) - (b.records[0]?.sequence ?? 0));
    const records: JournalRecord[] = [];
    let durable = mark;
    for (const round of rounds) {
      durable = Math.max(durable, round.durable);
      for (const record of round.records) if (record.sequence === mark + records.length + 1) records.push(record);
    }
    return { records, lost: Math.max(0, durable - mark - records.length) };
  }

  /** What {@link remains} gave was done again up to record `sequence`. */
  resume(sequence: number): void {
    this.#sequence = sequence;
    this.#durable = sequence;
  }

  /** Starts recording, when what was done again is committed. */
  begin(): void {
    assert(!this.#open, 'recording begins once');
    // Records behind a damaged one must not come back to life when their predecessor's number is used again.
    if (this.#file.sizeBytes > 0) this.#file.clear(true);
    this.#open = true;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Sees to it that the next records find room. Throws FsError ENOSPC when the host has none. */
  reserve(): void {
    this.#file.reserve(this.#bytes + HEADROOM_BYTES);
  }

  /** Appends a record. It survives the end of this process when this returns. Throws what writing to the host fails with. */
  append(record: JournalRecordWriter): void {
    assert(this.#open, 'records are appended between begin and close');
    record.seal(this.#sequence + 1, this.#durable);
    this.#file.write(this.#lane, record.bytes, record.length, this.#bytes);
    this.#sequence++;
    this.#bytes += record.length;
  }

  /** A commit captures everything so far: gives the number of the last record that it holds. {@link release} has to follow. */
  turn(): number {
    this.#lane = this.#lane === 0 ? 1 : 0;
    this.#bytes = 0;
    this.#captured = this.#sequence;
    return this.#sequence;
  }

  /** The commit is durable: what was recorded before its capture is needed no more. What is recorded from now on says so. */
  release(): void {
    this.#durable = Math.max(this.#durable, this.#captured);
  }

  /**
   * Brings all records to stable storage at once, if that is quick and `data` holds nothing that has to go first; whether it did. Throws
   * StoreError when the host fails.
   */
  flushNow(data: { readonly isSynced: boolean }): boolean {
    if (this.#durable === this.#sequence && data.isSynced) return true;
    if (!data.isSynced || !this.#file.canSyncNow || !this.#pace.allows()) return false;
    const startMs = performance.now();
    this.#file.syncNow();
    this.#pace.took(performance.now() - startMs, true);
    this.#durable = this.#sequence;
    return true;
  }

  /** Brings all records to stable storage; `data` does the same for what they refer to. */
  async flush(data: () => Promise<void>): Promise<void> {
    const sequence = this.#sequence;
    const startMs = performance.now();
    // In any order: after a power cut a record whose data is not there ends what is done again.
    await Promise.all([data(), this.#file.sync()]);
    if (sequence > this.#durable) this.#pace.took(performance.now() - startMs, false);
    this.#durable = Math.max(this.#durable, sequence);
  }

  /** All is committed and nothing more is recorded: leaves nothing behind. */
  end(): void {
    this.#open = false;
    this.#file.clear(false);
  }

  /** Lets go of the file, as it is. */
  close(): void {
    this.#open = false;
    this.#file.close();
  }
}

/** What one lane holds. */
interface Round {
  /** From its start on, numbered without gaps. */
  records: JournalRecord[];
  /** The highest number of which one of its records says that it was on stable storage; also those behind a damaged one say so. */
  durable: number;
}

function readRound(bytes: Uint8Array): Round {
  const records: JournalRecord[] = [];
  let at = 0;
  for (let record = readJournalRecord(bytes, at); record !== undefined; record = readJournalRecord(bytes, at)) {
    const last = records.at(-1);
    if (last !== undefined && record.sequence !== last.sequence + 1) break;
    records.push(record);
    at += journalRecordBytes(record);
  }
  const newest = records.at(-1);
  let durable = newest?.durable ?? 0;
  for (const record of laterRecords(bytes, at)) {
    // Older ones are left over from earlier rounds.
    if (record.sequence > (newest?.sequence ?? 0)) durable = Math.max(durable, record.durable);
  }
  return { records, durable };
}

/** Whole records somewhere behind `from`, where the one at `from` is not whole. */
function* laterRecords(bytes: Uint8Array, from: number): Generator<JournalRecord> {
  for (let at = findJournalRecord(bytes, from); at >= 0;) {
    const record = readJournalRecord(bytes, at);
    if (record !== undefined) yield record;
    at = findJournalRecord(bytes, record === undefined ? at + 1 : at + journalRecordBytes(record));
  }
}
