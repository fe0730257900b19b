/**
 * A store whose database has a damaged table when it is opened: it is mounted read-only and says so, what the damage does not concern is
 * there, in snapshots too, what it concerns is an error, and nothing of the store is changed.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withMounted, type Mounted } from '../support/mounted.ts';

const DIRECTORIES = 40;
const FILES = 200;
const ALL = DIRECTORIES * FILES;

/** Many files in two versions, and, after the last commit, what only the journal holds: the daemon is killed. */
async function fill(mounted: Mounted): Promise<void> {
  await mounted.sh(`
    for d in $(seq ${DIRECTORIES}); do mkdir d$d; for f in $(seq ${FILES}); do echo "content $d $f" > d$d/f$f; done; done
    mkdir .snapshots/one; for d in $(seq ${DIRECTORIES}); do echo changed > d$d/f1; done; mkdir .snapshots/two; sync .`);
  // Opening makes a table of the log.
  for (let i = 0; i < 2; i++) await mounted.remount();
  await mounted.sh('echo late > late; mv d1/f2 d1/moved; sync late');
  await mounted.killDaemon();
}

/** The largest table, and its bytes. */
function largestTable(store: string): string {
  const db = path.join(store, 'db');
  const tables = fs.readdirSync(db).filter((name) => name.endsWith('.ldb'));
  const sizes = new Map(tables.map((name) => [path.join(db, name), fs.statSync(path.join(db, name)).size]));
  return [...sizes].sort(([, a], [, b]) => b - a)[0]![0];
}

function damage(file: string, at: number): void {
  const fd = fs.openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  fs.readSync(fd, byte, 0, 1, at);
  byte[0]! ^= 0x10;
  fs.writeSync(fd, byte, 0, 1, at);
  fs.closeSync(fd);
}

/** A digest of all that a store keeps. */
function digest(store: string): string {
  const hash = createHash('sha256');
  const files = [
    ...fs.readdirSync(path.join(store, 'db')).map((name) => `db/${name}`),
    'data',
    'journal',
    'format.json',
  ];
  for (const name of files.sort()) hash.update(name).update(fs.readFileSync(path.join(store, name)));
  return hash.digest('hex');
}

interface Found {
  right: number;
  failed: number;
  other: string;
}

/** Reads all files of `dir`, the version with the changes or the one before; each says what it is. */
async function readAll(mounted: Mounted, dir: string, changed: boolean): Promise<Found> {
  const first = changed ? 'changed' : '';
  const script = `cd "$1"; for d in $(seq ${DIRECTORIES}); do for f in $(seq ${FILES}); do
      want="content $d $f"; [ $f = 1 ] && [ -n "$2" ] && want=$2
      [ "$d/$f" = 1/2 ] && [ -n "$2" ] && continue
      if read -r got 2> /dev/null < d$d/f$f; then [ "$got" = "$want" ] && echo right || echo "wrong $d/$f: $got"; else echo failed; fi
    done; done | sort | uniq -c`;
  const lines = (await mounted.run('bash', ['-c', script, 'bash', dir, first], { timeLimitMs: 100_000 }))
    .trim()
    .split('\n');
  const found: Found = { right: 0, failed: 0, other: '' };
  for (const line of lines) {
    const [count, what] = [parseInt(line, 10), line.trim().split(' ')[1]];
    if (what === 'right') found.right = count;
    else if (what === 'failed') found.failed = count;
    else found.other += line;
  }
  return found;
}

test('what is not affected can be read from a store with damaged metadata, and nothing is changed', () =>
  withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await fill(mounted);
    const table = largestTable(store);
    const size = fs.statSync(table).size;
    const whole = fs.readFileSync(table);
    let affected = 0;
    for (const at of [0.2, 0.5, 0.8, 0.95]) {
      fs.writeFileSync(table, whole);
      damage(table, Math.floor(size * at));
      const before = digest(store);
      if (fs.readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${dir} `))
        await mounted.run('umount', ['-l', dir]);
      const { status, stdout, stderr } = await mounted.tryAmberfs('mount', store, dir);
      expect([status, stderr]).toEqual([
        0,
        expect.stringMatching(/warning: .*\.ldb: the block at \d+ .*copy it to a new store/),
      ]);
      expect(stdout).toMatch(/, read-only\n$/);
      const live = await readAll(mounted, dir, true);
      expect(live.other).toBe('');
      expect(live.right).toBeGreaterThan(ALL / 2);
      const old = await readAll(mounted, path.join(dir, '.snapshots', 'one'), false);
      expect(old.other).toBe('');
      expect(old.right).toBeGreaterThan(ALL / 2);
      affected += live.failed + old.failed;
      // What only the journal held is there, or is known not to be.
      const late = await mounted.attempt('cat', [path.join(dir, 'late')]);
      if (late.stdout !== 'late\n') {
        const log = fs.readFileSync(path.join(store, 'daemon.log'), 'utf8');
        expect(log).toMatch(/the journal can't be done again|the block at/);
      }
      for (const change of ['touch new', 'rm d2/f3', 'mkdir .snapshots/x', 'rmdir .snapshots/one', 'echo x >> d2/f3'])
        expect((await mounted.attempt('sh', ['-c', `cd "$0" && ${change}`, dir])).stderr).toMatch(
          /Read-only file system/,
        );
      for (const command of [
        ['snapshot', 'create', `${dir}@x`],
        ['snapshot', 'restore', `${dir}@one`, '--yes'],
      ]) {
        const refused = await mounted.tryAmberfs(...command);
        expect([refused.status, refused.stderr]).toEqual([
          1,
          expect.stringMatching(/takes no changes: .*the block at/),
        ]);
      }
      expect((await mounted.json('status', store))['failure']).toMatch(/the block at/);
      expect(await mounted.amberfs('snapshot', 'list', dir)).toMatch(/one[^]*two/);
      const check = await mounted.tryAmberfs('check', store);
      expect([check.status, check.stdout]).toEqual([1, expect.stringMatching(/\.ldb: the block at/)]);
      await mounted.sh('sync .');
      await mounted.umount();
      const repair = await mounted.tryAmberfs('check', '--repair', '--yes', store);
      expect([repair.status, repair.stderr]).toEqual([1, expect.stringMatching(/\.ldb: the block at/)]);
      expect(digest(store)).toBe(before);
    }
    expect(affected).toBeGreaterThan(0);
    // A table that comes back, from a backup: as if nothing had been.
    fs.writeFileSync(table, whole);
    await mounted.remountDead();
    expect(await readAll(mounted, dir, true)).toEqual({ right: ALL - 1, failed: 0, other: '' });
    expect(await mounted.sh('cat late d1/moved; echo on > new')).toBe('late\ncontent 1 2\n');
    expect(await mounted.amberfs('check', store)).toContain('everything is as it should be');
  }));

test('where what everything needs is damaged, that is said, and nothing is changed', () =>
  withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await fill(mounted);
    const before = fs.readdirSync(path.join(store, 'db'));
    for (const name of before.filter((each) => each.endsWith('.ldb')))
      fs.truncateSync(path.join(store, 'db', name), 100);
    await mounted.run('umount', ['-l', dir]);
    const { status, stderr } = await mounted.tryAmberfs('mount', store, dir);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/\.ldb: .*restore the store from a backup\n$/)]);
    expect(fs.readdirSync(path.join(store, 'db')).sort()).toEqual(before.sort());
  }));

test('where the latest changes are damaged the store is refused, and shown as it was before them if that is wanted', () =>
  withMounted(async (mounted) => {
    const { store, dir } = mounted;
    const commits = ['file-before', 'file-in-damage', 'file-behind'];
    const db = path.join(store, 'db');
    const log = path.join(
      db,
      fs.readdirSync(db).find((name) => name.endsWith('.log'))!,
    );
    for (const name of commits) {
      await mounted.sh('echo "$1" > "$1"', name);
      // In a commit of its own: listing begins with one.
      await mounted.amberfs('snapshot', 'list', dir);
      expect(fs.readFileSync(log).includes(name), name).toBe(true);
    }
    await mounted.umount();
    damage(log, fs.readFileSync(log).indexOf('file-in-damage'));
    const before = digest(store);
    const refused = await mounted.tryAmberfs('mount', store, dir);
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/\.log: it is damaged at byte \d+; .*-o rewind/),
    ]);
    expect((await mounted.tryAmberfs('check', store)).stdout).toMatch(/\.log: it is damaged at byte/);
    const { status, stdout, stderr } = await mounted.tryAmberfs('mount', store, dir, '-o', 'rewind');
    expect([status, stdout]).toEqual([0, expect.stringMatching(/, read-only\n$/)]);
    expect(stderr).toMatch(/what is shown is the state of before that/);
    expect(await mounted.sh('cat file-before; ls')).toBe('file-before\nfile-before\n');
    expect((await mounted.attempt('touch', [path.join(dir, 'new')])).stderr).toMatch(/Read-only file system/);
    await mounted.umount();
    expect(digest(store)).toBe(before);
  }));

test('rewind changes nothing about a store that is whole', () =>
  withMounted(async (mounted) => {
    await mounted.sh('echo one > file');
    await mounted.umount();
    await mounted.amberfs('mount', mounted.store, mounted.dir, '-o', 'rewind');
    expect(await mounted.sh('cat file; echo two >> file; cat file')).toBe('one\none\ntwo\n');
  }));
