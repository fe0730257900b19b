/**
 * The disk changes a table of the database under a mounted store: a scrub finds it before LevelDB comes to it, and from then on nothing is
 * changed, so that no merge makes a sound table of the damaged one.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseObject } from '../support/json-fields.ts';
import { withMounted, type Mounted } from '../support/mounted.ts';

const DIRECTORIES = 30;
const FILES = 200;
const ALL = DIRECTORIES * FILES;

/** Many small files, in tables. */
async function fill(mounted: Mounted): Promise<void> {
  await mounted.sh(`
    for d in $(seq ${DIRECTORIES}); do mkdir d$d; for f in $(seq ${FILES}); do echo "content $d $f" > d$d/f$f; done; done
    mkdir .snapshots/one; sync .`);
  // Opening makes a table of the log.
  for (let i = 0; i < 2; i++) await mounted.remount();
}

/** The largest table. */
function largestTable(store: string): string {
  const db = path.join(store, 'db');
  const tables = fs.readdirSync(db).filter((name) => name.endsWith('.ldb'));
  const size = (name: string): number => fs.statSync(path.join(db, name)).size;
  return path.join(db, tables.sort((a, b) => size(b) - size(a))[0]!);
}

/** Turns over a bit in the middle of a file. */
function damage(file: string): void {
  const fd = fs.openSync(file, 'r+');
  const at = Math.floor(fs.statSync(file).size / 2);
  const byte = Buffer.alloc(1);
  fs.readSync(fd, byte, 0, 1, at);
  byte[0]! ^= 0x10;
  fs.writeSync(fd, byte, 0, 1, at);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** How many files have what they should have, and how many have anything else. */
async function readAll(mounted: Mounted): Promise<{ right: number; wrong: number }> {
  const script = `cd "$1"; for d in $(seq ${DIRECTORIES}); do for f in $(seq ${FILES}); do
      read -r got 2> /dev/null < d$d/f$f || continue
      [ "$got" = "content $d $f" ] && echo right || echo wrong
    done; done`;
  const words = (await mounted.run('bash', ['-c', script, 'bash', mounted.dir])).split('\n');
  const count = (word: string): number => words.filter((each) => each === word).length;
  return { right: count('right'), wrong: count('wrong') };
}

test('a scrub names a table that the disk changed, and the store takes no changes from then on', () =>
  withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await fill(mounted);
    const pid = await mounted.daemonPid();
    const whole = parseObject(await mounted.amberfs('scrub', dir, '--wait', '--json'))['scrub'];
    const tableBytes = fs.statSync(largestTable(store)).size;
    expect(whole).toMatchObject({ phase: 'finished', damage: [] });
    expect((whole as { read: number }).read).toBeGreaterThan(tableBytes);
    // What was answered before the damage is found stays, committed or not.
    await mounted.sh('echo late > late; echo on > d1/f1; echo "content 1 1" > d1/f1');
    const table = largestTable(store);
    damage(table);

    const scrub = await mounted.tryAmberfs('scrub', dir, '--wait');
    expect([scrub.status, scrub.stdout]).toEqual([1, expect.stringContaining(`table ${table}: the block at `)]);
    expect(fs.readFileSync(path.join(store, 'daemon.log'), 'utf8')).toContain(`scrub: table ${table}: the block at `);
    const { failure } = await mounted.json('status', store);
    expect(failure).toMatch(/^table .*\.ldb: the block at \d+ does not match its checksum; unmount and mount anew/);
    expect(await mounted.amberfs('status', store)).toMatch(/scrub +finished at .*: .* read, \d+ damaged places/);
    for (const change of ['touch new', 'echo x >> late', 'rm late', 'mkdir .snapshots/two'])
      expect((await mounted.attempt('sh', ['-c', change], { cwd: dir })).stderr).toMatch(/Read-only file system/);
    const live = await readAll(mounted);
    expect(live.wrong).toBe(0);
    expect(live.right).toBeGreaterThan(ALL / 2);
    expect(await mounted.sh('cat late')).toBe('late\n');
    expect(await mounted.daemonPid()).toBe(pid);
    // It is there to be read around: nothing was merged.
    expect(fs.existsSync(table)).toBe(true);

    await mounted.tryAmberfs('umount', dir);
    const { status, stdout, stderr } = await mounted.tryAmberfs('mount', store, dir);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/warning: .*\.ldb: the block at \d+/)]);
    expect(stdout).toMatch(/, read-only\n$/);
    const again = await readAll(mounted);
    expect(again.wrong).toBe(0);
    expect(again.right).toBeGreaterThan(ALL / 2);
    // Of a store that is mounted so, a scrub says the same.
    const second = await mounted.tryAmberfs('scrub', dir, '--wait');
    expect([second.status, second.stdout]).toEqual([1, expect.stringContaining(`table ${table}: the block at `)]);
    const late = await mounted.attempt('cat', [path.join(dir, 'late')]);
    expect(late.stdout + late.stderr).toMatch(/^late$|Input\/output error/m);
  }));
