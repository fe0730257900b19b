/** Holds, deletion of several, what it frees, names and the tree, through the command line and `.snapshots`. */
import { expect, test } from 'vitest';
import { numberField, stringField } from '../support/json-fields.ts';
import { rowsOf, withMounted, type Mounted } from '../support/mounted.ts';
import { waitUntil } from '../support/run-command.ts';

const MiB = 1 << 20;

/** Snapshots s0, s1, ... with 2 MB of their own each. */
async function takeSeveral(mounted: Mounted, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await mounted.sh('head -c 2000000 /dev/urandom > f');
    await mounted.amberfs('snapshot', 'create', mounted.dir, `s${i}`);
  }
  await mounted.sh(': > f');
}

async function names(mounted: Mounted, ...more: string[]): Promise<string[]> {
  const text = await mounted.amberfs('snapshot', 'list', mounted.dir, '-H', '-o', 'name', ...more);
  return text.split('\n').slice(0, -1);
}

test('a held snapshot stays, whoever deletes it, until it is released', () =>
  withMounted(async (mounted) => {
    await takeSeveral(mounted, 1);
    const target = `${mounted.dir}@s0`;
    await mounted.amberfs('snapshot', 'hold', target, 'backup', '--reason', 'weekly tape', '--expires', '1d');
    const refused = await mounted.tryAmberfs('snapshot', 'delete', target, '--yes');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/held by tag backup \(weekly tape, until .*release TARGET@s0 backup/);
    const rmdir = await mounted.attempt('rmdir', [`${mounted.dir}/.snapshots/s0`]);
    expect(rmdir.stderr).toMatch(/busy/);
    await mounted.amberfs('clone', target, 'copy');
    await mounted.amberfs('snapshot', 'create', `${mounted.store}:copy`, 'c');
    await mounted.amberfs('snapshot', 'hold', `${mounted.store}:copy@c`, 'x');
    const volume = await mounted.tryAmberfs('volume', 'delete', `${mounted.store}:copy`, '--yes');
    expect([volume.status, volume.stderr]).toEqual([1, expect.stringContaining('held by tag x') as string]);
    expect(await mounted.amberfs('snapshot', 'info', target)).toMatch(/^holds +backup \(weekly tape, until /m);
    expect(await mounted.amberfs('snapshot', 'list', mounted.dir, '-H', '-o', 'name,holds,clones')).toBe(
      's0\tbackup\tcopy\n',
    );
    await mounted.amberfs('snapshot', 'release', target, 'backup');
    await mounted.amberfs('snapshot', 'delete', target, '--yes');
    expect(await names(mounted)).toEqual([]);
  }));

test('a hold that expires soon refuses until then, and no longer', () =>
  withMounted(async (mounted) => {
    const target = `${mounted.dir}@s`;
    await mounted.sh('mkdir .snapshots/s');
    const hold = async (expiresMs: number): Promise<void> => {
      const expires = new Date(expiresMs).toISOString();
      await mounted.amberfs('snapshot', 'hold', target, 'tape', '--expires', expires);
      expect((await mounted.attempt('rmdir', [`${mounted.dir}/.snapshots/s`])).stderr).toMatch(/busy/);
    };
    await hold(Date.now() + 3_600_000);
    const refused = await mounted.tryAmberfs('snapshot', 'delete', target, '--yes');
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('held by tag tape (until ')]);
    await mounted.amberfs('snapshot', 'release', target, 'tape');
    const expiresMs = Date.now() + 4000;
    await hold(expiresMs);
    await waitUntil('the hold has expired', 15_000, () => Date.now() > expiresMs);
    expect(await mounted.amberfs('snapshot', 'list', mounted.dir, '-H', '-o', 'name,holds')).toBe('s\t-\n');
    await mounted.sh('rmdir .snapshots/s');
    expect(await names(mounted)).toEqual([]);
  }));

test('several are deleted at once; -n tells exactly what comes back, and --wait waits for it', () =>
  withMounted(async (mounted) => {
    await takeSeveral(mounted, 8);
    await mounted.amberfs('snapshot', 'hold', `${mounted.dir}@s3`, 'x');
    const used = async (): Promise<number> => numberField(await mounted.json('status', mounted.store), 'used');
    const set = `${mounted.dir}@s1%s4,nobody`;
    const dry = await mounted.tryAmberfs('snapshot', 'delete', '-n', set, `${mounted.dir}@s6`, '--json');
    expect(dry.status).toBe(1);
    expect(dry.stderr).toContain('snapshot-held');
    expect(dry.stderr).toContain('snapshot-unknown');
    const freed = (JSON.parse(dry.stdout) as { freed: number }).freed;
    expect(freed).toBeGreaterThan(4 * 2_000_000);
    expect(freed).toBeLessThan(4 * 2_000_000 + MiB);
    expect(await names(mounted)).toHaveLength(8);
    const before = await used();
    const result = await mounted.tryAmberfs('snapshot', 'delete', set, `${mounted.dir}@s6`, '--yes', '--wait');
    expect(result.status).toBe(1);
    expect(await names(mounted)).toEqual(['s0', 's3', 's5', 's7']);
    // File contents come in whole blocks: 489 of them for 2,000,000 bytes.
    expect(before - (await used())).toBe(4 * 489 * 4096);
    expect(numberField(await mounted.json('status', mounted.store), 'reclaiming')).toBe(0);
    // The oldest that free so much; s3 is held.
    expect(await names(mounted, '--free', '3M')).toEqual(['s0', 's5']);
    const tooMuch = await mounted.tryAmberfs('snapshot', 'list', mounted.dir, '--free', '1G');
    expect([tooMuch.status, tooMuch.stdout]).toEqual([1, '']);
  }));

test('names and access points, latest, and the tree', () =>
  withMounted(async (mounted) => {
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'one');
    await mounted.sh('test "$(readlink .snapshots/latest)" = one; mkdir .snapshots/two');
    expect(await mounted.sh('readlink .snapshots/latest; ls .snapshots/latest/ | wc -l')).toBe('two\n0\n');
    await mounted.sh('mv .snapshots/two .snapshots/zwei; test "$(readlink .snapshots/latest)" = zwei');
    await mounted.amberfs('volume', 'set', mounted.dir, 'access-points=gmt');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'three');
    expect(await mounted.sh('readlink .snapshots/latest; stat -c %F .snapshots/latest/.')).toMatch(
      /^@GMT-\d{4}\.\d\d\.\d\d-\d\d\.\d\d\.\d\d\ndirectory\n$/,
    );
    await mounted.sh('mv .snapshots/@GMT-* .snapshots/drei');
    const [three] = (await rowsOf(mounted, 'snapshots', 'snapshot', 'list', mounted.dir)).slice(-1);
    expect([stringField(three!, 'name'), stringField(three!, 'access_point')]).toEqual(['three', 'drei']);
    await mounted.amberfs('snapshot', 'rename', `${mounted.dir}@three`, '--access-point', 'tres');
    await mounted.amberfs('snapshot', 'rename', `${mounted.dir}@tres`, '3');
    expect(await mounted.sh('ls .snapshots; readlink .snapshots/latest')).toBe('latest\none\ntres\nzwei\ntres\n');
    expect((await mounted.attempt('rmdir', [`${mounted.dir}/.snapshots/latest`])).status).toBe(1);
    expect((await mounted.attempt('rm', [`${mounted.dir}/.snapshots/latest`])).status).toBe(1);
    expect((await mounted.attempt('mv', [`${mounted.dir}/.snapshots/latest`, `${mounted.dir}/x`])).status).toBe(1);
    await mounted.amberfs('clone', `${mounted.dir}@zwei`, 'copy');
    const tree = await mounted.amberfs('snapshot', 'list', mounted.dir, '--tree', '-H', '-o', 'name');
    expect(tree).toBe('one\nzwei\n|-- copy (clone)\n`-- 3\n    main (live files)\n');
    for (const name of ['one', 'zwei', 'tres']) await mounted.sh('rmdir ".snapshots/$1"', name);
    expect(await mounted.sh('ls -A .snapshots; readlink .snapshots/latest || true')).toBe('');
  }));
