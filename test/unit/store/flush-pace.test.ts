import { beforeEach, expect, it } from 'vitest';
import { FlushPace } from '../../../src/store/flush-pace.ts';

let pace: FlushPace;

function took(count: number, ms: number, held = false): void {
  for (let i = 0; i < count; i++) pace.took(ms, held);
}

beforeEach(() => {
  pace = new FlushPace();
});

it('lets nobody wait before a flush was timed', () => {
  expect(pace.allows()).toBe(false);
  took(1, 0.1);
  expect(pace.allows()).toBe(true);
});

it('follows the disk: slow flushes end it, quick ones bring it back', () => {
  took(10, 0.1);
  took(10, 3);
  expect(pace.allows()).toBe(false);
  took(40, 0.1);
  expect(pace.allows()).toBe(true);
});

it('takes one long wait for a warning', () => {
  took(100, 0.1, true);
  took(1, 50, true);
  took(40, 0.1);
  for (let i = 0; i < 499; i++) expect(pace.allows()).toBe(false);
  took(40, 0.1);
  expect([pace.allows(), pace.allows()]).toEqual([false, true]);
});
