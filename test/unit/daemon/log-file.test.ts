import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import tmp from 'tmp-promise';
import { expect, test } from 'vitest';
import { createLog, formatLine } from '../../../src/daemon/log-file.ts';

test('an entry has its time in UTC, and no name of a file can forge another', () => {
  const time = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
  expect(formatLine(time, 'info', 'mounted')).toBe('2026-01-02T03:04:05.006Z info mounted\n');
  expect(formatLine(time, 'error', 'a\n2026-01-02T00:00:00.000Z info b\x1b[2J\r')).toBe(
    '2026-01-02T03:04:05.006Z error a\n    2026-01-02T00:00:00.000Z info b?[2J?\n',
  );
});

test('a log file is bounded: what is full moves aside, and other writers to the descriptor go on', async () => {
  const { path: dir, cleanup } = await tmp.dir({ unsafeCleanup: true });
  const path = join(dir, 'daemon.log');
  const fd = openSync(path, 'a', 0o600);
  const log = createLog(fd, { path, maxBytes: 1000 });
  for (let index = 0; index < 100; index++) log.info(`entry ${index}`);
  expect(statSync(path).size).toBeLessThanOrEqual(1000);
  expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(1000);
  const lines = (readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8')).trim().split('\n');
  expect(lines.at(-1)).toMatch(/ info entry 99$/);
  // Nothing is lost at the seam.
  const numbers = lines.map((line) => Number(line.split(' ').at(-1)));
  expect(numbers).toEqual(numbers.map((_, index) => 100 - numbers.length + index));
  writeSync(fd, 'last words\n');
  expect(readFileSync(path, 'utf8')).toMatch(/entry 99\nlast words\n$/);
  closeSync(fd);
  await cleanup();
});

test('logging to a descriptor that is gone does not fail', () => {
  expect(() => createLog(999_999).error('nobody hears this')).not.toThrow();
});

test('what is said again and again is counted', async () => {
  const { path: dir, cleanup } = await tmp.dir({ unsafeCleanup: true });
  const path = join(dir, 'daemon.log');
  const fd = openSync(path, 'a', 0o600);
  const log = createLog(fd, { path });
  for (let index = 0; index < 150; index++) log.error('a block is damaged');
  log.info('something else');
  log.error('a block is damaged');
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  expect(lines.map((line) => line.slice(25))).toEqual([
    'error a block is damaged',
    'error 10 times by now: a block is damaged',
    'error 100 times by now: a block is damaged',
    'error 150 times by now: a block is damaged',
    'info something else',
    'error a block is damaged',
  ]);
  closeSync(fd);
  await cleanup();
});
