/** `snapshot restore --properties` takes quota and properties back, at once; without it they stay. */
import { expect, test } from 'vitest';
import { rowsOf, withMounted, type Mounted } from '../support/mounted.ts';

async function properties(mounted: Mounted): Promise<Record<string, unknown>> {
  const rows = await rowsOf(mounted, 'properties', 'volume', 'get', mounted.dir);
  return Object.fromEntries(
    rows.filter(({ source }) => source === 'set').map(({ property, value }) => [String(property), value]),
  );
}

test('properties go back with a snapshot when that is asked for', () =>
  withMounted(async (mounted) => {
    const { dir } = mounted;
    const restore = (...args: string[]): Promise<string> => mounted.amberfs('snapshot', 'restore', ...args);
    await mounted.amberfs('snapshot', 'create', dir, 'plain');
    await mounted.amberfs('volume', 'set', dir, 'quota=1G', 'snapdir=visible');
    const set = { quota: String(2 ** 30), snapdir: 'visible' };
    await mounted.sh('mkdir .snapshots/made');
    expect(await mounted.sh('ls -A')).toBe('.snapshots\n');

    expect(await restore(`${dir}@plain`, '--preserve', 'first')).toMatch(
      /quota and properties of main stay as they are/,
    );
    expect(await properties(mounted)).toEqual(set);
    expect(await restore(`${dir}@plain`, '--properties', '-n')).toMatch(
      /properties of main would be those of main@plain/,
    );
    expect(await properties(mounted)).toEqual(set);

    expect(await restore(`${dir}@plain`, '--properties', '--preserve', 'second')).toMatch(
      /quota and properties of main are those of main@plain again/,
    );
    expect(await properties(mounted)).toEqual({});
    expect(await mounted.sh('ls -A')).toBe('');
    // The way back from going back.
    await restore(`${dir}@second`, '--properties');
    expect(await properties(mounted)).toEqual(set);
    expect(await mounted.sh('ls -A')).toBe('.snapshots\n');
    await restore(`${dir}@plain`, '--properties', '--discard', '--yes');
    await restore(`${dir}@made`, '--properties');
    await mounted.remount();
    expect(await properties(mounted)).toEqual(set);
  }));
