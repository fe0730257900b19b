import { expect, test } from 'vitest';
import type { Control, StoreStatus } from '../../../src/daemon/control/index.ts';
import { awaitSpace, progressBar, progressText } from '../../../src/cli/run/progress.ts';

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

/** What is written while a store tells of `left` versions, one answer after the other, and then of none. */
async function written(left: readonly number[], isTTY: boolean): Promise<string> {
  const answers = [...left];
  const status = (reclaiming: number): StoreStatus => ({ usedBytes: reclaiming << 20, reclaiming }) as StoreStatus;
  const call = (method: string): Promise<unknown> =>
    Promise.resolve(method === 'status' ? status(answers.shift() ?? 0) : { usedBytes: 0 });
  const control = { call } as unknown as Control;
  let text = '';
  await awaitSpace(control, status(4), 4 << 20, { isTTY, write: (more) => (text += more) });
  return text;
}

test('without a terminal there are whole lines, from the second second on, and one at the end', async () => {
  expect(await written([4], false)).toBe('');
  expect(await written([4, 1], false)).toBe(
    'amberfs: 75 % freed, 3.00 MiB of 4.00 MiB, 1 version left\namberfs: 100 % freed, 4.00 MiB of 4.00 MiB, 0 versions left\n',
  );
}, 10_000);

test('on a terminal a line is drawn over and over and is empty at the end', async () => {
  expect(await written([], true)).toBe('');
  const drawn = (await written([4, 2], true)).split('\r\x1b[K');
  expect(drawn.map((line) => line.slice(0, 40))).toEqual([
    '',
    `${progressBar(0)} 0 % fre`,
    `${progressBar(0.5)} 50 % fr`,
    `${progressBar(1)} 100 % f`,
    '',
  ]);
});
