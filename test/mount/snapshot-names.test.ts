/** Names that nobody chose: many snapshots in one second, one after the other and at once. */
import { expect, test } from 'vitest';
import { stringField } from '../support/json-fields.ts';
import { rowsOf, withMounted, type Mounted } from '../support/mounted.ts';

const TIME = String.raw`\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d`;

const field = async (mounted: Mounted, name: string): Promise<string[]> =>
  (await rowsOf(mounted, 'snapshots', 'snapshot', 'list', mounted.dir)).map((row) => stringField(row, name));

/** What was made in one second has the same name, and the numbers go up by one. */
function expectNumbered(names: readonly string[]): void {
  const seen = new Map<string, number>();
  for (const name of names) {
    const [, base, number] = /^(.*?\d\d\.\d\d\.\d\d(?:-before|-after)?)(?:-(\d+))?$/.exec(name)!;
    const count = (seen.get(base!) ?? 0) + 1;
    expect([name, number]).toEqual([name, count === 1 ? undefined : String(count)]);
    seen.set(base!, count);
  }
}

test('create without a name, in one second and at once; a chosen name that is taken says what to do', () =>
  withMounted(async (mounted) => {
    const create = (...args: string[]): Promise<string> => mounted.amberfs('snapshot', 'create', mounted.dir, ...args);
    for (let i = 0; i < 3; i++) await create();
    await Promise.all(Array.from({ length: 6 }, () => create()));
    const names = await field(mounted, 'name');
    expect(names).toHaveLength(9);
    expect(names.filter((name) => !new RegExp(`^${TIME}(-\\d)?$`).test(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(new Set(names.map((name) => name.slice(0, 19))).size);
    expectNumbered(names);
    expect(await field(mounted, 'access_point')).toEqual(names);
    const taken = await mounted.tryAmberfs('snapshot', 'create', mounted.dir, names[0]!);
    expect([taken.status, taken.stderr]).toEqual([1, expect.stringContaining('take another name')]);
    await mounted.amberfs('volume', 'set', mounted.dir, 'access-points=gmt');
    await Promise.all([create(), create(), create('a'), create('b'), create('c')]);
    const places = (await field(mounted, 'access_point')).slice(9);
    expect(places.filter((place) => !/^@GMT-[\d.]{10}-[\d.]{8}(-\d)?$/.test(place))).toEqual([]);
    expectNumbered(places);
  }));

test('run, in one second and at once: every command runs, and what is before and after belongs together', () =>
  withMounted(async (mounted) => {
    const { dir } = mounted;
    const run = async (file: string): Promise<string[]> => {
      const result = await mounted.tryAmberfs('snapshot', 'run', dir, '--lines', '0', '--', 'touch', `${dir}/${file}`);
      expect([result.status, result.stdout]).toEqual([0, '']);
      return /from main@(\S+) to main@(\S+):/.exec(result.stderr)!.slice(1);
    };
    const pairs = [await run('a'), await run('b'), ...(await Promise.all(['c', 'd', 'e', 'f'].map(run)))];
    for (const [before, after] of pairs) {
      expect(before).toMatch(new RegExp(`^run-${TIME}-before(-\\d)?$`));
      expect(after).toBe(before!.replace('before', 'after'));
    }
    expect(await mounted.sh('ls')).toBe('a\nb\nc\nd\ne\nf\n');
    const names = await field(mounted, 'name');
    expect([...names].sort()).toEqual(pairs.flat().sort());
    expectNumbered(names.filter((name) => name.includes('before')));
  }));
