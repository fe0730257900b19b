import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areSet,
  clearBits,
  countBits,
  nextClear,
  nextSet,
  popCount,
  previousSet,
  setBits,
  wordMask,
} from '../../../src/store/bitmap.ts';

const BITS = 160;

/** A bitmap and the same as an array of booleans. */
const bitmaps = fc.array(fc.boolean(), { minLength: BITS, maxLength: BITS }).chain((noise) =>
  // Noise alone has no full or empty words.
  fc.array(fc.tuple(fc.nat(BITS - 1), fc.nat(BITS), fc.boolean()), { maxLength: 4 }).map((runs) => {
    const bits = [...noise];
    for (const [start, count, value] of runs) bits.fill(value, start, start + count);
    const words = new Int32Array(BITS / 32);
    bits.forEach((bit, at) => {
      if (bit) words[at >> 5]! |= 1 << (at & 31);
    });
    return { bits, words };
  }),
);
const read = (words: Int32Array): boolean[] =>
  Array.from({ length: BITS }, (_, at) => ((words[at >> 5]! >> (at & 31)) & 1) === 1);
const runs = fc
  .tuple(fc.nat(BITS - 1), fc.nat(BITS))
  .map(([start, count]) => [start, Math.min(count, BITS - start)] as const);

describe('bitmap', () => {
  it('masks bits of a word', () => {
    expect(wordMask(0, 32)).toBe(-1);
    expect(wordMask(31, 32)).toBe(1 << 31);
    expect(wordMask(0, 1)).toBe(1);
    expect(wordMask(4, 8)).toBe(0xf0);
  });

  it('counts', () => {
    fc.assert(
      fc.property(bitmaps, ({ bits, words }) => {
        expect(countBits(words)).toBe(bits.filter(Boolean).length);
        expect(popCount(words[0]!)).toBe(bits.slice(0, 32).filter(Boolean).length);
      }),
    );
  });

  it('sets, clears and looks at runs', () => {
    fc.assert(
      fc.property(bitmaps, runs, ({ bits, words }, [start, count]) => {
        expect(areSet(words, start, count)).toBe(bits.slice(start, start + count).every(Boolean));
        const set = Int32Array.from(words);
        setBits(set, start, count);
        expect(read(set)).toEqual([...bits].fill(true, start, start + count));
        clearBits(set, start, count);
        expect(read(set)).toEqual([...bits].fill(false, start, start + count));
      }),
    );
  });

  it('finds the next and the previous', () => {
    fc.assert(
      fc.property(bitmaps, fc.nat(BITS), fc.nat(BITS), ({ bits, words }, from, limit) => {
        const found = (value: boolean): number => {
          const at = bits.indexOf(value, from);
          return at === -1 || at >= limit ? limit : at;
        };
        expect(nextSet(words, from, limit)).toBe(found(true));
        expect(nextClear(words, from, limit)).toBe(found(false));
        const before = from === 0 ? -1 : bits.lastIndexOf(true, from - 1);
        expect(previousSet(words, from, 0)).toBe(before);
        expect(previousSet(words, from, limit)).toBe(Math.max(limit - 1, before));
      }),
    );
  });
});
