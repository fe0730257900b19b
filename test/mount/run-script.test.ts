/**
 * scripts/run, the first thing that a newcomer types: in a checkout without dependencies and without a build it must
 * end with a working mount, and a second call must find that.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import tmp from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forceUnmountBelow, isMounted, mountsBelow } from '../support/mount-table.ts';
import { mustRun, runCommand, waitUntil } from '../support/run-command.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const installLimitMs = 400_000;

/** Copies what belongs to the project, and nothing that was installed or built. */
async function copyCheckout(target: string): Promise<void> {
  const excluded = ['node_modules', 'dist', 'coverage', 'amber-store', 'mnt', '.git'].map(
    (name) => `--exclude=./${name}`,
  );
  await mustRun('sh', [
    '-c',
    'mkdir -p "$2"; from=$1; to=$2; shift 2; tar -C "$from" "$@" -cf - . | tar -C "$to" -xf -',
    'sh',
    checkout,
    target,
    ...excluded,
  ]);
}

describe('scripts/run', () => {
  let directory: tmp.DirectoryResult;
  let copy = '';

  beforeAll(async () => {
    directory = await tmp.dir({ prefix: 'amberfs-run-', mode: 0o755 });
    copy = path.join(fs.realpathSync(directory.path), 'checkout');
    await copyCheckout(copy);
  });

  afterAll(async () => {
    const temp = path.dirname(copy);
    for (const { mountPoint } of mountsBelow(temp))
      await runCommand(path.join(copy, 'scripts/amberfs'), ['umount', mountPoint]);
    const left = mountsBelow(temp);
    forceUnmountBelow(temp);
    fs.rmSync(temp, { recursive: true, force: true });
    expect(left).toEqual([]);
  });

  const run = (...args: string[]): ReturnType<typeof runCommand> =>
    runCommand(path.join(copy, 'scripts/run'), args, { cwd: copy, timeLimitMs: installLimitMs });

  test(
    'installs, builds, creates a store, mounts it and says what to try',
    async () => {
      const result = await run();
      expect(result.status, result.stderr).toBe(0);
      expect(isMounted(path.join(copy, 'mnt'))).toBe(true);
      expect(fs.existsSync(path.join(copy, 'amber-store/format.json'))).toBe(true);
      expect(result.stdout).toContain('mnt');
      expect(result.stdout).toMatch(/snapshot create/);
      expect(result.stdout).toMatch(/umount/);
      expect(result.stdout.trim().split('\n').length).toBeLessThan(25);
    },
    installLimitMs,
  );

  test('the commands that it shows work as they are', async () => {
    const { stdout } = await run();
    expect(stdout).toMatch(/already/);
    const script = `
      echo one > mnt/file; ./scripts/amberfs snapshot create mnt first; echo two > mnt/file
      cat mnt/.snapshots/first/file mnt/file`;
    expect(await mustRun('sh', ['-ec', script], { cwd: copy })).toMatch(/one\ntwo\n$/);
  });

  test('a second call says that it is mounted already, and changes nothing', async () => {
    const before = mountsBelow(copy);
    const result = await run();
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/mounted already|already mounted/);
    expect(mountsBelow(copy)).toEqual(before);
    expect(await mustRun('cat', [path.join(copy, 'mnt/file')])).toBe('two\n');
  });

  test('other paths can be given, and unmounted and run again keeps the content', async () => {
    const [store, dir] = ['other store', 'other mnt'].map((name) => path.join(copy, name)) as [string, string];
    const first = await run(store, dir);
    expect(first.status, first.stderr).toBe(0);
    expect(isMounted(dir)).toBe(true);
    await mustRun('sh', ['-c', 'echo kept > "$1/file"', 'sh', dir]);
    await mustRun(path.join(copy, 'scripts/amberfs'), ['umount', dir]);
    await waitUntil('unmounted', 10_000, () => !isMounted(dir));
    const second = await run(store, dir);
    expect(second.status, second.stderr).toBe(0);
    expect(await mustRun('cat', [`${dir}/file`])).toBe('kept\n');
    await mustRun(path.join(copy, 'scripts/amberfs'), ['umount', dir]);
  });

  test('wrong arguments give a usage error', async () => {
    const result = await run('one', 'two', 'three');
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/usage/i);
  });
});
