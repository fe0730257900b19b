import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CorruptionError } from '../../../src/errors/index.ts';
import { REGION_RECORD_BYTES, REGION_WORDS, decodeRegion, encodeRegion } from '../../../src/format/region-record.ts';

const words = (...set: number[]): Int32Array => {
  const bitmap = new Int32Array(REGION_WORDS);
  for (const bit of set) bitmap[bit >> 5]! |= 1 << (bit & 31);
  return bitmap;
};
const decode = (region: number, record: Uint8Array): Int32Array => {
  const bitmap = new Int32Array(REGION_WORDS).fill(-1);
  decodeRegion(region, record, bitmap);
  return bitmap;
};

describe('region record', () => {
  it('has the bytes of the example in the format document', () => {
    const document = readFileSync(new URL('../../../src/format/FORMAT.md', import.meta.url), 'utf8');
    const example = /<!-- example: region record -->\s+```\n([^`]+)```/.exec(document)![1]!;
    const bytes = example.split('\n').flatMap((line) =>
      line
        .replace(/ {2}.*$/, '')
        .trim()
        .split(' ')
        .filter(Boolean),
    );
    const start = Uint8Array.from(bytes.map((byte) => Number.parseInt(byte, 16)));
    expect(start).toHaveLength(16);
    const record = new Uint8Array(REGION_RECORD_BYTES);
    record.set(start);
    expect([...decode(3, record)]).toEqual([...words(0, 1, 2, 3, 8, 15, 63)]);
    expect(Buffer.compare(encodeRegion(3, words(0, 1, 2, 3, 8, 15, 63)), record)).toBe(0);
  });

  it('gives back any bitmap', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(REGION_WORDS * 32 - 1)), fc.nat(2 ** 32 - 1), (set, region) => {
        const record = encodeRegion(region, words(...set));
        expect(decode(region, record)).toEqual(words(...set));
      }),
    );
  });

  it('finds each flipped bit, the wrong region and the wrong length', () => {
    const record = encodeRegion(7, words(1, 100, 32_767));
    fc.assert(
      fc.property(fc.nat(record.length - 1), fc.nat(7), (at, bit) => {
        const damaged = Uint8Array.from(record);
        damaged[at]! ^= 1 << bit;
        expect(() => decode(7, damaged)).toThrow(CorruptionError);
      }),
    );
    expect(() => decode(8, record)).toThrow(/region 8: wrong checksum/);
    for (const length of [0, 1, 6, record.length - 1]) {
      expect(() => decode(7, record.subarray(0, length))).toThrow(CorruptionError);
    }
    expect(() => decode(7, Uint8Array.from([...record, 0]))).toThrow(CorruptionError);
  });
});
