/** The journal stays short however much is written and however slow the disk is, and is empty after the last unmount. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';
import { straced } from '../support/strace.ts';

const MiB = 1 << 20;
/**
 * A commit starts at 16 MiB of records, and at 128 MiB no more requests are taken in until it ends (src/volume/volumes.ts). Either lane may
 * become that long, and a little longer by the request at hand and by what is kept ready; the file has room for both as long as the longer.
 */
const JOURNAL_BYTES_MAX = 2 * (128 + 2) * MiB;

/** Ways to write for `$1` seconds: small pieces all over a file, appends, and new files. */
const WRITERS = `
  head -c 8M /dev/zero > over
  end=$(($(date +%s) + $1))
  go() { test "$(date +%s)" -lt $end; }
  write() { while go; do dd if=/dev/zero of=over bs=4000 count=2000 conv=notrunc,$1 status=none; done; }
  append() { while go; do dd if=/dev/zero of=log bs=500 count=5000 oflag=append conv=notrunc status=none; truncate -s 0 log; done; }
  create() { while go; do mkdir $1; seq 500 | split -l 1 -a 3 - $1/; rm -r $1; done; }
`;

const journalOf = ({ store }: Mounted): string => path.join(store, 'journal');

/** The largest size of the journal while `work` goes on. */
async function longestDuring(mounted: Mounted, seconds: number, work: string): Promise<number> {
  let longest = 0;
  const writing = mounted.sh(`${WRITERS} ${work} wait`, String(seconds));
  const ended = writing.then(() => true);
  do longest = Math.max(longest, fs.statSync(journalOf(mounted)).size);
  while (!(await Promise.race([ended, sleep(20, false)])));
  return longest;
}

async function expectEmptyAtTheEnd(mounted: Mounted): Promise<void> {
  await mounted.umount();
  expect(fs.statSync(journalOf(mounted)).size).toBe(0);
  expect(await mounted.amberfs('check', mounted.store)).toContain('everything is as it should be');
}

test('many write at once', () =>
  withMounted(async (mounted) => {
    const longest = await longestDuring(mounted, 6, 'write fsync & write notrunc & append & create one & create two &');
    expect(longest).toBeGreaterThan(2 * MiB);
    expect(longest).toBeLessThan(JOURNAL_BYTES_MAX);
    await expectEmptyAtTheEnd(mounted);
  }));

test('a commit takes so long that writers have to wait for it', () =>
  withMounted(async (mounted) => {
    requireCommands({ strace: 'strace' });
    const db = path.join(mounted.store, 'db');
    const log = fs.readdirSync(db).find((name) => name.endsWith('.log'))!;
    // The flush that makes a commit durable takes 9 s.
    const slow = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=9000000', '-P', path.join(db, log)];
    let longest = 0;
    await straced(mounted, slow, async () => {
      longest = await longestDuring(mounted, 9, 'write notrunc & write notrunc &');
    });
    // More than a commit waits for.
    expect(longest).toBeGreaterThan(2 * 20 * MiB);
    expect(longest).toBeLessThan(JOURNAL_BYTES_MAX);
    await expectEmptyAtTheEnd(mounted);
  }));
