/** The quota of a volume, as its users meet it. */
import { expect, test } from 'vitest';
import { withMounted } from '../support/mounted.ts';

const refused = /Disk quota exceeded/;

test('a quota bounds the live files, not the snapshots, and df shows it', () =>
  withMounted(async (mounted) => {
    const write = (name: string, count: number): ReturnType<typeof mounted.attempt> =>
      mounted.attempt('dd', ['if=/dev/zero', `of=${mounted.dir}/${name}`, 'bs=1M', `count=${count}`, 'conv=fsync']);
    await mounted.amberfs('volume', 'set', mounted.store, 'quota=16M');
    expect(await mounted.amberfs('volume', 'get', mounted.store, '-H')).toMatch(/quota\t16777216/);
    const [total, left] = (await mounted.run('stat', ['-f', '-c', '%b %a', mounted.dir])).trim().split(' ').map(Number);
    expect(total! * 4096).toBeLessThanOrEqual(16 << 20);
    expect(total! - left!).toBeLessThan(16);

    expect((await write('a', 12)).status).toBe(0);
    expect((await write('b', 8)).stderr).toMatch(refused);
    await mounted.sh('test "$(stat -c %s b)" -gt 3000000; sha256sum a; rm b');
    for (let round = 0; round < 4; round++) {
      await mounted.sh('mkdir ".snapshots/s$1"; rm a', String(round));
      expect((await write('a', 12)).status, `beside ${round + 1} snapshots`).toBe(0);
    }
    // What only replaces fits, also with nothing left.
    await write('b', 8);
    await mounted.sh('dd if=/dev/urandom of=a bs=1M count=12 conv=notrunc,fsync status=none');
    expect((await mounted.attempt('touch', [`${mounted.dir}/one-more`])).stderr).toMatch(refused);

    await mounted.remount();
    expect((await write('c', 8)).stderr).toMatch(refused);
    await mounted.amberfs('volume', 'set', mounted.store, 'quota=none');
    expect((await write('c', 8)).status).toBe(0);
    const wrong = await mounted.tryAmberfs('volume', 'set', mounted.store, 'quota=much');
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/quota can't be "much"; it takes: a size such as 10G, or none/);
  }));
