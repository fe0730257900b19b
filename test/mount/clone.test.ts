/** Clones: writable, mounted beside their origin, and neither sees what the other writes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openMounted, type Mounted } from '../support/mounted.ts';

describe('a clone', () => {
  let mounted: Mounted;
  let clone = '';

  beforeAll(async () => {
    mounted = await openMounted();
    await mounted.sh(`
      mkdir d; echo original > f; echo kept > d/kept; ln f d/hard; ln -s f s; truncate -s 1M sparse; chmod 751 d
      setfattr -n user.k -v original f; touch -d '2001-01-01 UTC' d/kept`);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'before');
    await mounted.sh('echo later > f; echo later > later');
    await mounted.amberfs('clone', `${mounted.dir}@before`, 'experiment');
    clone = await mounted.mount('experiment');
  });

  afterAll(() => mounted.close());

  const inClone = (script: string): Promise<string> => mounted.run('sh', ['-euc', script], { cwd: clone });

  test('begins as the snapshot was, while main stays mounted', async () => {
    expect(await inClone('cat f d/kept d/hard; ls; readlink s; stat -c "%s %b" sparse; stat -c "%a %h" d f')).toBe(
      'original\nkept\noriginal\nd\nf\ns\nsparse\nf\n1048576 0\n751 2\n644 2\n',
    );
    expect(await inClone('stat -c %Y d/kept; getfattr --only-values -n user.k f')).toBe('978307200\noriginal');
    expect(await mounted.sh('cat f later')).toBe('later\nlater\n');
  });

  test('is separate: changes on one side never show on the other', async () => {
    await inClone(
      `echo clone > f; echo clone > new; rm d/kept; mv s t; chmod 700 d; echo x >> sparse
      setfattr -n user.k -v clone f`,
    );
    await mounted.sh('echo main > d/kept; echo main > new; mkdir only-main; chmod 755 d; setfattr -n user.k -v main f');
    for (let pass = 0; pass < 2; pass++) {
      expect(
        await inClone(
          'cat f new d/hard; ls; ls d; stat -c %a d; stat -c %s sparse; getfattr --only-values -n user.k f',
        ),
      ).toBe('clone\nclone\nclone\nd\nf\nnew\nsparse\nt\nhard\n700\n1048578\nclone');
      expect(
        await mounted.sh(
          'cat f new d/kept; ls; ls d; stat -c %a d; stat -c %s sparse; getfattr --only-values -n user.k f',
        ),
      ).toBe('later\nmain\nmain\nd\nf\nlater\nnew\nonly-main\ns\nsparse\nhard\nkept\n755\n1048576\nmain');
      expect(await mounted.sh('cd .snapshots/before; cat f d/kept; ls; stat -c %a d')).toBe(
        'original\nkept\nd\nf\ns\nsparse\n751\n',
      );
      await mounted.umount(clone);
      await mounted.remount();
      clone = await mounted.mount('experiment');
    }
  });

  test('both are written at once by many files, and stay apart', async () => {
    const fill = 'i=0; while [ $i -lt 300 ]; do echo "$1 $i" > file$i; i=$((i+1)); done';
    const fillIn = (dir: string, name: string): Promise<string> =>
      mounted.run('sh', ['-euc', fill, 'sh', name], { cwd: dir });
    await Promise.all([fillIn(mounted.dir, 'main'), fillIn(clone, 'clone')]);
    expect(await mounted.sh('cat file* | cut -d" " -f1 | sort | uniq -c | tr -d " "')).toBe('300main\n');
    expect(await inClone('cat file* | cut -d" " -f1 | sort | uniq -c | tr -d " "')).toBe('300clone\n');
  });

  test('has snapshots and clones of its own', async () => {
    await mounted.amberfs('snapshot', 'create', clone, 'mine');
    await inClone(
      'test -d .snapshots/mine; test ! -e .snapshots/before; echo after > f; test "$(cat .snapshots/mine/f)" = clone',
    );
    expect((await mounted.attempt('ls', [`${mounted.dir}/.snapshots/mine`])).status).not.toBe(0);
    await mounted.amberfs('clone', `${clone}@mine`, 'second');
    const second = await mounted.mount('second');
    expect(await mounted.run('cat', [`${second}/f`, `${second}/new`])).toBe('clone\nclone\n');
    await mounted.umount(second);
    await mounted.amberfs('volume', 'delete', `${mounted.store}:second`, '--yes');
  });

  test('rename and link do not lead from one volume into another', async () => {
    const result = await mounted.attempt('ln', [`${clone}/f`, `${mounted.dir}/linked`]);
    expect(result.stderr).toMatch(/cross-device/);
    await mounted.run('mv', [`${clone}/new`, `${mounted.dir}/from-clone`]);
    expect(await mounted.sh('cat from-clone')).toBe('clone\n');
  });

  test('outlives the snapshot that it was made of', async () => {
    await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@before`, '--yes');
    expect(await inClone('cat f; test -e sparse; ls | wc -l')).toMatch(/^after\n\d+\n$/);
    await mounted.remount();
    expect(await inClone('cat d/hard')).toBe('after\n');
  });
});
