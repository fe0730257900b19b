/** A volume gets another name: while it is mounted and when it is not, and its clones still tell where they came from. */
import { expect, test } from 'vitest';
import { rowsOf, withMounted } from '../support/mounted.ts';

test('a volume is renamed while its mount is in use', () =>
  withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await mounted.sh('echo text > f');
    await mounted.amberfs('snapshot', 'create', dir, 's');
    await mounted.amberfs('clone', `${dir}@s`, 'copy');

    expect(await mounted.amberfs('volume', 'rename', `${store}:copy`, 'copy-2')).toBe(
      'renamed volume copy to copy-2\n',
    );
    expect(await mounted.amberfs('volume', 'rename', dir, 'data')).toContain(`write ${store}:data`);
    expect(await mounted.sh('cat f .snapshots/s/f; echo more > g; cat g')).toBe('text\ntext\nmore\n');
    const volumes = await rowsOf(mounted, 'volumes', 'volume', 'list', store);
    expect(volumes.map(({ name, origin, mounted_on }) => [name, origin, mounted_on])).toEqual([
      ['copy-2', 'data@s', null],
      ['data', null, dir],
    ]);

    // What the mount table shows is the old name: no command may take another volume for it.
    const refused = await mounted.tryAmberfs('snapshot', 'create', dir, 't');
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain('is called "data" now');
    expect((await mounted.tryAmberfs('volume', 'create', `${store}:main`)).stderr).toContain('unmount it first');
    await mounted.amberfs('snapshot', 'create', `${store}:data`, 't');
    expect(await mounted.sh('cat .snapshots/t/g')).toBe('more\n');

    await mounted.umount();
    const again = await mounted.mount('data');
    await mounted.amberfs('snapshot', 'create', again, 'u');
    expect(await mounted.run('ls', [`${again}/.snapshots`])).toBe('latest\ns\nt\nu\n');
    await mounted.umount(again);

    // Nothing is mounted, and the daemon is gone.
    await mounted.amberfs('volume', 'create', `${store}:main`);
    const taken = await mounted.tryAmberfs('volume', 'rename', `${store}:data`, 'main');
    expect(taken.stderr).toContain('there is already a volume "main"');
    const illegal = await mounted.tryAmberfs('volume', 'rename', `${store}:data`, '.x');
    expect(illegal.stderr).toContain(`can't be a volume's name`);
    await mounted.amberfs('volume', 'rename', `${store}:main`, 'empty');
    await mounted.amberfs('volume', 'rename', `${store}:data`, 'main');
    await mounted.remountDead();
    expect(await mounted.sh('cat f g')).toBe('text\nmore\n');
    expect((await rowsOf(mounted, 'volumes', 'volume', 'list', store)).map(({ origin }) => origin)).toEqual([
      'main@s',
      null,
      null,
    ]);
  }));
