// `snapshot diff` and `snapshot run` as a person meets them, on a real mount.

import { expect, test } from 'vitest';
import { listField, stringField } from '../support/json-fields.ts';
import { withMounted, type Mounted } from '../support/mounted.ts';

const diff = async (mounted: Mounted, ...args: string[]): Promise<string[]> =>
  (await mounted.amberfs('snapshot', 'diff', ...args)).split('\n').filter((line) => line !== '');

test('every kind of change, to now and between two snapshots, mounted and not', () =>
  withMounted(async (mounted) => {
    await mounted.sh(`
      mkdir -p etc people/ann/new srv; for f in etc/fstab etc/motd etc/issue people/ann/photo people/ann/new/notes; do echo $f > $f; done
      mkfifo pipe; ln -s etc link; printf x > "$(printf 'odd\\nname\\377')"
      ln etc/issue etc/issue.net`);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'a');
    expect(await diff(mounted, `${mounted.dir}@a`)).toEqual([]);
    await mounted.sh(`
      echo more >> etc/fstab; rm etc/motd; ln -s issue etc/motd; mv people/ann/new people/ann/project; ln people/ann/photo srv/photo
      rm etc/issue.net; rm pipe; mkdir pipe; chmod 600 people/ann/project/notes; cat link/fstab > /dev/null
      mv "$(printf 'odd\\nname\\377')" plain; mkdir "$(printf 'tab\\there')"`);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'b');
    const wanted = [
      ...['M / /', 'M / /etc', 'M F /etc/fstab', 'M F /etc/issue (-1)', '- F /etc/issue.net', '- F /etc/motd'],
      ...[
        '+ @ /etc/motd',
        'M / /people/ann',
        'M F /people/ann/photo (+1)',
        'R / /people/ann/new -> /people/ann/project',
      ],
      ...['M F /people/ann/project/notes', '- | /pipe', '+ / /pipe', 'R F /odd\\012name\\377 -> /plain', 'M / /srv'],
      ...['+ F /srv/photo', '+ / /tab\\011here'],
    ];
    const { dir, store } = mounted;
    expect(await diff(mounted, `${dir}@a`)).toEqual(wanted);
    expect(await diff(mounted, `${dir}@a`, `${dir}@b`)).toEqual(wanted);
    expect(await diff(mounted, `${dir}@a`, '@b')).toEqual(wanted);
    expect(await diff(mounted, `${dir}@b`)).toEqual([]);
    // One path, by the way to it in the mount and from the volume's root.
    expect(await diff(mounted, `${dir}@a`, dir, `${dir}/etc/fstab`)).toEqual(['M F /etc/fstab']);
    expect(await diff(mounted, `${dir}@a`, dir, '/people')).toEqual(wanted.slice(7, 11));
    const unknown = await mounted.tryAmberfs('snapshot', 'diff', `${dir}@a`, dir, '/never');
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining('/never')]);
    // For programs.
    const json = listField(await mounted.json('snapshot', 'diff', `${dir}@a`), 'changes');
    expect(json).toHaveLength(wanted.length);
    const photo = json.find((change) => stringField(change, 'path') === '/people/ann/photo');
    expect(photo).toMatchObject({ change: 'modified', type: 'file', links: 1 });
    expect(await mounted.amberfs('snapshot', 'diff', `${dir}@a`, '-0', dir, '/etc')).toContain('M F /etc/fstab\0');
    const stat = await diff(mounted, `${dir}@a`, '--stat');
    expect(stat[0]).toBe('4 added, 3 removed, 8 modified, 2 renamed');
    await mounted.umount();
    expect(await diff(mounted, `${store}@a`, `${store}@b`)).toEqual(wanted);
    expect(await diff(mounted, `${store}@a`)).toEqual(wanted);
  }));

test('a clone is compared with its origin, and with nothing that it has nothing of', () =>
  withMounted(async (mounted) => {
    await mounted.sh('echo one > f; mkdir .snapshots/base');
    await mounted.amberfs('clone', `${mounted.dir}@base`, 'other');
    const other = await mounted.mount('other');
    await mounted.run('sh', ['-euc', 'echo two > f; echo new > only-here'], { cwd: other });
    expect(await diff(mounted, `${mounted.dir}@base`, other)).toEqual(['M / /', 'M F /f', '+ F /only-here']);
    await mounted.amberfs('volume', 'create', `${mounted.store}:apart`);
    const apart = await mounted.tryAmberfs('snapshot', 'diff', `${mounted.dir}@base`, `${mounted.store}:apart`);
    expect([apart.status, apart.stderr]).toEqual([1, expect.stringContaining('nothing in common')]);
  }));

test(
  'one changed file among 20,000 is found at once',
  () =>
    withMounted(async (mounted) => {
      await mounted.sh(`
      for d in $(seq 1 200); do mkdir d$d; done
      seq 1 200 | while read -r d; do ( cd d$d; seq -f file%g 1 100 | xargs touch ); done; mkdir .snapshots/a
      echo changed > d117/file42`);
      const started = Date.now();
      expect(await diff(mounted, `${mounted.dir}@a`)).toEqual(['M F /d117/file42']);
      const took = Date.now() - started;
      const startedWalk = Date.now();
      const walk = await mounted.attempt('diff', ['-rq', `${mounted.dir}/.snapshots/a`, mounted.dir]);
      const walkTook = Date.now() - startedWalk;
      expect(walk.status).toBe(1);
      expect(took).toBeLessThan(walkTook);
    }),
  120_000,
);

const names = async (mounted: Mounted): Promise<string[]> =>
  listField(await mounted.json('snapshot', 'list', mounted.dir), 'snapshots').map((row) => stringField(row, 'name'));

test('run keeps the state before and after, tells what changed, and passes the exit status through', () =>
  withMounted(async (mounted) => {
    const run = (...args: string[]): ReturnType<Mounted['tryAmberfs']> =>
      mounted.tryAmberfs('snapshot', 'run', mounted.dir, ...args);
    const script = `cd ${mounted.dir}; echo x > f; mkdir d; echo said; exit 3`;
    const changed = await run('-m', 'a trial', '--', 'sh', '-c', script);
    expect([changed.status, changed.stdout]).toEqual([3, 'said\n']);
    expect(changed.stderr).toMatch(
      /3 changes from main@run-\S+-before to main@run-\S+-after:\nM \/ \/\n\+ \/ \/d\n\+ F \/f\n$/,
    );
    const [before, after, ...none] = await names(mounted);
    expect(before).toMatch(/^run-.*-before$/);
    expect(after).toMatch(/^run-.*-after$/);
    expect(none).toEqual([]);
    expect(await mounted.amberfs('snapshot', 'info', `${mounted.dir}@${after!}`)).toContain('a trial');
    const same = await run('--', 'cat', `${mounted.dir}/f`);
    expect([same.status, same.stdout]).toEqual([0, 'x\n']);
    expect(same.stderr).toMatch(/nothing changed/);
    expect(await names(mounted)).toHaveLength(3);
    const killed = await run(
      '--lines',
      '1',
      '--',
      'sh',
      '-c',
      `rm -r ${mounted.dir}/d ${mounted.dir}/f; kill -TERM $$`,
    );
    expect([killed.status, killed.stderr]).toEqual([143, expect.stringContaining('... and 2 more')]);
    const missing = await run('--', '/no/such/command');
    expect([missing.status, missing.stderr]).toEqual([127, expect.stringContaining('nothing changed')]);
    expect((await mounted.tryAmberfs('snapshot', 'run', `${mounted.dir}@${before!}`, '--', 'true')).status).toBe(2);
  }));
