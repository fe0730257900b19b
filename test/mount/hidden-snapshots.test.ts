/**
 * `.snapshots` stays out of the way of everything that walks the live tree, and yet is there for whoever names it;
 * inside, tools that trust inode numbers run clean.
 */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openMounted, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';

const lines = (text: string): string[] => text.trimEnd().split('\n');

describe('.snapshots', () => {
  let mounted: Mounted;

  beforeAll(async () => {
    requireCommands({ rsync: 'rsync' });
    mounted = await openMounted();
    await mounted.sh(
      'mkdir -p d/e; echo 1 > f; ln f d/hard; echo 2 > d/e/g; ln -s f s; head -c 2000000 /dev/urandom > big',
    );
    await mounted.sh('mkdir .snapshots/one; echo 3 > f; rm d/e/g; mkdir .snapshots/two');
  });

  afterAll(() => mounted.close());

  test('is not in ls -a, find, du, tar, rsync, cp -a or rm -rf of the live tree', async () => {
    expect(lines(await mounted.sh('ls -a'))).toEqual(['.', '..', 'big', 'd', 'f', 's']);
    expect(lines(await mounted.sh('find . | sort'))).toEqual(['.', './big', './d', './d/e', './d/hard', './f', './s']);
    expect(await mounted.sh('find . -xdev -name ".snapshots*"; find . -name one')).toBe('');
    expect(Number((await mounted.sh('du -s -B1 --apparent-size .')).split('\t')[0])).toBeLessThan(2_100_000);
    expect(await mounted.sh('tar cf - . | tar tf -')).not.toContain('snapshots');
    expect(await mounted.sh('rsync -a --list-only ./')).not.toContain('snapshots');
    await mounted.run('cp', ['-a', `${mounted.dir}/.`, path.join(mounted.temp, 'copy')]);
    expect(lines(await mounted.run('ls', ['-A', path.join(mounted.temp, 'copy')]))).toEqual(['big', 'd', 'f', 's']);
  });

  test('is reachable by name, as a directory that lists the snapshots', async () => {
    expect(await mounted.sh('ls .snapshots; cd .snapshots/one; cat f d/e/g; pwd -P; cd ../..; ls -d f')).toBe(
      `latest\none\ntwo\n1\n2\n${mounted.dir}/.snapshots/one\nf\n`,
    );
    expect(await mounted.sh('stat -c "%F %U %a" .snapshots')).toBe('directory root 755\n');
    expect(await mounted.sh('ls -a .snapshots')).toBe('.\n..\nlatest\none\ntwo\n');
  });

  test('its root name is reserved', async () => {
    for (const command of [
      'mkdir .snapshots',
      'touch .snapshots/',
      'rm -rf .snapshots',
      'mv -T d .snapshots',
      'ln -s f .snapshots/x',
    ]) {
      const result = await mounted.attempt('sh', ['-c', command], { cwd: mounted.dir });
      // `touch` of the directory itself only sets its times.
      if (!command.startsWith('touch')) expect(result.status, command).not.toBe(0);
    }
    expect(await mounted.sh('ls .snapshots; ls -d d')).toBe('latest\none\ntwo\nd\n');
    await mounted.sh('mkdir d/.snapshots; test -z "$(ls -A d/.snapshots)"; rmdir d/.snapshots');
  });

  test('inode numbers in it are unique, but for hard links, and differ from those of the live tree', async () => {
    const inodes = async (dir: string): Promise<Map<string, string[]>> => {
      const byInode = new Map<string, string[]>();
      for (const line of lines(await mounted.sh(`find "$1" -printf '%i %p\\n'`, dir))) {
        const [inode, ...name] = line.split(' ') as [string, ...string[]];
        byInode.set(inode, [...(byInode.get(inode) ?? []), name.join(' ')]);
      }
      for (const names of byInode.values()) names.sort();
      return byInode;
    };
    const all = await inodes('.snapshots');
    const shared = [...all.values()].filter((names) => names.length > 1);
    expect(shared.sort()).toEqual([
      ['.snapshots/one/d/hard', '.snapshots/one/f'],
      ['.snapshots/two/d/hard', '.snapshots/two/f'],
    ]);
    for (const inode of (await inodes('.')).keys()) expect(all.has(inode), inode).toBe(false);
    await mounted.remount();
    expect(await inodes('.snapshots')).toEqual(all);
  });

  test('find -ls, du, tar, rsync, diff and ls -lR run clean inside it', async () => {
    const commands: [string, string[]][] = [
      ['find', ['.snapshots', '-ls']],
      ['du', ['-a', '.snapshots']],
      ['tar', ['-cf', '/dev/null', '--warning=all', '.snapshots']],
      ['ls', ['-laR', '.snapshots']],
      ['rsync', ['-aHAX', '.snapshots/', path.join(mounted.temp, 'all')]],
      ['diff', ['-r', '--no-dereference', '.snapshots', path.join(mounted.temp, 'all')]],
      ['find', ['.snapshots', '-type', 'f', '-exec', 'cat', '{}', '+']],
    ];
    for (const [command, args] of commands) {
      const result = await mounted.attempt(command, args, { cwd: mounted.dir });
      expect(result.status, `${command}: ${result.stderr}`).toBe(0);
      expect(result.stderr.replace(/tar: .*could not be opened.*\n/g, ''), command).toBe('');
    }
    expect(await mounted.sh('find .snapshots -type f | wc -l')).toBe('7\n');
  });

  test('its modification time moves when a snapshot comes, goes or changes its name', async () => {
    const mtime = (): Promise<string> => mounted.sh('stat -c %y .snapshots');
    let last = await mtime();
    for (const change of ['mkdir .snapshots/three', 'mv .snapshots/three .snapshots/four', 'rmdir .snapshots/four']) {
      await mounted.sh(`sleep 0.02; ${change}`);
      const now = await mtime();
      expect(now > last, change).toBe(true);
      last = now;
    }
  });

  test('its modification time moves with commands, too', async () => {
    const { dir } = mounted;
    const mtime = (): Promise<string> => mounted.sh('sleep 0.02; stat -c %y .snapshots');
    let last = await mtime();
    for (const command of [
      ['create', dir, 'five'],
      ['rename', `${dir}@five`, 'six'],
      ['restore', `${dir}@six`, '--preserve', 'seven'],
      ['delete', `${dir}@six,seven`, '--yes'],
    ]) {
      await mounted.amberfs('snapshot', ...command);
      const now = await mtime();
      expect(now > last, command.join(' ')).toBe(true);
      last = now;
    }
    // Nothing else moves it.
    await mounted.sh('echo x > moves; rm moves; ls .snapshots > /dev/null');
    await mounted.amberfs('snapshot', 'hold', `${dir}@one`, 'tag');
    await mounted.amberfs('snapshot', 'release', `${dir}@one`, 'tag');
    expect(await mtime()).toBe(last);
  });

  test('a snapshot made by command is there at once for whoever looked before', async () => {
    expect((await mounted.attempt('ls', [`${mounted.dir}/.snapshots/late`])).status).not.toBe(0);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'late');
    expect(await mounted.sh('cat .snapshots/late/f; ls .snapshots')).toBe('3\nlate\nlatest\none\ntwo\n');
    await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@late`, '--yes');
    expect((await mounted.attempt('cat', [`${mounted.dir}/.snapshots/late/f`])).stderr).toMatch(/No such file|Stale/);
    await mounted.sh('echo 4 > f; mkdir .snapshots/late; test "$(cat .snapshots/late/f)" = 4');
  });
});

test('rm -rf of everything in the live tree leaves the snapshots', () =>
  withMounted(async (mounted) => {
    await mounted.sh('mkdir d; echo x > d/f; mkdir .snapshots/s; rm -rf ./* ./.[!.]* 2>/dev/null || true; ls -A');
    expect(await mounted.sh('ls -A; cat .snapshots/s/d/f')).toBe('x\n');
  }));

test('a mount with snapdir=disabled has no .snapshots at all, one with snapdir=visible lists it', () =>
  withMounted(
    async (mounted) => {
      const { dir } = mounted;
      await mounted.sh('echo 1 > f');
      await mounted.amberfs('snapshot', 'create', dir, 'one');
      expect(await mounted.sh('ls -A; find . -name ".snap*"')).toBe('f\n');
      for (const [command, ...args] of [
        ['stat', '.snapshots'],
        ['ls', '.snapshots'],
        ['cat', '.snapshots/one/f'],
        ['mkdir', '.snapshots/two'],
        ['rmdir', '.snapshots/one'],
        ['stat', '.snapshots/latest'],
      ] as const) {
        const result = await mounted.attempt(command, args, { cwd: dir });
        expect(result.status, command).not.toBe(0);
        expect(result.stderr, command).toMatch(/No such file or directory/);
      }
      // The snapshots are there for commands all the same.
      expect(await mounted.amberfs('snapshot', 'list', dir, '-H', '-o', 'name')).toBe('one\n');
      await mounted.umount();
      const visible = await mounted.mount('main', '-o', 'snapdir=visible');
      expect(await mounted.run('ls', ['-A', visible])).toBe('.snapshots\nf\n');
      expect(await mounted.sh('cd "$1"; find . | sort; cat .snapshots/one/f', visible)).toBe(
        '.\n./.snapshots\n./.snapshots/latest\n./.snapshots/one\n./.snapshots/one/f\n./f\n1\n',
      );
    },
    { mountOptions: ['-o', 'snapdir=disabled'] },
  ));
