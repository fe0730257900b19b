/**
 * The host answers EIO or ENOSPC to one kind of system call on one kind of file of the store, in the midst of work: strace puts the error in. The
 * daemon lives on and says why it takes no more changes; nothing that was acknowledged is lost, neither before nor after a new mount.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { stringField } from '../support/json-fields.ts';
import { amberfsCommand, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands, waitUntil } from '../support/run-command.ts';
import { straced } from '../support/strace.ts';

interface Fault {
  readonly at: string;
  /** The files that fail, of a store that is open. */
  readonly files: (store: string) => string[];
  /** The system calls that fail, in the words of strace. */
  readonly calls: string;
  /** What they fail with, EIO by default. */
  readonly error?: keyof typeof WHY;
  /** How the mount ends while the host still fails. */
  readonly end: 'umount' | 'kill';
  /** What LevelDB notes in a log of its own. */
  readonly noted?: RegExp;
}

/** What the failure says then. */
const WHY = { EIO: /EIO|i\/o error|Input\/output error/, ENOSPC: /ENOSPC|No space left on device/ } as const;

const FAULTS: readonly Fault[] = [
  {
    at: 'writing the table that a full log becomes',
    files: (store) => nextFiles(store, 'ldb'),
    calls: 'write',
    end: 'kill',
    noted: /Level-0 table #\d+: 0 bytes IO error/,
  },
  {
    at: 'writing the table that a compaction makes',
    // After the next log and the table of the log that is full.
    files: (store) => nextFiles(store, 'ldb').slice(2, 3),
    calls: 'write',
    end: 'umount',
    noted: /Compaction error: IO error/,
  },
  {
    // Before it amberfs looks at the room that is left, which others may take meanwhile.
    at: 'writing the table that a compaction makes, for want of space',
    files: (store) => nextFiles(store, 'ldb').slice(2, 3),
    calls: 'write',
    error: 'ENOSPC',
    end: 'umount',
    noted: /Compaction error: IO error.*No space left on device/,
  },
  {
    at: 'flushing the table that a compaction makes',
    files: (store) => nextFiles(store, 'ldb').slice(2, 3),
    calls: 'fdatasync',
    end: 'kill',
    noted: /Compaction error: IO error/,
  },
  {
    at: 'writing the list of tables',
    files: (store) => databaseFiles(store, /MANIFEST/),
    calls: 'write',
    end: 'umount',
    noted: /MANIFEST write: IO error/,
  },
  { at: 'writing the log', files: (store) => databaseFiles(store, /\.log$/), calls: 'write', end: 'umount' },
  { at: 'flushing the log', files: (store) => databaseFiles(store, /\.log$/), calls: 'fdatasync', end: 'kill' },
  { at: 'flushing the data file', files: (store) => [path.join(store, 'data')], calls: 'fdatasync', end: 'umount' },
  { at: 'writing the journal', files: (store) => [path.join(store, 'journal')], calls: 'pwrite64', end: 'kill' },
  { at: 'flushing the journal', files: (store) => [path.join(store, 'journal')], calls: 'fdatasync', end: 'umount' },
];

const FAILED = /Read-only file system|Input\/output error/;
/** More files than LevelDB makes in one test. */
const NEXT_FILES = 50;

function databaseFiles(store: string, name: RegExp): string[] {
  const directory = path.join(store, 'db');
  return fs
    .readdirSync(directory)
    .filter((file) => name.test(file))
    .map((file) => path.join(directory, file));
}

/** The names of the files that LevelDB makes next, if all have that ending; it numbers them in one row. */
function nextFiles(store: string, ending: string): string[] {
  const last = Math.max(...databaseFiles(store, /\d/).map((file) => Number(/\d+/.exec(path.basename(file)))));
  const numbers = Array.from({ length: NEXT_FILES }, (_, i) => String(last + 1 + i).padStart(6, '0'));
  return numbers.map((number) => path.join(store, 'db', `${number}.${ending}`));
}

/** Lets the calls fail for as long as `body` runs, at whose end the daemon is gone; gives the calls that failed. */
async function whileFailing(
  fault: Pick<Fault, 'files' | 'calls' | 'error'>,
  mounted: Mounted,
  body: () => Promise<void>,
): Promise<string[]> {
  const files = fault.files(mounted.store).flatMap((file) => ['-P', file]);
  const inject = ['-e', `trace=${fault.calls}`, '-e', `inject=${fault.calls}:error=${fault.error ?? 'EIO'}`];
  const lines = await straced(mounted, [...inject, ...files], body, { untilGone: true });
  return lines.filter((line) => line.includes('(INJECTED)'));
}

/**
 * Works until something fails, some 5 MiB of metadata a round, and prints what was acknowledged. The arguments are the command line tool: a
 * listing commits what the round did, beside the work of the next one. Once a log has become a table there is time for a compaction, before the
 * next log is full. Values begin with a letter: setfattr takes 0s and 0x for the beginning of an encoding.
 */
const WORK = `
  did() { what="$1 $round"; shift; "$@" || { wait; exit 1; }; echo "$what"; }
  tables() { ls ../store/db | grep -c ldb; }
  before=$(tables)
  for round in $(seq 15); do
    { printf v; head -c 32000 /dev/urandom | base64 -w0; } > ../value-$round
    seq 100 | while read i; do cat ../value-$round; done > ../values-$round
    did mkdir mkdir d$round
    did fill touch $(seq 100 | sed "s|^|d$round/|")
    did mark setfattr -n user.v -v "$(cat ../value-$round)" $(seq 100 | sed "s|^|d$round/|")
    did move mv d$round e$round
    did rename mv e$round/1 e$round/one
    did write cp ../values-$round e$round/data
    did sync sync e$round/data
    wait; "$@" snapshot list . > /dev/null 2>&1 &
    test $(tables) = $before || sleep 1
  done`;

/** Says what is missing of what the lines on standard input name. The change that failed last may be there or not. */
const VERIFY = `
  while read what round; do
    at=e$round; test -d $at || at=d$round
    first=$at/one; test -e $first || first=$at/1
    case $what in
      mkdir) test -d $at ;;
      fill) test "$(ls $at | grep -vc data)" = 100 ;;
      mark) getfattr --absolute-names --only-values -n user.v $first $(seq 2 100 | sed "s|^|$at/|") | cmp - ../values-$round ;;
      move) test -d e$round ;;
      rename) test -e $at/one ;;
      write | sync) cmp $at/data ../values-$round ;;
    esac || echo "lost: $what $round"
  done`;

/** Both streams of `sh` with a script in the mount, whatever its status. */
async function outputOf(mounted: Mounted, script: string, input = ''): Promise<string> {
  const { stdout, stderr } = await mounted.attempt('sh', ['-uc', script], { cwd: mounted.dir, input });
  return stdout + stderr;
}

const CHANGES = [
  'mkdir new',
  'touch one',
  'mv one two',
  'echo x >> one',
  'mkdir .snapshots/s',
  'setfattr -n user.a one',
];

for (const fault of FAULTS) {
  test(`the host fails at ${fault.at}`, () =>
    withMounted(async (mounted) => {
      requireCommands({ strace: 'strace', setfattr: 'attr' });
      const { store, dir } = mounted;
      const why = WHY[fault.error ?? 'EIO'];
      const attempt = (script: string, input = ''): Promise<string> => outputOf(mounted, script, input);
      // Opening makes a table of each log that is not empty: with three of them the next one is followed by a compaction.
      for (let i = 0; i < 2; i++) {
        await mounted.sh('touch one; sync .');
        await mounted.remount();
      }
      // Room in the journal for what comes first: else its growing fails, and with that nothing has happened yet.
      await mounted.sh('touch two; rm two; sync .');
      let acknowledged = '';
      const failed = await whileFailing(fault, mounted, async () => {
        const work = await mounted.attempt('sh', ['-uc', WORK, 'sh', ...amberfsCommand], { cwd: dir });
        expect(work.stderr).toMatch(FAILED);
        acknowledged = work.stdout;
        for (const change of CHANGES) expect(await attempt(change), change).toMatch(FAILED);
        expect(await attempt(VERIFY, acknowledged)).toBe('');
        expect(stringField(await mounted.json('status', store), 'failure')).toMatch(why);
        expect(await mounted.amberfs('status', store)).toMatch(/takes no changes until/);
        if (fault.end === 'kill') return mounted.killDaemon();
        const gone = await mounted.tryAmberfs('umount', dir);
        expect([gone.status, gone.stderr]).toEqual([1, expect.stringMatching(why)]);
      });
      expect(failed).not.toEqual([]);
      if (fault.noted !== undefined) expect(fs.readFileSync(path.join(store, 'db/LOG'), 'utf8')).toMatch(fault.noted);

      await mounted.remountDead();
      expect(await attempt(VERIFY, acknowledged)).toBe('');
      await mounted.sh('mkdir new; sync new');
      await mounted.umount();
      expect(await mounted.amberfs('check', store, '--data')).toContain('everything is as it should be');
      await mounted.remount();
      expect(await attempt(`test -d new || echo no new; ${VERIFY}`, acknowledged)).toBe('');
      expect(await mounted.json('status', store)).toMatchObject({ failure: null });
    }));
}

test('the host fails at writing the data file: a large write fails alone; when a commit can not bring a small one there, changes end', () =>
  withMounted(async (mounted) => {
    requireCommands({ strace: 'strace' });
    const { store } = mounted;
    await mounted.sh('head -c 2M /dev/urandom > ../noise; cp ../noise keep; sync .');
    const fault = { files: () => [path.join(store, 'data')], calls: 'pwrite64,pwritev' };
    const verify = 'cmp ../noise keep; test -d made; cat small';
    const failed = await whileFailing(fault, mounted, async () => {
      expect(await outputOf(mounted, 'cp ../noise large')).toMatch(/Input\/output error/);
      // A listing begins with a commit, so the next comes by itself only two seconds after what follows, and there is time for it.
      await mounted.amberfs('snapshot', 'list', mounted.dir);
      // A small write goes into the journal first.
      await mounted.sh('mkdir made; echo x > small; sync small');
      await waitUntil('a commit fails', 20_000, async () => (await mounted.json('status', store))['failure'] !== null);
      expect(await outputOf(mounted, 'mkdir later')).toMatch(/Read-only file system/);
      expect(await mounted.amberfs('status', store)).toMatch(/takes no changes until/);
      expect(await mounted.sh(verify)).toBe('x\n');
      await mounted.killDaemon();
    });
    expect(failed.length).toBeGreaterThanOrEqual(2);
    await mounted.remountDead();
    expect(await mounted.sh(verify)).toBe('x\n');
    await mounted.sh('cp ../noise large; sync large; cmp ../noise large');
    await mounted.umount();
    expect(await mounted.amberfs('check', store, '--data')).toContain('everything is as it should be');
  }));

test('an error that no handler expects: that request answers EIO, the log names it, and the mount lives on', () =>
  withMounted(async (mounted) => {
    requireCommands({ strace: 'strace' });
    await mounted.sh('echo x > f; sync .');
    // The host does not say how much room it has, which it always does.
    const lines = await straced(mounted, ['-e', 'trace=statfs', '-e', 'inject=statfs:error=EIO'], async () => {
      expect(await outputOf(mounted, 'stat -f .')).toMatch(/Input\/output error/);
      expect(await outputOf(mounted, 'cat f')).toBe('x\n');
    });
    expect(lines.filter((line) => line.includes('(INJECTED)'))).not.toEqual([]);
    expect(fs.readFileSync(path.join(mounted.store, 'daemon.log'), 'utf8')).toMatch(
      /error FUSE_STATFS failed: .*statfs/,
    );
    expect(await mounted.sh('stat -f . > /dev/null; mkdir d; echo y >> f; cat f')).toBe('x\ny\n');
    expect(await mounted.json('status', mounted.store)).toMatchObject({ failure: null });
  }));

test('the host fails at reading a table: errors and no changes, the daemon lives, and all is there after the next mount', () =>
  withMounted(async (mounted) => {
    requireCommands({ strace: 'strace' });
    const { store, dir } = mounted;
    await mounted.sh(
      'for d in $(seq 20); do mkdir d$d; for f in $(seq 200); do echo $d $f > d$d/f$f; done; done; sync .',
    );
    // Opening makes a table of the log, of which the daemon has nothing in memory.
    for (let i = 0; i < 2; i++) await mounted.remount();
    const pid = await mounted.daemonPid();
    const tables = databaseFiles(store, /\.ldb$/).flatMap((file) => ['-P', file]);
    const inject = ['-e', 'trace=pread64', '-e', 'inject=pread64:error=EIO'];
    const lines = await straced(mounted, [...inject, ...tables], async () => {
      expect(await outputOf(mounted, 'cat d1/f1 d7/f7')).toMatch(/Input\/output error/);
      expect(await outputOf(mounted, 'mkdir new')).toMatch(FAILED);
      expect(stringField(await mounted.json('status', store), 'failure')).toMatch(/the host fails to read it/);
    });
    expect(lines.filter((line) => line.includes('(INJECTED)'))).not.toEqual([]);
    // What could not be read is there when the host reads again, without a new mount; changes wait for one.
    expect(await mounted.sh('cat d*/* | wc -l')).toBe('4000\n');
    expect(await outputOf(mounted, 'mkdir new')).toMatch(/Read-only file system/);
    expect(await mounted.daemonPid()).toBe(pid);
    await mounted.tryAmberfs('umount', dir);
    await mounted.remountDead();
    expect(await mounted.sh('mkdir new; cat d*/* | wc -l')).toBe('4000\n');
    expect(await mounted.amberfs('check', '--data', store)).toContain('everything is as it should be');
  }));
