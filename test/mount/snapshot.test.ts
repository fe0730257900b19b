/**
 * Snapshots taken by command and by mkdir show exactly the state of that moment, in every attribute, while the live tree
 * changes; and nothing can change them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProgram, type ChildProgram } from '../support/child-program.ts';
import { compiledProgram } from '../support/compile-programs.ts';
import { openMounted, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';
import { manifest, sampleTreeCommands, sampleTreeScript, settledManifest } from '../support/sample-tree.ts';

/** The lines of a manifest, by name. */
function byName(text: string): Map<string, string> {
  const lines = text.trimEnd().split('\n');
  return new Map(lines.map((line) => [(JSON.parse(line) as { name: string }).name, line]));
}

async function linesOf(mounted: Mounted, dir: string): Promise<Map<string, string>> {
  return byName(await manifest(mounted, dir));
}

async function settledLines(mounted: Mounted): Promise<Map<string, string>> {
  return byName(await settledManifest(mounted));
}

function expectSame(found: Map<string, string>, wanted: Map<string, string>): void {
  expect([...found.keys()]).toEqual([...wanted.keys()]);
  for (const [name, line] of wanted) expect(found.get(name), name).toBe(line);
}

/** Changes, deletes, renames and adds, in a tree of `sampleTreeScript`. */
const upheaval = String.raw`
printf changed > file; printf more >> big; : > size-4097; truncate -s 1 sparse; printf x | dd of=size-131073 conv=notrunc status=none
rm -r dir size-0 symlink fifo; mv many moved; mv size-1 size-4096; printf 'file now' > dir; ln -s elsewhere symlink
chmod 600 setuid; chown 1:1 hard; touch -d '1980-01-01' big; setfattr -x user.kept hard; setfattr -n user.new -v x big
setfacl -b size-4095; mkdir fresh; printf new > fresh/new; ln big fresh/big-link; rm null; mkfifo null; rm -- -dash
mv "$(printf 'new\nline')" plain; rm "$(printf 'n%.0s' $(seq 1 255))"`;

describe('a snapshot', () => {
  let mounted: Mounted;
  let before: Map<string, string>;
  let between: Map<string, string>;
  let writer: ChildProgram | undefined;
  const snapshot = (name: string): string => `${mounted.dir}/.snapshots/${name}`;

  beforeAll(async () => {
    requireCommands(sampleTreeCommands);
    mounted = await openMounted();
    await mounted.sh(sampleTreeScript);
    before = await settledLines(mounted);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'before');
    await mounted.sh(
      'printf 2 > second; chmod 640 second; rm size-4095; mv outside outside2; mv outside2 outside; touch size-4095',
    );
    between = await settledLines(mounted);
    await mounted.run('mkdir', [snapshot('before2')]);
    writer = startProgram('busy-writer', [mounted.dir]);
    expect(await writer.nextLine()).toBe('busy');
    await mounted.sh(upheaval);
  });

  afterAll(async () => {
    await writer?.dispose();
    await mounted.close();
  });

  test('shows every file, attribute, link and time of its moment while a writer goes on', async () => {
    for (let pass = 0; pass < 3; pass++) {
      expectSame(await linesOf(mounted, snapshot('before')), before);
      expectSame(await linesOf(mounted, snapshot('before2')), between);
    }
  });

  test('the live tree has moved on', async () => {
    expect(await mounted.sh('cat file; cat dir; cat fresh/new; stat -c %h big')).toBe('changedfile nownew2\n');
    expect(await mounted.run('cat', [`${snapshot('before')}/file`])).toBe('content');
  });

  test('every kind of write fails with EROFS, for root too; across the border also EXDEV', async () => {
    const output = await mounted.run(process.execPath, [compiledProgram('refusals'), snapshot('before'), mounted.dir]);
    const results = JSON.parse(output) as Record<string, string>;
    const special: Record<string, string[]> = {
      // What a read-only descriptor can't do anywhere, the kernel refuses before any filesystem is asked.
      'fallocate through a read-only descriptor': ['EBADF'],
      'ftruncate through a read-only descriptor': ['EINVAL'],
      'write through a read-only descriptor': ['EBADF'],
      'shared writable map': ['EACCES'],
      // A taken name comes before a read-only filesystem (open(2), and pjdfstest agrees).
      'create what exists, exclusively': ['EEXIST'],
      'rename in over a file': ['EROFS', 'EXDEV'],
      'link in over a file': ['EROFS', 'EXDEV', 'EEXIST'],
    };
    for (const name of ['rename out', 'rename a directory out', 'rename in', 'rename a directory in'])
      special[name] = ['EXDEV', 'EROFS'];
    for (const name of ['exchange across', 'link out', 'link in', 'link out by descriptor'])
      special[name] = ['EXDEV', 'EROFS'];
    expect(Object.keys(results).length).toBeGreaterThan(45);
    const wrong = Object.entries(results).filter(([name, result]) => !(special[name] ?? ['EROFS']).includes(result));
    expect(Object.fromEntries(wrong)).toEqual({});
    expectSame(await linesOf(mounted, snapshot('before')), before);
  });

  test('ordinary tools are refused in plain words', async () => {
    const target = snapshot('before');
    const commands = [
      'touch file',
      'echo x > file',
      'echo x >> big',
      'rm file',
      'mkdir new',
      'mv file new',
      'cp big file',
      'chmod 0 dir',
    ];
    for (const command of commands) {
      const result = await mounted.attempt('sh', ['-c', `cd "$1" && ${command}`, 'sh', target]);
      expect(result.status, command).not.toBe(0);
      expect(result.stderr, command).toMatch(/Read-only file system|Cannot create|cannot create/i);
    }
  });

  test('what is not in it is missing, again and again', async () => {
    for (const name of ['fresh', 'fresh/new', 'second', 'moved', 'no-such']) {
      const result = await mounted.attempt('stat', [`${snapshot('before')}/${name}`]);
      expect(result.stderr).toMatch(/No such file or directory/);
    }
    expect((await mounted.attempt('ls', [snapshot('no-such-snapshot')])).stderr).toMatch(/No such file/);
  });

  test('it is the same after the writer has ended, and after a remount', async () => {
    await writer?.finish();
    expectSame(await linesOf(mounted, snapshot('before')), before);
    await mounted.remount();
    expectSame(await linesOf(mounted, snapshot('before')), before);
    expectSame(await linesOf(mounted, snapshot('before2')), between);
  });

  test('it can be mounted by itself, read-only, and shows the same', async () => {
    const dir = await mounted.mount('main@before');
    expectSame(await linesOf(mounted, dir), before);
    const result = await mounted.attempt('touch', [`${dir}/file`]);
    expect(result.stderr).toMatch(/Read-only file system/);
    await mounted.umount(dir);
  });
});

test('an open writer goes on across snapshots; each shows what was written before it', () =>
  withMounted(async (mounted) => {
    await mounted.sh(`
      mkdir d; exec 3> d/f; printf a >&3; mkdir .snapshots/s1; printf b >&3; mv d e; mkdir .snapshots/s2; printf c >&3; exec 3>&-
      test "$(cat .snapshots/s1/d/f)" = a; test "$(cat .snapshots/s2/e/f)" = ab; test "$(cat e/f)" = abc
      test ! -e .snapshots/s2/d`);
  }));

test('twenty snapshots in a row, with and without changes between them, by both ways', () =>
  withMounted(async (mounted) => {
    await mounted.sh('echo 0 > f');
    for (let index = 1; index <= 20; index++) {
      if (index % 2 === 0) await mounted.sh('echo "$1" > f; mkdir ".snapshots/s$1"', String(index));
      else await mounted.amberfs('snapshot', 'create', mounted.dir, `s${index}`);
    }
    const wanted = Array.from({ length: 20 }, (_, index) => `${index + 1 - ((index + 1) % 2)}\n`).join('');
    expect(await mounted.sh('for i in $(seq 1 20); do cat .snapshots/s$i/f; done')).toBe(wanted);
    expect((await mounted.sh('ls .snapshots')).trim().split('\n')).toHaveLength(21);
  }));

test('mkdir, rmdir and mv in .snapshots take, delete and rename, and refuse what they must', () =>
  withMounted(async (mounted) => {
    await mounted.sh('mkdir d; echo 1 > d/f; mkdir .snapshots/one; echo 2 > d/f');
    await mounted.sh(
      'mv .snapshots/one .snapshots/uno; test "$(cat .snapshots/uno/d/f)" = 1; test ! -e .snapshots/one',
    );
    const refused: [string, RegExp][] = [
      ['mkdir .snapshots/uno', /File exists/],
      ['mkdir .snapshots/uno/d/new', /Read-only file system/],
      ['rmdir .snapshots/missing', /No such file/],
      ['rmdir .snapshots/uno/d', /Read-only file system/],
      ['echo x > .snapshots/file', /./],
      ['mkdir .snapshots/$(printf "n%.0s" $(seq 1 256))', /File name too long/],
      ['mv .snapshots/uno .', /./],
      // Plain mv would go on after EXDEV: copy the directory, that is take a snapshot of its name.
      [`"$NODE" -e "require('fs').renameSync('d', '.snapshots/d')"`, /EXDEV|EPERM|EROFS/],
      ['rmdir .snapshots', /./],
      ['mv .snapshots other', /./],
    ];
    for (const [command, message] of refused) {
      const options = { cwd: mounted.dir, env: { NODE: process.execPath } };
      const result = await mounted.attempt('sh', ['-c', command], options);
      expect(result.status, command).not.toBe(0);
      expect(result.stderr, command).toMatch(message);
    }
    expect(await mounted.sh('ls .snapshots; cat .snapshots/uno/d/f d/f')).toBe('latest\nuno\n1\n2\n');
    await mounted.sh(
      'rmdir .snapshots/uno; test -z "$(ls .snapshots)"; mkdir .snapshots/uno; cat .snapshots/uno/d/f | grep -qx 2',
    );
  }));
