import { expect, test } from 'vitest';
import { progressBar, progressText } from '../../../src/cli/run/progress.ts';

test.each([
  [0, `[${'.'.repeat(30)}]`],
  [0.5, `[${'#'.repeat(15)}${'.'.repeat(15)}]`],
  [0.999, `[${'#'.repeat(29)}.]`],
  [1, `[${'#'.repeat(30)}]`],
])('the bar at %d', (done, bar) => {
  expect(progressBar(done)).toBe(bar);
});

test('progress in words', () => {
  expect(progressText(0.456, 1 << 20, 1 << 21, 1)).toBe('45 % freed, 1.00 MiB of 2.00 MiB, 1 version left');
});
