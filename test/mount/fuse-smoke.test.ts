// Goal: the device transport works with the real kernel: mounts, serves, survives its daemon, unmounts. Method: a small filesystem in memory
// in a process of its own, used by ordinary commands.

import { chmodSync, chownSync, existsSync, readFileSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { withMemoryDaemon, withMountPoint } from '../support/memory-daemon.ts';
import { forceUnmountBelow, mountsBelow } from '../support/mount-table.ts';
import { waitUntil } from '../support/run-command.ts';

const isRoot = process.geteuid?.() === 0;

describe('files and directories', () => {
  test('what is written is read back, through the kernel and again from the daemon', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('head -c 3000000 /dev/urandom > $M/../data && cp $M/../data $M/copy && cmp $M/../data $M/copy');
      // Direct I/O goes past the page cache, in requests of the full size.
      await daemon.run('dd if=$M/copy of=$M/../back bs=1M iflag=direct && cmp $M/../data $M/../back');
      await daemon.run('dd if=$M/../data of=$M/direct bs=1M oflag=direct conv=fsync && cmp $M/../data $M/direct');
      expect(await daemon.ask('stats')).toMatchObject({ maxReadBytes: 1 << 20, deferred: 0 });
      expect(daemon.stderr.replace(/^read-ahead.*\n/gm, '')).toBe('');
    }));

  test('1 MiB of data is one WRITE', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('dd if=/dev/zero of=$M/a bs=1M count=4 oflag=direct');
      expect(await daemon.ask('stats')).toMatchObject({ FUSE_WRITE: { requests: 4, errors: 0 } });
    }));

  test('stat: mode, size and times to the nanosecond, before 1970 too', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run("printf 12345 > $M/a && chmod 4751 $M/a && touch -m -d '1901-02-03 04:05:06.123456789Z' $M/a");
      expect(await daemon.run("stat -c '%a %s %.9Y' $M/a")).toBe('4751 5 -2174586893.876543211\n');
      await daemon.run("touch -m -d '2300-01-01 00:00:00.999999999Z' $M/a");
      expect(await daemon.run("stat -c '%.9Y' $M/a")).toBe('10413792000.999999999\n');
    }));

  test('names are bytes; directories of many entries; rename, symlink, removal', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('touch "$M/$(printf \'caf\\351\')" && mkdir $M/d && ln -s ../elsewhere $M/d/link');
      expect(await daemon.run('ls -N $M | od -An -tx1')).toBe(' 63 61 66 e9 0a 64 0a\n');
      expect(await daemon.run('readlink $M/d/link')).toBe('../elsewhere\n');
      await daemon.run('cd $M/d && seq -f file-with-a-longer-name-%g 1 3000 | xargs touch && mv link moved');
      expect(
        await daemon.run('ls -U $M/d | sort -u | wc -l && ls -l $M/d | wc -l && cd / && rm -r $M/d && ls $M | wc -l'),
      ).toBe('3001\n3002\n1\n');
      expect((await daemon.sh('rmdir $M/none')).stderr).toMatch(/No such file or directory/);
    }));

  test('a size beyond 2^53 is EFBIG', () =>
    withMemoryDaemon(async (daemon) => {
      expect((await daemon.sh('truncate -s 9007199254740992 $M/a')).stderr).toMatch(/File too large/);
    }));
});

describe('the session', () => {
  test('INIT agreed on the full transfer size and the connection has a number', () =>
    withMemoryDaemon(async (daemon) => {
      const limits = await daemon.ask('limits');
      expect(limits).toMatchObject({ maxWriteBytes: 1 << 20, connection: mountsBelow(daemon.dir)[0]!.connection });
      expect(limits.minor).toBeGreaterThanOrEqual(31);
    }));

  test('a slow answer is interrupted by a signal, others go on meanwhile', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('printf slow > $M/a');
      await daemon.ask('slow', '10000');
      const slow = daemon.sh('timeout -s INT 1 sync $M/a', 5000);
      expect(await daemon.run('stat -c %s $M/a')).toBe('4\n');
      expect(await slow).toMatchObject({ timedOut: false });
      expect(await daemon.ask('stats')).toMatchObject({ interrupts: 1, deferred: 0 });
    }));

  test('answers that come later: slow reads one beside the other', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('for i in 1 2 3 4 5 6 7 8; do printf "data $i" > $M/$i; done');
      await daemon.ask('slow', '500');
      const started = Date.now();
      const reads = 'for i in 1 2 3 4 5 6 7 8; do dd if=$M/$i iflag=direct status=none & done; wait';
      expect(
        (await daemon.run(reads))
          .match(/data \d/g)
          ?.sort()
          .join(),
      ).toMatch(/^(data \d,?){8}$/);
      // One after the other they take 4 s.
      expect(Date.now() - started).toBeLessThan(3500);
    }));

  test('paused, requests wait; resumed, they are served', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.ask('pause');
      expect((await daemon.sh('timeout 1 stat $M')).status).toBe(124);
      const waiting = daemon.run('stat -c %F $M');
      await daemon.ask('resume');
      expect(await waiting).toBe('directory\n');
    }));

  test('cached data change when the kernel is told', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('printf old > $M/a && cat $M/a');
      expect(await daemon.ask('change', 'a', 'changed')).toEqual({ result: 'done' });
      expect(await daemon.run('cat $M/a')).toBe('changed');
    }));

  test('cached names change with the epoch, or one by one where the kernel has none', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('printf old > $M/a && cat $M/a');
      await daemon.ask('swap', 'a', 'another');
      expect(await daemon.run('cat $M/a')).toBe('old');
      const { minor } = await daemon.ask('limits');
      if ((minor as number) >= 44) expect(await daemon.ask('epoch')).toEqual({ result: 'done' });
      else expect(await daemon.ask('forget-name', 'a')).toEqual({ result: 'done' });
      expect(await daemon.run('cat $M/a')).toBe('another');
    }));

  test('a single name is forgotten, one that is not cached is unknown', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('printf old > $M/a && cat $M/a');
      await daemon.ask('swap', 'a', 'another');
      expect(await daemon.ask('forget-name', 'a')).toEqual({ result: 'done' });
      expect(await daemon.run('cat $M/a')).toBe('another');
      expect(await daemon.ask('forget-name', 'never-seen')).toEqual({ result: 'unknown' });
    }));
});

describe('mounting and unmounting', () => {
  test('the mount table shows type, source and safe options', () =>
    withMemoryDaemon(async (daemon) => {
      expect(mountsBelow(daemon.dir)).toEqual([
        expect.objectContaining({ mountPoint: daemon.dir, type: 'fuse.amberfs', source: 'memory' }),
      ]);
      expect(await daemon.run('grep " $M " /proc/mounts')).toMatch(
        / rw,nosuid,nodev,.*default_permissions,allow_other/,
      );
    }));

  test('unmount from within: busy while in use, then the daemon ends by itself', () =>
    withMemoryDaemon(async (daemon) => {
      const held = path.join(path.dirname(daemon.dir), 'held');
      const user = daemon.sh(`cd $M && : > '${held}' && while test -e '${held}'; do sleep 0.05; done`);
      await waitUntil('the mount is in use', 10_000, () => existsSync(held));
      expect(await daemon.ask('unmount')).toEqual({ reason: 'unmount-busy' });
      expect(await daemon.run('stat -c %F $M')).toBe('directory\n');
      rmSync(held);
      await user;
      await daemon.ask('unmount');
      expect(await daemon.ended).toBe(0);
      expect(mountsBelow(daemon.dir)).toEqual([]);
    }));

  test('unmount from outside ends the daemon too', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('printf data > $M/a && umount $M');
      expect(await daemon.ended).toBe(0);
    }));

  test('kill -9 of the daemon: the mount is dead, and a new one takes its place', () =>
    withMountPoint(async (dir, start) => {
      const first = await start();
      await first.run('printf precious > $M/a');
      const held = path.join(path.dirname(dir), 'held');
      const reader = first.sh(
        `exec 3< $M/a; : > '${held}'; while test -e '${held}'; do sleep 0.05; done; cat <&3 > /dev/null`,
      );
      await waitUntil('a file is open', 10_000, () => existsSync(held));
      await first.kill();
      expect((await first.sh('stat -f $M')).stderr).toMatch(/not connected/);
      const second = await start();
      expect(second.stderr).toMatch(/the dead mount is detached/);
      await second.run('printf new > $M/b');
      expect(await second.run('ls $M')).toBe('b\n');
      rmSync(held);
      await reader;
      expect(mountsBelow(dir)).toHaveLength(1);
    }));

  test('an answer after the connection was aborted goes nowhere', () =>
    withMemoryDaemon(async (daemon) => {
      await daemon.run('printf slow > $M/a');
      await daemon.ask('slow', '5000');
      const witness = path.join(path.dirname(daemon.dir), 'witness');
      await daemon.ask('witness', witness);
      const waiting = daemon.sh('sync $M/a');
      await waitUntil('the daemon owes an answer', 5000, async () => (await daemon.ask('stats')).deferred === 1);
      forceUnmountBelow(daemon.dir);
      expect((await waiting).stderr).toMatch(/connection abort|not connected/);
      expect(await daemon.ended).toBe(0);
      // The late answer was given while this file stood where the device had been.
      expect(readFileSync(witness)).toHaveLength(0);
    }));

  test('a second mount at the same place is refused', () =>
    withMountPoint(async (dir, start) => {
      const first = await start();
      await expect(start()).rejects.toThrow(/amberfs is mounted here already/);
      expect(await first.run('stat -c %F $M')).toBe('directory\n');
      expect(mountsBelow(dir)).toHaveLength(1);
    }));

  test('a mount point that is missing, or a file', () =>
    withMountPoint(async (dir, start) => {
      rmdirSync(dir);
      await expect(start()).rejects.toThrow(/no such directory; create it first/);
      writeFileSync(dir, '');
      await expect(start()).rejects.toThrow(/not a directory/);
    }));

  const helper = existsSync('/usr/bin/fusermount3') && isRoot;
  const reason = helper ? '' : ' (skipped: needs root to change the user, and fusermount3 of the Debian package fuse3)';
  test.skipIf(!helper)(`as a normal user, through fusermount3${reason}`, () =>
    withMountPoint(async (dir, start) => {
      const nobody = 65_534;
      chmodSync(path.dirname(dir), 0o755);
      chownSync(dir, nobody, nobody);
      // As udev sets it up wherever udev runs; fusermount3 opens the device with the rights of its user.
      const deviceMode = statSync('/dev/fuse').mode & 0o777;
      chmodSync('/dev/fuse', 0o666);
      const daemon = await start(nobody).finally(() => chmodSync('/dev/fuse', deviceMode));
      expect(mountsBelow(dir)).toEqual([expect.objectContaining({ type: 'fuse.amberfs', source: 'memory' })]);
      // Without allow_other even root stays outside.
      const asNobody = `setpriv --reuid=${nobody} --regid=${nobody} --clear-groups`;
      expect(await daemon.run(`${asNobody} sh -c 'printf mine > $M/a && cat $M/a'`)).toBe('mine');
      expect((await daemon.sh('ls $M')).stderr).toMatch(/Permission denied/);
      expect(await daemon.ask('unmount')).toEqual({});
      expect(await daemon.ended).toBe(0);
      expect(mountsBelow(dir)).toEqual([]);
    }),
  );

  const missing = isRoot ? '' : ' (skipped: needs root to change the user)';
  test.skipIf(!isRoot)(`without fusermount3 the message names the package${missing}`, () =>
    withMountPoint(async (dir, start) => {
      const nobody = 65_534;
      chmodSync(path.dirname(dir), 0o755);
      chownSync(dir, nobody, nobody);
      const saved = process.env.PATH;
      process.env.PATH = path.dirname(dir);
      try {
        await expect(start(nobody)).rejects.toThrow(/install the Debian package fuse3/);
      } finally {
        process.env.PATH = saved;
      }
    }),
  );
});
