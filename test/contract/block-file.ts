// What every BlockFile has to do. Run by each implementation's test file with its own factory.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CorruptionError } from '../../src/errors/index.ts';
import { BLOCK_BYTES } from '../../src/format/index.ts';
import type { BlockFile } from '../../src/store/index.ts';

/** Bytes that differ from block to block and within one. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) + seed * 17) & 255;
  return bytes;
}

/** Defines the suite. `open` gives an empty file. */
export function blockFileContract(name: string, open: () => Promise<BlockFile> | BlockFile): void {
  describe(`BlockFile contract: ${name}`, () => {
    let file: BlockFile;
    beforeEach(async () => {
      file = await open();
    });
    afterEach(() => {
      file.close();
    });

    const reads = {
      readSync: (into: Uint8Array, at: number, length: number, from: number) => {
        file.readSync(into, at, length, from);
        return Promise.resolve();
      },
      read: (into: Uint8Array, at: number, length: number, from: number) => file.read(into, at, length, from),
      readCached: async (into: Uint8Array, at: number, length: number, from: number) => {
        if (!file.readCached(into, at, length, from)) await file.read(into, at, length, from);
      },
    };

    for (const [way, read] of Object.entries(reads)) {
      it(`gives what was written: ${way}`, async () => {
        const written = pattern(3 * BLOCK_BYTES, 1);
        file.writeSync(written, 0, written.length, 0);
        const into = new Uint8Array(3 * BLOCK_BYTES);
        await read(into, 0, into.length, 0);
        expect(Buffer.compare(into, written)).toBe(0);
      });

      it(`reads into the middle of a part of a buffer, and nowhere else: ${way}`, async () => {
        const written = pattern(4 * BLOCK_BYTES, 2);
        file.writeSync(written, 0, written.length, 0);
        const whole = new Uint8Array(4 * BLOCK_BYTES).fill(255);
        const part = whole.subarray(100, 100 + 2 * BLOCK_BYTES);
        await read(part, 10, BLOCK_BYTES + 5, BLOCK_BYTES + 3);
        const expected = new Uint8Array(4 * BLOCK_BYTES).fill(255);
        expected.set(written.subarray(BLOCK_BYTES + 3, 2 * BLOCK_BYTES + 8), 110);
        expect(Buffer.compare(whole, expected)).toBe(0);
      });

      it(`gives zeros for a hole: ${way}`, async () => {
        const written = pattern(BLOCK_BYTES, 3);
        file.writeSync(written, 0, BLOCK_BYTES, 5 * BLOCK_BYTES);
        const into = new Uint8Array(2 * BLOCK_BYTES).fill(1);
        await read(into, 0, into.length, 2 * BLOCK_BYTES);
        expect(into.every((byte) => byte === 0)).toBe(true);
      });

      it(`refuses to read past the end: ${way}`, async () => {
        file.writeSync(pattern(BLOCK_BYTES, 4), 0, BLOCK_BYTES, 0);
        const into = new Uint8Array(2 * BLOCK_BYTES);
        await expect((async () => read(into, 0, 2 * BLOCK_BYTES, 0))()).rejects.toThrow(CorruptionError);
        await expect((async () => read(into, 0, BLOCK_BYTES, 7 * BLOCK_BYTES))()).rejects.toThrow(CorruptionError);
      });

      it(`reads alternately into several buffers: ${way}`, async () => {
        file.writeSync(pattern(2 * BLOCK_BYTES, 5), 0, 2 * BLOCK_BYTES, 0);
        const buffers = [new Uint8Array(BLOCK_BYTES), new Uint8Array(BLOCK_BYTES), Buffer.alloc(BLOCK_BYTES)];
        for (let round = 0; round < 6; round++) {
          const into = buffers[round % 3]!;
          into.fill(0);
          await read(into, 0, BLOCK_BYTES, (round % 2) * BLOCK_BYTES);
          const from = (round % 2) * BLOCK_BYTES;
          expect(Buffer.compare(into, pattern(2 * BLOCK_BYTES, 5).subarray(from, from + BLOCK_BYTES))).toBe(0);
        }
      });
    }

    it('does not let a cached read leave its buffer', () => {
      file.writeSync(pattern(2 * BLOCK_BYTES, 6), 0, 2 * BLOCK_BYTES, 0);
      const whole = new Uint8Array(2 * BLOCK_BYTES);
      expect(() => file.readCached(whole.subarray(0, BLOCK_BYTES), 1, BLOCK_BYTES, 0)).toThrow(/room/);
      expect(whole.every((byte) => byte === 0)).toBe(true);
    });

    it('writes from the middle of a buffer', () => {
      const from = pattern(2 * BLOCK_BYTES, 7);
      file.writeSync(from, 77, BLOCK_BYTES, BLOCK_BYTES);
      const into = new Uint8Array(BLOCK_BYTES);
      file.readSync(into, 0, BLOCK_BYTES, BLOCK_BYTES);
      expect(Buffer.compare(into, from.subarray(77, 77 + BLOCK_BYTES))).toBe(0);
    });

    it('knows its size', () => {
      expect(file.sizeBytes).toBe(0);
      file.writeSync(pattern(BLOCK_BYTES, 8), 0, BLOCK_BYTES, 9 * BLOCK_BYTES);
      expect(file.sizeBytes).toBe(10 * BLOCK_BYTES);
      file.writeSync(pattern(BLOCK_BYTES, 8), 0, BLOCK_BYTES, 0);
      expect(file.sizeBytes).toBe(10 * BLOCK_BYTES);
    });

    it('punches exactly the range, and keeps its size', () => {
      const written = pattern(48 * BLOCK_BYTES, 9);
      file.writeSync(written, 0, written.length, 0);
      const before = file.storedBytes();
      file.punch(16 * BLOCK_BYTES, 32 * BLOCK_BYTES);
      written.fill(0, 16 * BLOCK_BYTES);
      const into = new Uint8Array(48 * BLOCK_BYTES);
      file.readSync(into, 0, into.length, 0);
      expect(Buffer.compare(into, written)).toBe(0);
      expect(file.sizeBytes).toBe(48 * BLOCK_BYTES);
      expect(before - file.storedBytes()).toBe(32 * BLOCK_BYTES);
    });

    it('syncs, also when there is nothing to do', async () => {
      await file.sync();
      file.writeSync(pattern(BLOCK_BYTES, 10), 0, BLOCK_BYTES, 0);
      await file.sync();
      await file.sync();
    });
  });
}
