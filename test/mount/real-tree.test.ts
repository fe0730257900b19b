/** A real source tree of more than 20,000 files, and the tools that people run on one: all must find no fault. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSourceTree, minimumFileCount } from '../support/source-tree.ts';
import { openMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';

const long = { timeLimitMs: 170_000 };
const limitMs = 180_000;

describe('a tree of 20,000 files', () => {
  let mounted: Mounted;
  let source = '';

  beforeAll(async () => {
    requireCommands({ rsync: 'rsync', git: 'git', gcc: 'gcc', make: 'make', sqlite3: 'sqlite3' });
    mounted = await openMounted();
    source = path.join(mounted.temp, 'source');
    await makeSourceTree(source);
  }, limitMs);

  afterAll(() => mounted.close(), limitMs);

  async function expectSame(copy: string): Promise<void> {
    await mounted.run('diff', ['-r', '--no-dereference', source, copy], long);
    const args = [
      '-aHAX',
      '--checksum',
      '--numeric-ids',
      '--dry-run',
      '--itemize-changes',
      '--delete',
      `${source}/`,
      `${copy}/`,
    ];
    expect(await mounted.run('rsync', args, long)).toBe('');
  }

  test(
    'cp -a copies it without a difference',
    async () => {
      await mounted.run('cp', ['-a', source, `${mounted.dir}/copied`], long);
      await expectSame(`${mounted.dir}/copied`);
    },
    limitMs,
  );

  test(
    'tar unpacks it without a difference, also after a remount',
    async () => {
      await mounted.run('tar', ['-C', mounted.temp, '-cf', `${mounted.temp}/source.tar`, 'source'], long);
      await mounted.sh('mkdir unpacked; tar -C unpacked -xpf "$1"', `${mounted.temp}/source.tar`);
      await mounted.remount();
      await expectSame(`${mounted.dir}/unpacked/source`);
      expect(
        await mounted.run('tar', ['-C', `${mounted.dir}/unpacked`, '-df', `${mounted.temp}/source.tar`], long),
      ).toBe('');
    },
    limitMs,
  );

  test('find -ls sees every file, and no name twice', async () => {
    const result = await mounted.attempt('find', [`${mounted.dir}/copied`, '-ls'], long);
    expect(result.status).toBe(0);
    expect(result.stderr).toBe('');
    expect(result.stdout.split('\n').length).toBeGreaterThan(minimumFileCount);
    const paths = (await mounted.run('find', [`${mounted.dir}/copied`, '-print'], long)).trimEnd().split('\n');
    expect(new Set(paths).size).toBe(paths.length);
    const wanted = (await mounted.run('find', [source, '-print'], long)).trimEnd().split('\n');
    expect(paths.length).toBe(wanted.length);
  });

  test(
    'git adds, commits, checks and clones it',
    async () => {
      const git = 'git -c user.name=tester -c user.email=tester@example.org -c gc.auto=0';
      await mounted.sh(`
        cd copied; ${git} init --quiet; ${git} add --all; ${git} commit --quiet -m first
        test -z "$(${git} status --porcelain)"`);
      await mounted.sh(`
        cd copied; echo changed >> "$(${git} ls-files | head -n 1)"; ${git} rm --quiet "$(${git} ls-files | tail -n 1)"
        ${git} commit --quiet --all -m second; test -z "$(${git} status --porcelain)"
        test "$(${git} rev-list --count HEAD)" = 2`);
      const fsck = await mounted.attempt('git', ['-C', `${mounted.dir}/copied`, 'fsck', '--full', '--strict'], long);
      expect(fsck.status, fsck.stderr).toBe(0);
      expect(fsck.stderr + fsck.stdout).not.toMatch(/error|missing|dangling|broken|corrupt/i);
    },
    limitMs,
  );

  test(
    'rm -rf removes it all',
    async () => {
      await mounted.sh('rm -rf unpacked');
      expect(await mounted.run('ls', ['-A', mounted.dir])).toBe('copied\n');
    },
    limitMs,
  );
});

describe('programs at work', () => {
  let mounted: Mounted;

  beforeAll(async () => {
    requireCommands({ gcc: 'gcc', make: 'make', sqlite3: 'sqlite3' });
    mounted = await openMounted();
  });

  afterAll(() => mounted.close());

  test('make and gcc build a program; a touched file rebuilds itself only', async () => {
    await mounted.sh(String.raw`
      mkdir build; cd build
      for i in 1 2 3 4 5 6 7 8; do printf 'int part%s(void) { return %s; }\n' $i $i > part$i.c; done
      { for i in 1 2 3 4 5 6 7 8; do echo "int part$i(void);"; done
        printf '#include <stdio.h>\nint main(void) { printf("%%d\\n", '
        for i in 1 2 3 4 5 6 7 8; do printf 'part%s()+' $i; done; printf '0); return 0; }\n'; } > main.c
      printf 'OBJECTS := $(patsubst %%.c,%%.o,$(wildcard *.c))\nprogram: $(OBJECTS)\n\tgcc -o $@ $^\n' > Makefile`);
    await mounted.sh('cd build; make -j2 > log 2>&1; test "$(./program)" = 36; make -q');
    await mounted.remount();
    await mounted.sh('cd build; make -q; test "$(./program)" = 36; sleep 0.05; touch part3.c; make > log 2>&1');
    const log = await mounted.sh('cat build/log');
    expect(log.split('\n').filter((line) => line.includes(' -c '))).toHaveLength(1);
    expect(log).toContain('part3.c');
  });

  test('SQLite in WAL mode with three writers keeps every row', async () => {
    await mounted.sh(
      `mkdir db; cd db; test "$(sqlite3 data 'pragma journal_mode=wal; create table t(writer, number)')" = wal`,
    );
    const writer = `
      cd db; n=0; while [ $n -lt 15 ]; do
        { echo '.timeout 20000'; echo 'begin immediate;'
          i=0; while [ $i -lt 20 ]; do echo "insert into t values('$1', $((n * 20 + i)));"; i=$((i+1)); done
          echo 'commit;'; } | sqlite3 -bail data > /dev/null
        n=$((n+1))
      done`;
    await Promise.all(['a', 'b', 'c'].map((name) => mounted.sh(writer, name)));
    const query =
      'cd db; sqlite3 data "select count(*), count(distinct writer || number) from t; pragma integrity_check"';
    expect(await mounted.sh(query)).toBe('900|900\nok\n');
    await mounted.remount();
    expect(await mounted.sh(query)).toBe('900|900\nok\n');
  });

  test('SQLite with every journal mode and with mapped memory', async () => {
    for (const mode of ['delete', 'truncate', 'persist', 'wal']) {
      const result = await mounted.sh(
        `sqlite3 "db-$1" "pragma mmap_size=67108864; pragma journal_mode=$1; create table t(a, b);
          with recursive n(x) as (select 1 union all select x+1 from n where x < 5000)
            insert into t select x, hex(x) from n;
          update t set b = b || 'changed' where a % 3 = 0; pragma integrity_check; select count(*) from t"`,
        mode,
      );
      expect(result).toMatch(/ok\n5000\n$/);
    }
  });
});
