// What every JournalFile has to do. Run by each implementation's test file with its own factory.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JournalFile, LANES, type Lane } from '../../src/store/index.ts';
import { pattern } from './block-file.ts';

/** Defines the suite. `open` gives an empty file; `reopen`, where it stores anything, the same one after a close. */
export function journalFileContract(name: string, open: () => JournalFile, reopen?: () => JournalFile): void {
  describe(`JournalFile contract: ${name}`, () => {
    let file: JournalFile;
    beforeEach(() => {
      file = open();
    });
    afterEach(() => {
      file.close();
    });

    /** What a lane holds before the zeros at its end. */
    const content = (lane: Lane = 0): Buffer => {
      const bytes = Buffer.from(file.read(lane));
      let end = bytes.length;
      while (end > 0 && bytes[end - 1] === 0) end--;
      return bytes.subarray(0, end);
    };

    it('is empty at first', () => {
      expect([file.sizeBytes, file.read(0).length, file.read(1).length]).toEqual([0, 0, 0]);
    });

    it('gives what was written, where it was written', () => {
      const [first, second] = [pattern(3000, 1), pattern(700, 2)];
      file.write(0, first, 3000, 0);
      file.write(0, second, 500, 2900);
      const expected = Buffer.alloc(3400);
      expected.set(first);
      expected.set(second.subarray(0, 500), 2900);
      expect(content().equals(expected)).toBe(true);
      expect(file.sizeBytes).toBeGreaterThanOrEqual(3400);
    });

    it('overwrites from its start on, and leaves what is behind', () => {
      file.write(0, pattern(3000, 1), 3000, 0);
      const expected = Buffer.from(pattern(3000, 1));
      expected.set(pattern(10, 2));
      file.write(0, pattern(10, 2), 10, 0);
      expect(content().equals(expected)).toBe(true);
    });

    it('keeps its lanes apart, however long they are', () => {
      const wholes = LANES.map((lane) => Buffer.from(pattern(3_000_000 + 777 * lane, 5 + lane)));
      // Pieces that end anywhere, the lanes in turns.
      for (let at = 0; at < 3_100_000; at += 91_003) {
        for (const lane of LANES) {
          const piece = wholes[lane]!.subarray(at, at + 91_003);
          file.write(lane, piece, piece.length, at);
        }
      }
      for (const lane of LANES) expect(content(lane).equals(wholes[lane]!)).toBe(true);
      file.write(1, pattern(600_000, 9), 600_000, 200_000);
      expect(content(0).equals(wholes[0]!)).toBe(true);
      wholes[1]!.set(pattern(600_000, 9), 200_000);
      expect(content(1).equals(wholes[1]!)).toBe(true);
    });

    it('changes nothing of what it holds where room is reserved', () => {
      file.write(0, pattern(3000, 1), 3000, 0);
      file.reserve(2000);
      file.reserve(700_000);
      expect(content().equals(pattern(3000, 1).subarray(0, 3000))).toBe(true);
      file.write(0, pattern(100, 2), 100, 3000);
      expect(content()).toHaveLength(3100);
    });

    for (const durable of [true, false]) {
      it(`holds nothing any more once it is cleared, and can be written again: ${durable ? '' : 'not '}durably`, () => {
        file.reserve(5000);
        file.write(0, pattern(3000, 1), 3000, 0);
        file.clear(durable);
        expect([file.sizeBytes, file.read(0).length, file.read(1).length]).toEqual([0, 0, 0]);
        file.write(0, pattern(20, 3), 20, 0);
        expect(content().equals(pattern(20, 3))).toBe(true);
      });
    }

    it('syncs, also when there is nothing to do', async () => {
      await file.sync();
      file.write(0, pattern(100, 1), 100, 0);
      await Promise.all([file.sync(), file.sync()]);
      expect(file.canSyncNow).toBe(true);
      file.write(0, pattern(100, 2), 100, 0);
      file.syncNow();
      file.syncNow();
      await file.sync();
    });

    if (reopen === undefined) return;
    it('has everything again after a close', () => {
      file.write(0, pattern(3000, 1), 3000, 0);
      file.write(1, pattern(500_000, 2), 500_000, 0);
      file.close();
      file = reopen();
      expect(content().equals(pattern(3000, 1))).toBe(true);
      expect(content(1).equals(pattern(500_000, 2))).toBe(true);
    });
  });
}
