/** Restores under processes that read, write, map and stay in what is taken from under them. */
import { expect, test } from 'vitest';
import { startProgram } from '../support/child-program.ts';
import { numberField, parseObject } from '../support/json-fields.ts';
import { amberfsCommand, withMounted, type Mounted } from '../support/mounted.ts';

const ROUNDS = 20;
const STATES = 4;

function restore(mounted: Mounted, name: string, ...options: string[]): Promise<string> {
  return mounted.amberfs('snapshot', 'restore', `${mounted.dir}@${name}`, ...options);
}

test('a reader and a writer through 20 restores and deletes', () =>
  withMounted(async (mounted) => {
    await mounted.sh(`
      mkdir state; printf clean > held; truncate -s 4096 held
      for s in $(seq 1 ${STATES}); do
        for f in a b c d; do head -c $((s * 5000)) /dev/zero | tr '\\0' $s > state/$f; done; mkdir .snapshots/s$s
      done`);
    const sums = await mounted.sh('cd .snapshots; for s in s*; do cat $s/held $s/state/* | sha256sum; done');
    const pid = await mounted.daemonPid();
    const reader = startProgram('state-reader', [mounted.dir]);
    const writer = startProgram('stale-writer', [mounted.dir]);
    try {
      expect([await reader.nextLine(), await writer.nextLine()]).toEqual(['begun', 'begun']);
      for (let round = 0; round < ROUNDS; round++) {
        const state = (round % STATES) + 1;
        if (round % 2 === 0) {
          await restore(mounted, `s${state}`, '--preserve', `kept${round}`);
        } else {
          await restore(mounted, `s${state}`, '--discard', '--yes');
          await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@kept${round - 1}`, '--yes');
        }
        const found = await mounted.sh('cat held state/* | sha256sum; stat -c %s state/a');
        expect(found, `round ${round}`).toBe(`${sums.split('\n')[state - 1]}\n${state * 5000}\n`);
      }
      await reader.finish();
      await writer.finish();
      const read = parseObject(await reader.nextLine());
      const wrote = parseObject(await writer.nextLine());
      console.log(`${ROUNDS} restores: read ${JSON.stringify(read)}, wrote ${JSON.stringify(wrote)}`);
      expect(numberField(read, 'states')).toBe(STATES);
      expect(wrote).toMatchObject({ isHeldStale: true });
      expect(numberField(wrote, 'writes')).toBeGreaterThan(100);
    } finally {
      await reader.dispose();
      await writer.dispose();
    }
    expect(await mounted.daemonPid()).toBe(pid);
    await restore(mounted, 's1', '--discard', '--yes');
    const last = 'cat held state/* | sha256sum; ls';
    const wanted = `${sums.split('\n')[0]}\nheld\nstate\n`;
    expect(await mounted.sh(last)).toBe(wanted);
    await mounted.remount();
    expect(await mounted.sh(last)).toBe(wanted);
    expect(await mounted.sh('cd .snapshots; for s in s*; do cat $s/held $s/state/* | sha256sum; done')).toBe(sums);
  }));

test('what is written into a mapping of before goes nowhere, and the daemon and its commands go on', () =>
  withMounted(async (mounted) => {
    await mounted.sh('head -c 65536 /dev/zero > held; mkdir .snapshots/s');
    const pid = await mounted.daemonPid();
    for (let round = 0; round < 3; round++) {
      const writer = startProgram('map-writer', [`${mounted.dir}/held`]);
      try {
        expect(await writer.nextLine()).toBe('begun');
        await restore(mounted, 's', '--preserve', `kept${round}`);
        expect(await mounted.sh('tr -d "\\0" < held | wc -c')).toBe('0\n');
      } finally {
        await writer.dispose();
      }
      await mounted.amberfs('snapshot', 'create', mounted.dir, `after${round}`);
      expect(await mounted.sh('tr -d "\\0" < .snapshots/$1/held | wc -c', `after${round}`)).toBe('0\n');
      // What it had written when the command began was flushed by it.
      expect(await mounted.sh('head -c 5 .snapshots/$1/held', `kept${round}`)).toBe('dirty');
    }
    expect(await mounted.daemonPid()).toBe(pid);
    await mounted.remount();
    expect(await mounted.sh('tr -d "\\0" < held | wc -c')).toBe('0\n');
  }));

test('handles and directories of before answer ESTALE; whoever is in a snapshot goes on', () =>
  withMounted(async (mounted) => {
    await mounted.sh('mkdir -p d/e; echo one > d/f; echo one > d/e/g; mkdir .snapshots/s; echo other > d/f; rm d/e/g');
    const restoring = [...amberfsCommand, 'snapshot', 'restore', `${mounted.dir}@s`];
    const run = (script: string): Promise<string> =>
      mounted.run('bash', ['-c', `restore() { (cd / && "$@") > /dev/null; }; ${script}`, mounted.dir, ...restoring]);
    const before = await run(`
      cd "$0/d"; exec 5< f 6<> f 7< .; ls . e > /dev/null; cat <&5 > /dev/null; restore "$@"
      for command in 'cat <&5' 'echo x >&6' 'stat -L /proc/self/fd/6' 'ls -U .' 'ls e' 'cat f' 'cat e/g' 'stat .' \
        'touch new' 'ls /proc/self/fd/7/'; do
        if eval "$command" 2>&1 | grep -q 'Stale file handle'; then echo stale; else echo "not stale: $command"; fi
      done; cd "$0/d"; cat f e/g`);
    expect(before).toBe(`${'stale\n'.repeat(10)}one\none\n`);
    await mounted.sh('echo other > d/f; rm d/e/g');
    const within = await run('cd "$0/.snapshots/s/d"; exec 5< f; restore "$@"; cat - f e/g <&5; ls; /bin/pwd');
    expect(within).toBe(`one\none\none\ne\nf\n${mounted.dir}/.snapshots/s/d\n`);
    expect(await mounted.sh('cat d/f')).toBe('one\n');
  }));
