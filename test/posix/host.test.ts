/**
 * The truth of the POSIX table: every test must pass on a directory of the host. What a host filesystem can't do,
 * though POSIX or Linux allow it, is listed here with its cause; an entry that passes after all is an error.
 */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import tmp from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { posixRunner, type PosixRunner } from '../support/posix-runner.ts';
import { posixTable } from './table.ts';

/** By filesystem type as stat(1) names it, then by test. */
const exclusions: Record<string, Record<string, string>> = {
  'ext2/ext3': {
    'xattr: a value of 64 KiB fits, one byte more gives E2BIG': 'ext4 keeps all attributes of a file in one block',
    'xattr: 500 attributes of one file': 'ext4 keeps all attributes of a file in one block',
  },
};

const parent = process.env['AMBERFS_HOST_DIR'] ?? os.tmpdir();
const type = spawnSync('stat', ['-f', '-c', '%T', parent], { encoding: 'utf8' }).stdout.trim();
const known = exclusions[type];

let directory: tmp.DirectoryResult | undefined;
let runner: PosixRunner | undefined;

beforeAll(async () => {
  directory = await tmp.dir({ tmpdir: parent, prefix: 'amberfs-posix-', unsafeCleanup: true, mode: 0o755 });
  runner = posixRunner({ dir: directory.path, kind: 'host', timeLimitMs: 25_000 });
});

afterAll(async () => {
  await runner?.stop();
  await directory?.cleanup();
});

for (const name of Object.keys(posixTable)) {
  test(name, async (context) => {
    if (known === undefined) context.skip(`${parent} is on ${type}, whose gaps are not known: set AMBERFS_HOST_DIR`);
    const { outcome, message } = await runner!.run(name);
    const cause = known?.[name];
    if (outcome === 'skipped') context.skip(message);
    if (cause === undefined) expect(outcome, message).toBe('passed');
    else expect(outcome, `expected to fail here (${cause}), but it passes`).toBe('failed');
  });
}
