import { describe, expect, it } from 'vitest';
import { JournalRecordWriter } from '../../../src/format/index.ts';
import { Journal, type Lane } from '../../../src/store/index.ts';
import { MemoryJournalFile } from '../../support/memory-journal-file.ts';

const noData = (): Promise<void> => Promise.resolve();

/** A journal that records, where there was nothing before. */
function begun(): { file: MemoryJournalFile; journal: Journal } {
  const file = new MemoryJournalFile();
  const journal = new Journal(file);
  journal.resume(0);
  journal.begin();
  return { file, journal };
}

/** Appends `count` records; each says its number in so many bytes of JSON. */
function append(journal: Journal, count: number, textBytes = 40): void {
  const writer = new JournalRecordWriter();
  for (let i = 0; i < count; i++) {
    writer.clear();
    writer.structure(String(journal.sequence + 1).padEnd(textBytes));
    journal.append(writer);
  }
}

interface Found {
  sequences: number[];
  lost: number;
}

/** What is to be done again where commits hold everything up to `mark`. Each record must say what it was written with. */
function found(file: MemoryJournalFile, mark: number): Found {
  const { records, lost } = new Journal(file).remains(mark);
  for (const { sequence, items } of records)
    expect(Buffer.from(items.subarray(5)).toString().trim()).toBe(`${sequence}`);
  return { sequences: records.map(({ sequence }) => sequence), lost };
}

/** Changes a byte of the record in `lane` that says `sequence`. */
function damage(file: MemoryJournalFile, lane: Lane, sequence: number): void {
  const at = Buffer.from(file.read(lane)).indexOf(String(sequence).padEnd(40));
  expect(at).toBeGreaterThan(0);
  file.write(lane, Uint8Array.of(255), 1, at);
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('Journal', () => {
  it('gives what was recorded, and how much', () => {
    const { file, journal } = begun();
    append(journal, 3);
    expect(journal.sequence).toBe(3);
    const bytes = journal.bytes;
    append(journal, 3);
    expect(journal.bytes).toBe(2 * bytes);
    expect(found(file.copy(), 0)).toEqual({ sequences: [1, 2, 3, 4, 5, 6], lost: 0 });
    expect(found(file.copy(), 4)).toEqual({ sequences: [5, 6], lost: 0 });
    expect(found(file.copy(), 6)).toEqual({ sequences: [], lost: 0 });
  });

  it('numbers records without gaps over both lanes, turn for turn', () => {
    const { file, journal } = begun();
    let mark = 0;
    for (let round = 1; round <= 7; round++) {
      append(journal, round);
      const captured = journal.turn();
      expect(captured).toBe(mark + round + (round > 1 ? 2 : 0));
      expect(journal.bytes).toBe(0);
      append(journal, 2);
      // Until the commit is durable both lanes are needed, afterwards one.
      expect(found(file.copy(), mark).sequences).toEqual(numbers(mark + 1, captured + 2));
      expect(found(file.copy(), captured).sequences).toEqual(numbers(captured + 1, captured + 2));
      journal.release();
      mark = captured;
    }
  });

  it('ends with a record that was not written to its end, whatever is left of it', () => {
    const { file, journal } = begun();
    append(journal, 3);
    const whole = journal.bytes;
    append(journal, 1, 3000);
    for (const bytes of [whole, whole + 1, whole + 23, whole + 24, whole + 600, journal.bytes - 1]) {
      const torn = file.copy();
      torn.write(0, new Uint8Array(journal.bytes - bytes), journal.bytes - bytes, bytes);
      expect(found(torn, 0)).toEqual({ sequences: [1, 2, 3], lost: 0 });
    }
  });

  it('takes nothing of earlier rounds for new, though they lie where the next record would', () => {
    const { file, journal } = begun();
    append(journal, 6);
    for (let i = 0; i < 2; i++) {
      journal.turn();
      journal.release();
    }
    // Of the same length: the third record of before lies behind the second one of now.
    append(journal, 2);
    expect(found(file.copy(), 6)).toEqual({ sequences: [7, 8], lost: 0 });
  });

  it('tells how many records are lost behind a damaged one that was on stable storage', async () => {
    const { file, journal } = begun();
    append(journal, 6);
    await journal.flush(noData);
    append(journal, 2);
    const damaged = file.copy();
    damage(damaged, 0, 3);
    expect(found(damaged, 0)).toEqual({ sequences: [1, 2], lost: 4 });
    expect(found(damaged, 2)).toEqual({ sequences: [], lost: 4 });
    // What commits hold is not lost.
    expect(found(damaged, 6)).toEqual({ sequences: [], lost: 0 });
  });

  it('tells so too where the first record of a lane is the damaged one', async () => {
    const { file, journal } = begun();
    append(journal, 4);
    await journal.flush(noData);
    append(journal, 1);
    damage(file, 0, 1);
    expect(found(file, 0)).toEqual({ sequences: [], lost: 4 });
  });

  it('tells so too where the damage is in the lane of the commit under way', async () => {
    const { file, journal } = begun();
    append(journal, 4);
    journal.turn();
    append(journal, 2);
    await journal.flush(noData);
    append(journal, 1);
    damage(file, 0, 3);
    expect(found(file, 0)).toEqual({ sequences: [1, 2], lost: 4 });
    expect(found(file, 4)).toEqual({ sequences: [5, 6, 7], lost: 0 });
  });

  it('says nothing of a tail that never was on stable storage', () => {
    const { file, journal } = begun();
    append(journal, 6);
    damage(file, 0, 3);
    expect(found(file, 0)).toEqual({ sequences: [1, 2], lost: 0 });
  });

  it('flushes once, also while a commit is under way, whose records are not durable yet', async () => {
    const { file, journal } = begun();
    append(journal, 1);
    await journal.flush(noData);
    expect(file.syncs).toBe(1);
    append(journal, 1);
    journal.turn();
    append(journal, 1);
    await journal.flush(noData);
    expect(file.syncs).toBe(2);
    journal.release();
    append(journal, 1);
    await journal.flush(noData);
    expect(file.syncs).toBe(3);
  });

  it('flushes at once while a commit is under way, when the disk is quick', async () => {
    const { file, journal } = begun();
    append(journal, 1);
    // Now it is known to be quick.
    await journal.flush(noData);
    append(journal, 1);
    journal.turn();
    append(journal, 1);
    expect(journal.flushNow({ isSynced: true })).toBe(true);
    expect(file.syncs).toBe(2);
    expect(journal.flushNow({ isSynced: true })).toBe(true);
    expect(file.syncs).toBe(2);
  });

  it('says of a record that it is durable only when its data is too', async () => {
    const { file, journal } = begun();
    append(journal, 2);
    const flushed = journal.flush(async () => {
      append(journal, 1);
      await Promise.resolve();
    });
    await flushed;
    append(journal, 1);
    await expect(journal.flush(() => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
    append(journal, 1);
    // The third came during the flush, the fourth was not flushed.
    expect(new Journal(file).remains(0).records.map(({ durable }) => durable)).toEqual([0, 0, 0, 2, 2]);
  });

  it('forgets both lanes when recording begins, so that a number that is used again leads to nothing old', () => {
    const { file, journal } = begun();
    append(journal, 4);
    journal.turn();
    append(journal, 4);
    damage(file, 0, 3);
    const next = new Journal(file);
    expect(next.remains(0).records).toHaveLength(2);
    next.resume(2);
    next.begin();
    expect(file.sizeBytes).toBe(0);
    append(next, 1);
    expect(found(file, 2)).toEqual({ sequences: [3], lost: 0 });
  });

  it('leaves nothing behind at its end', () => {
    const { file, journal } = begun();
    append(journal, 2);
    journal.turn();
    journal.release();
    journal.end();
    expect(journal.isOpen).toBe(false);
    expect(file.sizeBytes).toBe(0);
    expect(() => {
      append(journal, 1);
    }).toThrow(/between begin and close/);
  });
});
