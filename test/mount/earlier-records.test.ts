/**
 * A database that gives an earlier state of a record, or has lost one, each record being right by itself: the store is not mounted, or an error
 * stands where it matters; nothing older is shown as the latest.
 */
import fs from 'node:fs';
import { Level } from 'level';
import { expect, test } from 'vitest';
import { SPACE, spaceKey } from '../../src/format/index.ts';
import { withMounted } from '../support/mounted.ts';

type Records = Map<string, Uint8Array>;

/** What `work` does with the database of a store that nobody has open. */
async function withDatabase<T>(store: string, work: (db: Level<Uint8Array, Uint8Array>) => Promise<T>): Promise<T> {
  const db = new Level<Uint8Array, Uint8Array>(`${store}/db`, { keyEncoding: 'view', valueEncoding: 'view' });
  await db.open();
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** The records of one key space, by key in hex. */
function recordsOf(store: string, space: number): Promise<Records> {
  return withDatabase(store, async (db) => {
    const pairs = await db.iterator({ gte: spaceKey(space), lt: spaceKey(space, true) }).all();
    return new Map(pairs.map(([key, value]) => [Buffer.from(key).toString('hex'), value]));
  });
}

/** Makes those records what they were before that differ, and that are there still; gives how many these are. */
function bringBack(store: string, before: Records, now: Records): Promise<number> {
  return withDatabase(store, async (db) => {
    const older = [...before].filter(([key, value]) => now.has(key) && Buffer.compare(value, now.get(key)!) !== 0);
    for (const [key, value] of older) await db.put(Buffer.from(key, 'hex'), value);
    return older.length;
  });
}

test('an earlier state of a volume is not mounted, but with rewind, read-only', async () => {
  await withMounted(async (mounted) => {
    const { store } = mounted;
    await mounted.sh('echo first > file; sync .');
    await mounted.umount();
    const before = await recordsOf(store, SPACE.version);
    await mounted.remountDead();
    await mounted.sh('echo second > file; mkdir .snapshots/one; echo third > file; sync .');
    await mounted.umount();
    expect(await bringBack(store, before, await recordsOf(store, SPACE.version))).toBeGreaterThan(0);
    const image = fs.readFileSync(`${store}/data`);

    const refused = await mounted.tryAmberfs('mount', store, mounted.dir);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/\/db: some of its records are of an older time than others, or lost/);
    expect(refused.stderr).toMatch(/restore the store from a backup, or mount it with -o rewind/);
    const check = await mounted.tryAmberfs('check', store);
    expect([check.status, check.stdout]).toEqual([1, expect.stringContaining('are of an older time')]);
    // The rest is looked at all the same.
    expect(check.stdout).toMatch(/looked at [1-9]\d* records/);
    expect((await mounted.tryAmberfs('snapshot', 'list', store)).stderr).toContain('are of an older time');

    await mounted.amberfs('mount', store, mounted.dir, '-o', 'rewind');
    expect((await mounted.attempt('bash', ['-c', `echo x > ${mounted.dir}/file`])).stderr).toMatch(/Read-only/);
    expect(await mounted.amberfs('status', store)).toMatch(/older time/);
    await mounted.umount();
    expect(fs.readFileSync(`${store}/data`).equals(image)).toBe(true);
  });
});

test('an earlier state of a directory is an error, and what others lead to is there', async () => {
  await withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await mounted.sh('for d in a b c d; do mkdir $d; for i in $(seq 300); do echo $d$i > $d/$i; done; done; sync .');
    await mounted.umount();
    const before = await recordsOf(store, SPACE.node);
    await mounted.remountDead();
    await mounted.sh('for i in $(seq 300); do echo new > d/$i; done; sync .');
    await mounted.umount();
    const now = await recordsOf(store, SPACE.node);
    // Only leaves that were changed: their level is the byte at 2.
    const leaves: Records = new Map([...before].filter(([key, value]) => value[2] === 0 && now.get(key)?.[2] === 0));
    expect(await bringBack(store, leaves, now)).toBeGreaterThan(0);

    await mounted.remountDead();
    const read = await mounted.attempt('find', [dir, '-type', 'f', '-exec', 'cat', '{}', '+']);
    expect(read.stderr).toMatch(/Input\/output error/);
    const [old, expected] = [/^d\d+$/m, /^(new|[a-c]\d+)$/];
    expect(read.stdout).not.toMatch(old);
    const lines = read.stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines) expect(line).toMatch(expected);
    expect(await mounted.amberfs('status', store)).toMatch(/node \d+: it is not what was stored last/);
    const check = await mounted.tryAmberfs('check', store);
    expect([check.status, check.stdout]).toEqual([1, expect.stringContaining('it is not what was stored last')]);
  });
});
