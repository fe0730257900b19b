/** `amberfs check` and `amberfs scrub` on stores with and without damage, mounted and not. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SPACE, spaceKey } from '../../src/format/index.ts';
import { openStore } from '../../src/store/index.ts';
import { Volumes, createInode, loadInode, ROOT_INO, saveInode } from '../../src/volume/index.ts';
import { listField, parseObject, type JsonObject } from '../support/json-fields.ts';
import { withMounted, type Mounted } from '../support/mounted.ts';

const BLOCK_BYTES = 4096;

/** Changes one byte of the block of the data file that is filled with `letter`. */
function damageData(store: string, letter: string): void {
  const fd = fs.openSync(path.join(store, 'data'), 'r+');
  try {
    const bytes = Buffer.alloc(BLOCK_BYTES);
    for (let at = 0; fs.readSync(fd, bytes, 0, BLOCK_BYTES, at) > 0; at += BLOCK_BYTES) {
      if (!bytes.every((byte) => byte === letter.charCodeAt(0))) continue;
      fs.writeSync(fd, 'x', at + 17);
      return;
    }
  } finally {
    fs.closeSync(fd);
  }
  throw new Error(`no block is filled with ${letter}`);
}

const FILL = `yes "$2" | tr -d '\\n' | head -c 200000 > "$1"`;

async function scrubOf(mounted: Mounted): Promise<JsonObject> {
  const { stdout } = await mounted.tryAmberfs('scrub', mounted.store, '--status', '--json');
  return parseObject(stdout)['scrub'] as JsonObject;
}

test('a check finds nothing wrong, mounted and in use or not', async () => {
  await withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await mounted.sh('mkdir d; for i in $(seq 300); do echo $i > d/$i; done; ln d/1 link; ln -s d soft');
    await mounted.amberfs('snapshot', 'create', dir, 'one');
    const writing = mounted.sh('for i in $(seq 400); do echo $i > d/$i; rm -f d/$((i - 50)); done');
    for (let round = 0; round < 3; round++) {
      const report = parseObject(await mounted.amberfs('check', dir, '--data', '--json'));
      expect(report['problems']).toEqual([]);
    }
    await writing;
    await mounted.amberfs('clone', `${dir}@one`, 'other');
    expect(await mounted.amberfs('check', store)).toContain('everything is as it should be');
    await mounted.umount();
    expect(await mounted.amberfs('check', store, '--data')).toContain('everything is as it should be');
  });
});

test('damaged data is answered with EIO, named by check and scrub, and the rest stays usable', async () => {
  await withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await mounted.sh(`mkdir d; fill() { ${FILL}; }; fill d/bad b; fill good g`);
    await mounted.amberfs('snapshot', 'create', dir, 'one');
    await mounted.sh('mv d/bad d/renamed; echo more > new');
    await mounted.umount();
    damageData(store, 'b');
    await mounted.remountDead();
    const read = await mounted.attempt('cat', [path.join(dir, 'd/renamed')]);
    expect(read.stderr).toContain('Input/output error');
    expect(await mounted.sh('wc -c < good; cat new; echo changed > new; cat new')).toBe('200000\nmore\nchanged\n');

    const check = await mounted.tryAmberfs('check', dir, '--data');
    expect(check.status).toBe(1);
    expect(check.stdout).toMatch(/volume main: inode \d+: file block \d+ is damaged \(\/d\/renamed\)/);
    expect(check.stdout).toMatch(/snapshot main@one: inode \d+: file block \d+ is damaged \(\/d\/bad\)/);
    expect((await mounted.tryAmberfs('check', dir)).status).toBe(0);

    const scrub = await mounted.tryAmberfs('scrub', dir, '--wait');
    expect(scrub.status).toBe(1);
    expect(scrub.stdout).toContain('main:/d/renamed');
    expect(scrub.stdout).toContain('main@one:/d/bad');
    expect(await mounted.amberfs('status', store)).toMatch(/scrub +finished at .*: .* read, 1 damaged places/);
    expect(fs.readFileSync(path.join(store, 'daemon.log'), 'utf8')).toContain('main@one:/d/bad');
    await mounted.umount();
    // The result is kept, and a scrub without a daemon finds the same.
    expect(listField(await scrubOf(mounted), 'damage')).toHaveLength(1);
    expect((await mounted.tryAmberfs('scrub', store)).stdout).toContain('main:/d/renamed');
    expect((await mounted.tryAmberfs('check', store, '--data')).status).toBe(1);
  });
});

test('a scrub in the background is paused and resumed, also over the end of the daemon', async () => {
  await withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await mounted.sh(`fill() { ${FILL}; }; for i in $(seq 20); do fill $i $i; done`);
    expect(await mounted.amberfs('scrub', dir, '--status')).toContain('never scrubbed');
    await mounted.amberfs('scrub', dir, '--rate', '100K');
    expect((await mounted.tryAmberfs('scrub', dir)).stderr).toContain('runs already');
    expect(await mounted.amberfs('status', store)).toContain('runs since');
    await mounted.amberfs('scrub', dir, '--pause');
    await mounted.remount();
    expect(await scrubOf(mounted)).toMatchObject({ phase: 'paused', rate: 102_400 });
    await mounted.amberfs('scrub', dir, '--resume');
    await mounted.remount();
    // It goes on by itself.
    expect(await scrubOf(mounted)).toMatchObject({ phase: 'running' });
    await mounted.amberfs('scrub', dir, '--stop');
    expect(await scrubOf(mounted)).toMatchObject({ phase: 'stopped', damage: [] });
    expect((await mounted.tryAmberfs('scrub', dir, '--pause')).status).toBe(1);
    expect(await mounted.amberfs('scrub', dir, '--wait', '--rate', '1G')).toMatch(/finished .* no damage/);
  });
});

/** Gives the root directory a wrong link count and leaks a block, as a mistake of the program would. */
async function spoil(store: string): Promise<void> {
  const opened = await openStore(store);
  const volumes = await Volumes.open(opened);
  const { filesystem } = volumes.get('main');
  const root = createInode();
  loadInode(filesystem, ROOT_INO, root);
  filesystem.change();
  saveInode(filesystem, Object.assign(root, { nlink: 7 }));
  const leaked = opened.allocator.allocate(1);
  opened.blocks.writeSync(new Uint8Array(BLOCK_BYTES), 0, BLOCK_BYTES, leaked * BLOCK_BYTES);
  await volumes.close();
  await opened.close();
}

test('a repair of a store where nothing is wrong says so, and keeps nothing', async () => {
  await withMounted(async (mounted) => {
    const { store } = mounted;
    await mounted.sh('mkdir d; echo text > d/file; mkdir .snapshots/one; rm d/file');
    await mounted.umount();
    const said = await mounted.amberfs('check', store, '--repair', '--yes');
    expect(said).toMatch(/^nothing was wrong: nothing was repaired\nlooked at .*\neverything is as it should be\n$/);
    expect(await mounted.json('check', store, '--repair', '--yes')).toMatchObject({
      clean: true,
      repairs: [],
      kept: null,
    });
    expect(await mounted.amberfs('check', store, '--repair', '-n')).toContain('nothing was wrong');
    // Nor does what a crash left to be done again count as repaired.
    await mounted.remountDead();
    await mounted.sh('echo more > d/more');
    await mounted.killDaemon();
    await mounted.umount();
    expect(await mounted.amberfs('check', store, '--repair', '--yes')).toContain('nothing was wrong');
    expect(fs.readdirSync(store).filter((name) => name.startsWith('repair-'))).toEqual([]);
  });
});

/** Every record of a store that nobody has open, in hex. */
async function recordsOf(store: string): Promise<Map<string, string>> {
  const opened = await openStore(store);
  const records = await opened.kv.range(Uint8Array.of(0), Uint8Array.of(0xff));
  await opened.close();
  return new Map(records.map(([key, value]) => [Buffer.from(key).toString('hex'), Buffer.from(value).toString('hex')]));
}

test('a repair asks, keeps what it changes, and is refused while something is mounted', async () => {
  await withMounted(async (mounted) => {
    const { store } = mounted;
    await mounted.sh('mkdir d; echo text > d/file');
    await mounted.umount();
    await spoil(store);
    const check = await mounted.tryAmberfs('check', store);
    expect(check.status).toBe(1);
    expect(check.stdout).toContain('has 3 links, its count says 7');
    expect(check.stdout).toMatch(/block \d+ is allocated, but nothing refers to it/);

    const planned = await mounted.tryAmberfs('check', store, '--repair', '--dry-run');
    expect(planned.stdout).toContain('would do: volume main: inode 1: set its link count to 3');
    const unasked = await mounted.tryAmberfs('check', store, '--repair');
    expect([unasked.status, unasked.stderr]).toEqual([2, expect.stringContaining('add --yes')]);
    expect(fs.readdirSync(store).filter((name) => name.startsWith('repair-'))).toEqual([]);

    await mounted.remountDead();
    const refused = await mounted.tryAmberfs('check', store, '--repair', '--yes');
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('unmount it first')]);
    await mounted.umount();

    const damaged = await recordsOf(store);
    const repaired = await mounted.json('check', store, '--repair', '--yes');
    expect(repaired).toMatchObject({ clean: true, dry_run: false });
    expect(repaired['repairs']).toEqual([
      expect.stringMatching(/^block \d+: marked as free$/),
      'volume main: inode 1: set its link count to 3',
    ]);
    const kept = fs.readFileSync(String(repaired['kept']), 'utf8').trimEnd().split('\n');
    for (const line of kept) expect(Object.keys(parseObject(line))).toEqual(['key', 'before']);
    // With the last change taken back first, what the file holds gives the store of before again.
    const records = await recordsOf(store);
    for (const line of kept.toReversed()) {
      const { key, before } = JSON.parse(line) as { key: string; before: string | null };
      if (before === null) records.delete(key);
      else records.set(key, before);
    }
    expect(records).toEqual(damaged);
    expect(await mounted.amberfs('check', store)).toContain('everything is as it should be');
    await mounted.remountDead();
    expect(await mounted.sh('cat d/file; stat -c %h .')).toBe('text\n3\n');
  });
});

/** Changes a byte in the last tree node of the store. */
async function damageNode(store: string): Promise<void> {
  const opened = await openStore(store);
  const nodes = await opened.kv.range(spaceKey(SPACE.node), spaceKey(SPACE.node, true));
  const [key, value] = nodes.at(-1)!;
  const batch = opened.kv.newBatch();
  batch.put(key, value.with(value.length - 1, value.at(-1)! ^ 0xff));
  await opened.kv.write(batch, true);
  await opened.close();
}

test('damaged metadata: what is intact is read, nothing is changed any more, and the daemon goes on', async () => {
  await withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await mounted.sh('mkdir d; for i in $(seq 500); do echo $i > d/$i; done');
    await mounted.umount();
    await damageNode(store);
    await mounted.remountDead();
    const read = await mounted.attempt('sh', ['-c', 'for i in $(seq 500); do cat d/$i; done; true'], { cwd: dir });
    expect(read.stderr).toContain('Input/output error');
    const intact = read.stdout.trimEnd().split('\n');
    expect(intact.length).toBeGreaterThan(100);
    const change = await mounted.attempt('sh', ['-c', 'echo new > new'], { cwd: dir });
    expect(change.stderr).toMatch(/Read-only file system/);
    expect((await mounted.json('status', store))['failure']).toMatch(/node \d+: checksum does not match/);
    const check = await mounted.tryAmberfs('check', dir);
    expect([check.status, check.stdout]).toEqual([1, expect.stringMatching(/node \d+: checksum does not match/)]);
    expect((await mounted.tryAmberfs('scrub', dir, '--wait')).stdout).toMatch(/node \d+: checksum does not match/);
    expect(await mounted.sh('cat "d/$1"', intact[0]!)).toBe(`${intact[0]!}\n`);
    await mounted.tryAmberfs('umount', dir);
    // What can't be repaired is not said to be, and no copy is made of nothing.
    const repair = await mounted.tryAmberfs('check', store, '--repair', '--yes');
    expect([repair.status, repair.stdout]).toEqual([1, expect.stringMatching(/^nothing was repaired: .*\n.*node \d+/)]);
    expect(fs.readdirSync(store).filter((name) => name.startsWith('repair-'))).toEqual([]);
  });
});
