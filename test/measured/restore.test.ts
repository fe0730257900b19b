/** A mounted volume goes back to a snapshot: at once, in every attribute, for whoever had anything of it cached or open. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numberField } from '../support/json-fields.ts';
import { openMounted, rowsOf, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';
import { manifest, sampleTreeCommands, sampleTreeScript, settledManifest } from '../support/sample-tree.ts';

async function namesOf(mounted: Mounted, target = mounted.dir): Promise<string[]> {
  return (await rowsOf(mounted, 'snapshots', 'snapshot', 'list', target)).map(({ name }) => String(name));
}

/** Changes, deletes, renames and adds, in a tree of `sampleTreeScript`. */
const upheaval = String.raw`
printf changed > file; printf more >> big; : > size-4097; truncate -s 1 sparse; rm -r dir size-0 symlink fifo
mv many moved; mv size-1 size-4096; printf 'file now' > dir; ln -s elsewhere symlink; chmod 600 setuid; chown 1:1 hard
touch -d '1980-01-01' big; setfattr -x user.kept hard; setfattr -n user.new -v x big; setfacl -b size-4095
mkdir fresh; printf new > fresh/new; ln big fresh/big-link; rm null; mkfifo null; chmod 700 .; setfattr -n user.top -v x .`;

describe('a restore', () => {
  let mounted: Mounted;
  let before = '';
  let after = '';
  let clone = '';

  beforeAll(async () => {
    requireCommands(sampleTreeCommands);
    mounted = await openMounted();
    await mounted.sh(sampleTreeScript);
    before = await settledManifest(mounted);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 's');
    await mounted.sh(upheaval);
    // Has the kernel remember all of it, and some names that are not there.
    await manifest(mounted, mounted.dir);
    after = await manifest(mounted, mounted.dir);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'newer');
    await mounted.amberfs('clone', `${mounted.dir}@newer`, 'copy');
    clone = await mounted.mount('copy');
    await mounted.attempt('ls', ['size-0', 'fifo', 'dir/inner', '.snapshots/kept'], { cwd: mounted.dir });
  });

  afterAll(() => mounted.close());

  test('of which -n only tells changes nothing', async () => {
    const said = await mounted.amberfs('snapshot', 'restore', '-n', `${mounted.dir}@s`);
    expect(said).toMatch(/^would restore main to main@s and keep .*before-restore-.*quota and properties/);
    expect(await mounted.amberfs('snapshot', 'restore', '-n', `${mounted.dir}@s`, '--discard')).toMatch(/give up/);
    expect(await namesOf(mounted)).toEqual(['s', 'newer']);
    expect(await manifest(mounted, mounted.dir)).toBe(after);
  });

  test('shows every file, attribute, link and time of the snapshot, without remount', async () => {
    const said = await mounted.amberfs('snapshot', 'restore', `${mounted.dir}@s`, '--preserve', 'kept');
    expect(said).toMatch(/^restored main to main@s; what it held before is main@kept; quota and properties .* stay/);
    expect(await manifest(mounted, mounted.dir)).toBe(before);
    expect(await manifest(mounted, `${mounted.dir}/.snapshots/s`)).toBe(before);
  });

  test('keeps what was there before, newer snapshots and clones', async () => {
    expect(await namesOf(mounted)).toEqual(['s', 'newer', 'kept']);
    for (const name of ['kept', 'newer'])
      expect(await manifest(mounted, `${mounted.dir}/.snapshots/${name}`)).toBe(after);
    expect(await manifest(mounted, clone)).toBe(after);
    await mounted.amberfs('snapshot', 'restore', `${mounted.dir}@kept`, '--discard', '--yes');
    expect(await manifest(mounted, mounted.dir)).toBe(after);
    await mounted.amberfs('snapshot', 'restore', `${mounted.dir}@s`, '--discard', '--yes');
    expect(await manifest(mounted, mounted.dir)).toBe(before);
    await mounted.remount();
    expect(await manifest(mounted, mounted.dir)).toBe(before);
  });

  test('is of a clone too, and leaves its origin alone', async () => {
    await mounted.amberfs('snapshot', 'create', clone, 'of-clone');
    const wanted = await manifest(mounted, clone);
    await mounted.run('sh', ['-euc', 'rm -r moved; echo x > file; mkdir made'], { cwd: clone });
    await mounted.amberfs('snapshot', 'restore', `${clone}@of-clone`);
    expect(await manifest(mounted, clone)).toBe(wanted);
    expect(await manifest(mounted, mounted.dir)).toBe(before);
    expect(await namesOf(mounted, clone)).toHaveLength(2);
  });
});

test('twice to the same snapshot, in the same second too; each state of before has a name', () =>
  withMounted(async (mounted) => {
    await mounted.sh('echo one > f');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 's');
    for (const text of ['two', 'three', 'four']) {
      await mounted.sh('echo "$1" > f; echo "$1" > "$1"', text);
      const result = await mounted.json('snapshot', 'restore', `${mounted.dir}@s`);
      expect(result).toMatchObject({ dry_run: false, volume: 'main', snapshot: 's' });
      expect(result['preserved']).toMatch(/^before-restore-\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d(-\d)?$/);
      expect(await mounted.sh('cat f; ls')).toBe('one\nf\n');
      expect(await mounted.sh('cat ".snapshots/$1/f"', String(result['preserved']))).toBe(`${text}\n`);
    }
    const rows = await rowsOf(mounted, 'snapshots', 'snapshot', 'list', mounted.dir);
    expect(rows.map(({ comment }) => comment)).toEqual([null, ...Array<string>(3).fill('Before restoring s')]);
  }));

test('a name that is a file, a directory, or not there, from one restore to the next', () =>
  withMounted(async (mounted) => {
    const restore = (name: string): Promise<string> =>
      mounted.amberfs('snapshot', 'restore', `${mounted.dir}@${name}`, '--discard', '--yes');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'empty');
    await mounted.sh('echo text > n');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'file');
    await restore('empty');
    expect(await mounted.sh('ls -A; test ! -e n; mkdir n; echo deep > n/n; ls -R')).toBe('.:\nn\n\n./n:\nn\n');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'dir');
    for (let pass = 0; pass < 2; pass++) {
      await restore('file');
      expect(await mounted.sh('cat n; stat -c %F n; ls')).toBe('text\nregular file\nn\n');
      await restore('empty');
      expect(await mounted.sh('ls -A; test ! -e n; test ! -e n/n; stat -c %h .')).toBe('2\n');
      await restore('dir');
      expect(await mounted.sh('cat n/n; stat -c %F n; rmdir n 2> /dev/null || echo full')).toBe(
        'deep\ndirectory\nfull\n',
      );
    }
  }));

test('what can not be: one clear message, and nothing changes', () =>
  withMounted(async (mounted) => {
    await mounted.sh('echo one > f; mkdir .snapshots/s; echo two > f');
    const refused: [number, RegExp, string[]][] = [
      [1, /no snapshot "missing"/, [`${mounted.dir}@missing`]],
      [2, /names no snapshot/, [mounted.dir]],
      [2, /--yes/, [`${mounted.dir}@s`, '--discard']],
      [2, /--preserve or --discard/, [`${mounted.dir}@s`, '--discard', '--yes', '--preserve', 'x']],
      [1, /already has a snapshot "s"/, [`${mounted.dir}@s`, '--preserve', 's']],
      [1, /already has a snapshot "s"/, ['-n', `${mounted.dir}@s`, '--preserve', 's']],
      [1, /can't be a snapshot's name/, [`${mounted.dir}@s`, '--preserve', 'a/b']],
    ];
    for (const [status, message, args] of refused) {
      const result = await mounted.tryAmberfs('snapshot', 'restore', ...args);
      expect([result.status, result.stderr], args.join(' ')).toEqual([status, expect.stringMatching(message)]);
    }
    expect(await mounted.sh('cat f')).toBe('two\n');
    expect(await namesOf(mounted)).toEqual(['s']);
  }));

test('an acknowledged restore is there after kill -9, and what it kept', () =>
  withMounted(async (mounted) => {
    await mounted.sh(
      'head -c 5000000 /dev/urandom > f; sha256sum f > sum; mkdir .snapshots/s; rm f; echo later > later',
    );
    await mounted.amberfs('snapshot', 'restore', `${mounted.dir}@s`, '--preserve', 'kept');
    await mounted.killDaemon();
    await mounted.remountDead();
    expect(await mounted.sh('sha256sum --quiet -c sum; ls; ls .snapshots/kept')).toBe('f\nsum\nlater\nsum\n');
  }));

test('the time that it takes does not depend on the size of the volume', () =>
  withMounted(async (mounted) => {
    const timed = async (): Promise<number> => {
      // What the kernel has cached has to be dropped one by one: here it is the volume that differs.
      await mounted.remount();
      const start = performance.now();
      await mounted.amberfs('snapshot', 'restore', `${mounted.dir}@s`, '--discard', '--yes');
      return Math.round(performance.now() - start);
    };
    await mounted.sh('echo x > f; mkdir .snapshots/s; echo y > f');
    const small = [await timed(), await timed(), await timed()];
    await mounted.sh('rmdir .snapshots/s; mkdir d; cd d; seq 20000 | xargs touch; head -c 60000000 /dev/zero > ../big');
    await mounted.sh('mkdir .snapshots/s; rm big; echo y > d/1');
    const large = [await timed(), await timed(), await timed()];
    const used = numberField(await mounted.json('status', mounted.store), 'used');
    console.log(
      `restore by the command: small volume ${small.join(', ')} ms; ${used} bytes, 20,000 files ${large.join(', ')} ms`,
    );
    expect(Math.min(...large)).toBeLessThan(Math.min(...small) * 2 + 200);
  }));
