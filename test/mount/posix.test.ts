/**
 * The POSIX table on a real mount. The tests run in a child program; when one does not end in time, its mount is
 * aborted (every waiting call then fails), the child is killed, and the next test gets a fresh mount. See test/posix.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { posixTable } from '../posix/table.ts';
import { forceUnmountBelow } from '../support/mount-table.ts';
import { openMounted, type Mounted } from '../support/mounted.ts';
import { posixRunner, type PosixRunner } from '../support/posix-runner.ts';

const timeLimitMs = 60_000;

/** What can't work on this mount, with the cause; an entry that passes after all is an error. */
const exclusions: Record<string, string> = {};

let mounted: Mounted | undefined;
let runner: PosixRunner | undefined;

beforeAll(async () => {
  const mount = await openMounted();
  mounted = mount;
  runner = posixRunner({
    dir: mount.dir,
    kind: 'mount',
    timeLimitMs,
    refresh: () => mount.remount(),
    recover: async () => {
      forceUnmountBelow(mount.temp);
      await mount.remount();
    },
  });
});

afterAll(async () => {
  await runner?.stop();
  await mounted?.close();
});

test('every exclusion names a test', () => {
  expect(Object.keys(exclusions).filter((name) => !(name in posixTable))).toEqual([]);
});

for (const name of Object.keys(posixTable)) {
  test(name, async (context) => {
    const { outcome, message } = await runner!.run(name);
    if (outcome === 'skipped') context.skip(message);
    const cause = exclusions[name];
    if (cause === undefined) expect(outcome, message).toBe('passed');
    else expect(outcome, `expected to fail here (${cause}), but it passes`).toBe('failed');
  });
}
