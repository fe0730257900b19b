/**
 * The host's filesystem in trouble: full to the last byte, failing, read-only, or with a file of the store cut off. Each time there is a clear
 * error, nothing that was promised is lost, and it goes on when the cause is gone.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withLoopHost } from '../support/loop-host.ts';
import { stringField } from '../support/json-fields.ts';
import { amberfsCommand, withMounted } from '../support/mounted.ts';
import { requireCommands, waitUntil } from '../support/run-command.ts';

const NO_SPACE = /No space left on device/;

/** Fills the mount: first with data, then with names and attributes that can't be compressed, until neither finds room. */
const FILL = `
  dd if=/dev/urandom of=fill bs=1M
  mkdir names; cd names
  for i in $(seq 2000); do
    touch $i 2>&1 && setfattr -n user.x -v 0s$(head -c 45000 /dev/urandom | base64 -w0) $i 2>&1 || break
  done`;

test('filled to the last byte through the mount: df says so, deleting works, and then writes go on', () =>
  withLoopHost(160, async ({ sh, attempt, mounted, store }) => {
    requireCommands({ setfattr: 'attr' });
    await sh('seq 1 100000 > keep; sha256sum keep > sum; mkdir .snapshots/s; sync .');
    for (let round = 0; round < 2; round++) {
      const filled = await attempt(FILL);
      expect(filled).toMatch(/dd: .*No space left on device/);
      expect(filled).toMatch(/(touch|setfattr): .*No space left on device/);
      expect(await sh('df --output=avail . | tail -n 1')).toMatch(/^ *0\n$/);
      // What takes away, and what changes nothing in size, goes on, also a lot of it.
      await sh('chmod 600 keep; mv keep k; mv k keep; rm -r names; sync .');
      // At once: what was freed is waited for.
      await sh('rm fill; dd if=/dev/urandom of=fill bs=1M count=50 conv=fsync status=none; rm fill');
      await sh('sha256sum --quiet -c sum; cd .snapshots/s; sha256sum --quiet -c sum');
    }
    expect(await mounted.json('status', store)).toMatchObject({ failure: null });
    expect(fs.readFileSync(path.join(store, 'daemon.log'), 'utf8')).not.toMatch(/ error /);
  }));

test('filled by others to the very last byte: reads go on, what was acknowledged stays, and it heals', () =>
  withLoopHost(200, async ({ sh, attempt, mounted, host, store, dir, mount, umount, kill }) => {
    await sh('seq 1 100000 > keep; sha256sum keep > sum; sync .');
    const stuff = path.join(host, 'stuff');
    const fill = async (): Promise<void> => {
      const { stderr } = await mounted.attempt('dd', ['if=/dev/zero', `of=${stuff}`, 'bs=4k']);
      expect(stderr).toMatch(NO_SPACE);
    };
    await fill();
    await sh('sha256sum --quiet -c sum');
    const made = (await attempt('for i in $(seq 200); do mkdir d$i && echo made d$i; done')).split('\n');
    expect(made.join('\n')).toMatch(NO_SPACE);
    const acknowledged = made.filter((line) => line.startsWith('made ')).map((line) => line.slice(5));
    fs.rmSync(stuff);
    await waitUntil(
      'there is room again',
      10_000,
      async () => !/No space/.test(await attempt('mkdir later; rmdir later')),
    );
    await sh('seq 1 100000 > later; sync later; cmp keep later; rm later');
    const list = async (): Promise<string[]> =>
      (await sh("find . -name 'd*' -printf '%f '")).split(' ').filter((name) => name !== '');
    expect((await list()).sort()).toEqual(acknowledged.sort());
    // The same with an end in the middle of it.
    await sh('mkdir d-last; echo x > d-last/f');
    await fill();
    await kill();
    const refused = await mounted.tryAmberfs('mount', store, dir);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(/full|no room|No space/)]);
    fs.rmSync(stuff);
    await mount();
    await sh('sha256sum --quiet -c sum; cat d-last/f');
    await umount();
    await mount();
    await sh('sha256sum --quiet -c sum; cat d-last/f; echo y > d-last/f; sync d-last/f');
  }));

test('a host that fails: errors, no changes, reads of what is there; status says why, and a new mount goes on', () =>
  withLoopHost(200, async ({ sh, attempt, mounted, host, store, dir, mount, repair }) => {
    await sh('seq 1 100000 > keep; mkdir .snapshots/s; sha256sum keep > sum; sync sum; exec 3>> open; sync .');
    await mounted.run('xfs_io', ['-x', '-c', 'shutdown -f', host]);
    // Whether this is the first to notice, or a commit before it.
    expect(await attempt('echo x > new')).toMatch(/Input\/output error|Read-only file system/);
    for (const change of [
      'mkdir d',
      'rm keep',
      'mv keep k',
      'chmod 600 keep',
      'echo x >> keep',
      'mkdir .snapshots/t',
      'rmdir .snapshots/s',
    ]) {
      expect(await attempt(change), change).toMatch(/Read-only file system/);
    }
    expect(await attempt('sync keep')).toMatch(/Input\/output error/);
    expect(await attempt('sha256sum -c sum; ls .snapshots; df . > /dev/null && echo df')).toBe(
      'keep: OK\nlatest\ns\ndf\n',
    );
    const status = await mounted.json('status', store);
    expect(stringField(status, 'failure')).toMatch(/EIO|i\/o error|could not/);
    expect(await mounted.amberfs('status', store)).toMatch(/takes no changes until/);
    const gone = await mounted.tryAmberfs('umount', dir);
    expect(gone.status).toBe(1);
    expect(gone.stderr).toMatch(/EIO|i\/o error|could not/);
    await repair();
    await mount();
    await sh(
      'sha256sum --quiet -c sum; cd .snapshots/s; cmp keep ../../keep; cd ../..; echo x > new; sync new; rmdir .snapshots/s',
    );
    expect(await mounted.json('status', store)).toMatchObject({ failure: null });
  }));

test('a read-only host, and a data file that was cut off: what is wrong is said, and it works when that is over', () =>
  withLoopHost(200, async ({ sh, mounted, host, store, dir, mount, umount }) => {
    const sums = await sh('head -c 8388608 /dev/urandom > a; sync a; head -c 8388608 /dev/urandom > b; sha256sum a b');
    const check = async (): Promise<string> => {
      const { stdout, stderr } = await mounted.attempt('sha256sum', ['-c', '-'], { cwd: dir, input: sums });
      return stdout + stderr;
    };
    await umount();
    await mounted.run('mount', ['-o', 'remount,ro', host]);
    for (const args of [
      ['mount', store, dir],
      ['init', path.join(host, 'other')],
      ['volume', 'list', store],
    ]) {
      const refused = await mounted.tryAmberfs(...args);
      expect([refused.status, refused.stderr], args.join(' ')).toEqual([1, expect.stringMatching(/read-only/)]);
      expect(refused.stderr).not.toMatch(/^\s+at /m);
    }
    await mounted.run('mount', ['-o', 'remount,rw', host]);
    await mount();
    expect(await check()).toBe('a: OK\nb: OK\n');

    const data = path.join(store, 'data');
    const whole = path.join(mounted.temp, 'whole');
    await umount();
    fs.copyFileSync(data, whole);
    await mount();
    fs.truncateSync(data, 12 * 1024 * 1024);
    expect(await check()).toMatch(/a: OK\n.*b: Input\/output error/s);
    expect(fs.readFileSync(path.join(store, 'daemon.log'), 'utf8')).toMatch(/the file ends at 12582912/);
    await mounted.tryAmberfs('umount', dir);
    fs.truncateSync(data, 6 * 1024 * 1024);
    const refused = await mounted.tryAmberfs('mount', store, dir);
    const why = /data: the file has \d+ bytes, but the store uses/;
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(why)]);
    fs.copyFileSync(whole, data);
    await mount();
    expect(await check()).toBe('a: OK\nb: OK\n');
  }));

test('a store that lost its format.json is not called empty, and works when it is back', () =>
  withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await mounted.sh('echo text > f; sync f');
    await mounted.umount();
    const format = path.join(store, 'format.json');
    fs.renameSync(format, path.join(mounted.temp, 'kept'));
    // With what a daemon left there, and as a copy of the files alone.
    for (const name of ['daemon.log', 'none']) {
      for (const args of [
        ['volume', 'list', store],
        ['status', store],
        ['check', store],
        ['mount', store, dir],
        ['init', store],
      ]) {
        const refused = await mounted.tryAmberfs(...args);
        const advice =
          /format\.json of this store is missing, but its other files hold data.*restore format\.json from a backup/;
        expect([refused.status, refused.stderr], args.join(' ')).toEqual([1, expect.stringMatching(advice)]);
        expect(refused.stderr).not.toMatch(/remove/);
      }
      fs.rmSync(path.join(store, name), { force: true });
    }
    fs.renameSync(path.join(mounted.temp, 'kept'), format);
    await mounted.remountDead();
    expect(await mounted.sh('cat f')).toBe('text\n');
  }));

test('init that is killed leaves nothing, a store, or something that says what it is', () =>
  withMounted(async (mounted) => {
    for (const [round, delay] of ['0.15', '0.25', '0.35'].entries()) {
      const store = path.join(mounted.temp, `s${round}`);
      await mounted.attempt('timeout', ['-s', 'KILL', delay, ...amberfsCommand, 'init', store]);
      const found = await mounted.tryAmberfs('volume', 'list', store, '-H', '-o', 'name');
      if (found.status === 0) {
        expect(found.stdout).toBe('main\n');
        continue;
      }
      expect(found.stderr).toMatch(/does not exist; create a store|cut short|is not a store/);
      fs.rmSync(store, { recursive: true, force: true });
      await mounted.amberfs('init', store);
    }
  }));
