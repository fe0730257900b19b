/** What is in a snapshot, as programs get at it: below `.snapshots`, in a mount of the snapshot by itself, and told as a difference. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openMounted, type Mounted } from '../support/mounted.ts';

const MiB = 1 << 20;

describe('a view of a snapshot', () => {
  let mounted: Mounted;
  let inodes: string;
  let view: string;
  const inSnapshots = (): string => path.join(mounted.dir, '.snapshots/one');
  /** The inode number and the number of links of each path below `dir`. */
  const inodesOf = (dir: string): Promise<string> =>
    mounted.sh('cd "$1"; find . -mindepth 1 -exec stat -c "%n %i %h" {} + | sort', dir);

  beforeAll(async () => {
    mounted = await openMounted();
    await mounted.sh(`
      mkdir -p d/e; echo 1 > f; echo 2 > d/g; ln f d/hard; head -c 1048576 /dev/urandom > big; mkfifo pipe
      ln -s ../f d/up; ln -s "$PWD/f" absolute; ln -s nowhere/at/all dangling`);
    inodes = await inodesOf(mounted.dir);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'one');
    // Live names that now belong to other files, and files that have other names.
    await mounted.sh(
      'rm big d/hard pipe; echo new > big; echo live > f; mv d/g d/e/g; echo other > d/g; ln -sfn d/g absolute',
    );
    view = await mounted.mount('main@one');
  });

  afterAll(() => mounted.close());

  test('a mount of the snapshot keeps the inode numbers of the live files, also of hard links', async () => {
    expect(await inodesOf(view)).toBe(inodes);
    expect(await mounted.sh('cd "$1"; stat -c %h f; test f -ef d/hard && cat d/hard', view)).toBe('2\n1\n');
    expect(await mounted.sh('stat -c %i . "$1"', view)).toMatch(/^(\d+)\n\1\n$/);
    // The same at the next time, after the daemon has ended: what backup programs go by.
    await mounted.umount(view);
    await mounted.remount();
    view = await mounted.mount('main@one');
    expect(await inodesOf(view)).toBe(inodes);
  });

  test('symlinks are as they were, relative or absolute, and lead where that says', async () => {
    for (const dir of [inSnapshots(), view]) {
      expect(await mounted.sh('cd "$1"; readlink d/up absolute dangling', dir), dir).toBe(
        `../f\n${mounted.dir}/f\nnowhere/at/all\n`,
      );
      // The relative one stays inside, the absolute one shows the live file.
      expect(await mounted.sh('cd "$1"; cat d/up absolute', dir), dir).toBe('1\nlive\n');
      expect((await mounted.attempt('cat', [path.join(dir, 'dangling')])).stderr).toMatch(/No such file/);
    }
    expect(await mounted.sh('readlink absolute')).toBe('d/g\n');
  });

  test('the figures of a difference are there for programs', async () => {
    const figures = await mounted.json('snapshot', 'diff', `${mounted.dir}@one`, '--stat');
    expect(figures).toEqual({
      ...{ output_version: 1, before: 'main@one', after: 'main' },
      // New: big, d/g, absolute. Gone: those of before but d/g, which is d/e/g now; pipe, and the link d/hard. Modified: f and directories.
      ...{ added: 3, removed: 4, modified: 4, renamed: 1 },
      ...{ written_bytes: expect.any(Number) as number, freed_bytes: expect.any(Number) as number },
    });
    expect(figures['written_bytes']).toBeLessThan(MiB / 4);
    expect(figures['freed_bytes']).toBeGreaterThanOrEqual(MiB);
    expect(figures['freed_bytes']).toBeLessThan(MiB + MiB / 4);
  });
});
