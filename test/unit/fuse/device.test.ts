// The parts of the device room that need no device.

import { expect, test } from 'vitest';
import { parseMountinfo } from '../../../src/fuse/device/mountinfo.ts';
import { SpinBudget } from '../../../src/fuse/device/spin-budget.ts';
import { sendInLane } from '../../../src/fuse/device/notification-lane.ts';

test('mountinfo: escapes, optional fields and device numbers', () => {
  const text = [
    '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue',
    '40 36 0:52 / /srv/a\\040b\\134c rw,nosuid - fuse.amberfs /var/my\\011store rw,user_id=0',
    '41 36 0:53 / /srv/no-source rw - tmpfs  rw',
    'not a line of mountinfo',
    '',
  ].join('\n');
  expect(parseMountinfo(text)).toEqual([
    expect.objectContaining({ mountPoint: '/mnt2', fsType: 'ext3', deviceMajor: 98, deviceMinor: 0 }),
    {
      mountPoint: '/srv/a b\\c',
      fsType: 'fuse.amberfs',
      source: '/var/my\tstore',
      deviceMajor: 0,
      deviceMinor: 52,
      options: 'rw,nosuid',
    },
    expect.objectContaining({ mountPoint: '/srv/no-source', fsType: 'tmpfs', source: '' }),
  ]);
});

test('looking on stops when it does not pay, and is tried again now and then', () => {
  const budget = new SpinBudget();
  const attempts = (wakeups: number, success: boolean): number => {
    let count = 0;
    for (let i = 0; i < wakeups; i++) {
      if (!budget.allows()) continue;
      count++;
      if (success) budget.succeeded();
      else budget.failed();
    }
    return count;
  };
  expect(attempts(100, true)).toBe(100);
  // Requests that are far apart: some 4 failures use the credit up, after that one wake-up in 32 tries.
  expect(attempts(1000, false)).toBeLessThan(40);
  expect(attempts(1000, false)).toBeGreaterThan(20);
  // Requests that follow each other again: the first success after a try brings it back.
  expect(attempts(64, true)).toBeGreaterThan(30);
});

test('the lane runs one task at a time, in order', async () => {
  let running = 0;
  const order: number[] = [];
  const task = (i: number) => async (): Promise<number> => {
    expect(++running).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 3 - i));
    order.push(i);
    running--;
    return i;
  };
  expect(await Promise.all([0, 1, 2].map((i) => sendInLane(task(i))))).toEqual([0, 1, 2]);
  expect(order).toEqual([0, 1, 2]);
});
