/** `user.amberfs.unique` says what deleting a snapshot alone would free, in a line of snapshots and where it branches. */
import { expect, test } from 'vitest';
import { numberField } from '../support/json-fields.ts';
import { rowsOf, withMounted, type Mounted } from '../support/mounted.ts';

function attribute(mounted: Mounted, dir: string): Promise<string> {
  return mounted.run('getfattr', ['--only-values', '--absolute-names', '-n', 'user.amberfs.unique', dir]);
}

test('what deleting a snapshot alone would free is an attribute of its root', () =>
  withMounted(async (mounted) => {
    const { dir } = mounted;
    for (const name of ['a', 'b', 'c']) {
      await mounted.sh('head -c 300000 /dev/urandom > "$1"; head -c 900000 /dev/urandom > shared', name);
      await mounted.amberfs('snapshot', 'create', dir, name);
      await mounted.sh('rm "$1"', name);
    }
    const expectEqual = async (branched: boolean): Promise<void> => {
      const rows = await rowsOf(mounted, 'snapshots', 'snapshot', 'list', dir);
      for (const row of rows) {
        const name = String(row['name']);
        const value = await attribute(mounted, `${dir}/.snapshots/${name}`);
        expect(value).toMatch(/^\d+$/);
        expect(Number(value)).toBe(numberField(row, 'used'));
        if (!branched) expect(Number(value)).toBeGreaterThan(0);
        const would = await mounted.json('snapshot', 'delete', '-n', `${dir}@${name}`);
        expect(numberField(would, 'freed')).toBe(Number(value));
      }
    };
    await expectEqual(false);
    // Branches: a clone that writes, and live files that go on from an older snapshot.
    await mounted.amberfs('clone', `${dir}@b`, 'copy');
    const copy = await mounted.mount('copy');
    await mounted.run('rm', [`${copy}/b`]);
    await mounted.amberfs('snapshot', 'restore', `${dir}@b`, '--preserve', 'kept');
    await expectEqual(true);
    expect(await mounted.run('getfattr', ['-d', '--absolute-names', `${dir}/.snapshots/a`])).toBe('');
    for (const path of [dir, copy, `${dir}/.snapshots/a/shared`]) {
      expect((await mounted.attempt('getfattr', ['-n', 'user.amberfs.unique', path])).status).not.toBe(0);
    }
    const alone = await mounted.mount('main@a');
    expect(await attribute(mounted, alone)).toBe(await attribute(mounted, `${dir}/.snapshots/a`));
  }));
