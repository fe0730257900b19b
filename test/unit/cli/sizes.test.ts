import { describe, expect, test } from 'vitest';
import { formatSize, formatUtcTime, parseMoment } from '../../../src/cli/sizes.ts';
import { parseSize } from '../../../src/util/index.ts';

describe('a size for people', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [1536, '1.50 KiB'],
    [10_240, '10.0 KiB'],
    [102_400, '100 KiB'],
    // 999.9 KiB would be "1000 KiB".
    [1_023_900, '0.98 MiB'],
    [1024 ** 2, '1.00 MiB'],
    [5.25 * 1024 ** 3, '5.25 GiB'],
    [16 * 1024 ** 4, '16.0 TiB'],
    [3000 * 1024 ** 5, '3000 PiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

test('a time for machines is UTC', () => {
  expect(formatUtcTime(1_767_225_600_123)).toBe('2026-01-01T00:00:00.123Z');
});

test.each([
  ['4096', 4096],
  ['10G', 10 * 1024 ** 3],
  ['1.5 MiB', 1.5 * 1024 ** 2],
  ['2tb', 2 * 1024 ** 4],
  ['10 bananas', undefined],
  ['-1', undefined],
  ['', undefined],
])('"%s" is a size of %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ['30m', '2026-01-01T00:30:00.000Z'],
  ['2w', '2026-01-15T00:00:00.000Z'],
  ['2026-12-31', '2026-12-31T00:00:00.000Z'],
  ['2026-12-31 18:00', '2026-12-31T18:00:00.000Z'],
  ['2026-12-31T18:00+02:00', '2026-12-31T16:00:00.000Z'],
  ['2026-13-31', undefined],
  ['tomorrow', undefined],
])('"%s" is the moment %s', (text, moment) => {
  const ms = parseMoment(text, Date.parse('2026-01-01'));
  expect(ms === undefined ? undefined : new Date(ms).toISOString()).toBe(moment);
});
