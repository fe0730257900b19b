// What every JournalFile has to do. Run by each implementation's test file with its own factory.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalFile } from '../../src/store/index.ts';
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

    /** What it holds before the zeros at its end. */
    const content = (): Buffer => {
      const bytes = Buffer.from(file.read());
      let end = bytes.length;
      while (end > 0 && bytes[end - 1] === 0) end--;
      return bytes.subarray(0, end);
    };

    it('is empty at first', () => {
      expect([file.sizeBytes, file.read().length]).toEqual([0, 0]);
    });

    it('gives what was written, where it was written', () => {
      const [first, second] = [pattern(3000, 1), pattern(700, 2)];
      file.write(first, 3000, 0);
      file.write(second, 500, 2900);
      const expected = Buffer.alloc(3400);
      expected.set(first);
      expected.set(second.subarray(0, 500), 2900);
      expect(content().equals(expected)).toBe(true);
      expect(file.sizeBytes).toBeGreaterThanOrEqual(3400);
    });

    it('overwrites from its start on, and leaves what is behind', () => {
      file.write(pattern(3000, 1), 3000, 0);
      const expected = Buffer.from(pattern(3000, 1));
      expected.set(pattern(10, 2));
      file.write(pattern(10, 2), 10, 0);
      expect(content().equals(expected)).toBe(true);
    });

    it('changes nothing of what it holds where room is reserved', () => {
      file.write(pattern(3000, 1), 3000, 0);
      file.reserve(2000);
      file.reserve(700_000);
      expect(content().equals(pattern(3000, 1).subarray(0, 3000))).toBe(true);
      file.write(pattern(100, 2), 100, 3000);
      expect(content()).toHaveLength(3100);
    });

    for (const durable of [true, false]) {
      it(`holds nothing any more once it is cleared, and can be written again: ${durable ? '' : 'not '}durably`, () => {
        file.reserve(5000);
        file.write(pattern(3000, 1), 3000, 0);
        file.clear(durable);
        expect([file.sizeBytes, file.read().length]).toEqual([0, 0]);
        file.write(pattern(20, 3), 20, 0);
        expect(content().equals(pattern(20, 3))).toBe(true);
      });
    }

    it('syncs, also when there is nothing to do', async () => {
      await file.sync();
      file.write(pattern(100, 1), 100, 0);
      await Promise.all([file.sync(), file.sync()]);
      expect(file.canSyncNow).toBe(true);
      file.write(pattern(100, 2), 100, 0);
      file.syncNow();
      file.syncNow();
      await file.sync();
    });

    if (reopen === undefined) return;
    it('has everything again after a close', () => {
      file.write(pattern(3000, 1), 3000, 0);
      file.close();
      file = reopen();
      expect(content().equals(pattern(3000, 1))).toBe(true);
    });
  });
}
