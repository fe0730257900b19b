/**
 * Memory is short for the daemon and for those who write: each of the two has a cgroup, and both reclaim pages all the time, those of the mount and
 * those of the store. Reclaiming must never wait for a daemon that waits for memory itself. AMBERFS_DAEMON_MIB sets the daemon's limit: with 60 it
 * worked, with 50 the kernel killed the daemon.
 */
import { expect, test } from 'vitest';
import { MemoryCgroup } from '../support/memory-cgroup.ts';
import { amberfsCommand, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';

const DAEMON_MIB = Number(process.env['AMBERFS_DAEMON_MIB'] ?? 100);
const WRITERS_MIB = 64;

/** 620 MiB from eight sides at once, by write, by mmap and by programs that copy; with flushes of a file, of the volume, and of the machine. */
const WRITE = `
  part() { "$@" || echo "failed: $*"; }
  part dd if=../noise of=dd bs=1M conv=fsync status=none &
  part dd if=../noise of=direct bs=64k oflag=direct status=none &
  part cp ../noise cp &
  part dd if=../noise of=small bs=4k status=none &
  part split --bytes=4K --suffix-length=5 ../few few- &
  part rsync --archive ../tree . &
  part xfs_io -f -c 'truncate 100m' -c 'mmap -rw 0 100m' -c 'mwrite -S 0x61 0 100m' -c 'msync -s 0 100m' mapped &
  part xfs_io -f -c 'truncate 100m' -c 'mmap -rw 0 100m' -c 'mwrite -S 0x62 0 100m' left &
  for i in 1 2 3; do sleep 1; part sync .; part sync --file-system .; done &
  part sync &
  wait; part sync`;

const VERIFY = `
  for copy in dd direct cp small; do cmp ../noise $copy; done
  cat few-* | cmp - ../few
  diff --recursive ../tree tree
  head -c 100M /dev/zero | tr '\\0' a | cmp - mapped
  head -c 100M /dev/zero | tr '\\0' b | cmp - left`;

test('daemon and writers, each with hardly any memory: nothing hangs, nobody is killed, and the data is right', (context) =>
  withMounted(async (mounted) => {
    requireCommands({ rsync: 'rsync', xfs_io: 'xfsprogs' });
    await withCgroups(context.skip, async (forDaemon, forWriters) => {
      await mounted.sh(
        'cd ..; head -c 100M /dev/urandom > noise; head -c 20M noise > few; mkdir tree; cd tree; split --bytes=256K ../noise',
      );
      await mounted.umount();
      await mountInside(forDaemon, mounted);
      const said = await mounted.run('env', ['--chdir', mounted.dir, ...forWriters.inside(['sh', '-c', WRITE])], {
        timeLimitMs: 60_000,
      });
      expect(said).toBe('');
      // The page cache counts: both were at their limits.
      for (const group of [forDaemon, forWriters]) expect(group.peakBytes).toBeGreaterThan(0.95 * group.limitBytes);
      // By a reader who is as short of memory.
      await mounted.run('env', ['--chdir', mounted.dir, ...forWriters.inside(['sh', '-euc', VERIFY])]);
      expect([forDaemon.killed, forWriters.killed]).toEqual([0, 0]);
      await mounted.umount();
    });
    await mounted.remount();
    await mounted.sh(VERIFY);
    expect(await mounted.amberfs('check', mounted.store)).toContain('everything is as it should be');
  }));

async function withCgroups(
  skip: (why: string) => void,
  body: (forDaemon: MemoryCgroup, forWriters: MemoryCgroup) => Promise<void>,
): Promise<void> {
  const groups: MemoryCgroup[] = [];
  try {
    for (const limitMiB of [DAEMON_MIB, WRITERS_MIB]) {
      const group = MemoryCgroup.create(limitMiB);
      if (typeof group === 'string') skip(group);
      else groups.push(group);
    }
    await body(groups[0]!, groups[1]!);
  } finally {
    for (const group of groups) await group.remove();
  }
}

/** Starts the daemon there: what a process has before it is moved is not counted. */
async function mountInside(group: MemoryCgroup, mounted: Mounted): Promise<void> {
  await mounted.run('env', group.inside([...amberfsCommand, 'mount', mounted.store, mounted.dir]));
  expect(group.has(await mounted.daemonPid())).toBe(true);
}
