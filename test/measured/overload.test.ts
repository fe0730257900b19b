/**
 * More requests than can be answered at once: whoever asks waits in the kernel, the daemon's memory stays bounded, nobody starves, and who is
 * killed while waiting takes nothing down. AMBERFS_OVERLOAD=10 asks for ten times as much.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withMounted, type Mounted } from '../support/mounted.ts';

const factor = Number(process.env['AMBERFS_OVERLOAD'] ?? 1);
const MIB = 1024 * 1024;

/** The most memory that the daemon has had so far. */
async function peakBytes(mounted: Mounted): Promise<number> {
  const status = fs.readFileSync(`/proc/${await mounted.daemonPid()}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

/** The host has nothing of the file in memory any more, so that reads must wait for its disk. */
async function chill(mounted: Mounted): Promise<void> {
  await mounted.run('dd', [`if=${path.join(mounted.store, 'data')}`, 'iflag=nocache', 'count=0', 'status=none']);
}

test('hundreds of processes read at once what is on the disk', () =>
  withMounted(async (mounted) => {
    await mounted.sh('head -c 256M /dev/urandom > f; sha256sum < f > ../sum; sync f');
    const before = await peakBytes(mounted);
    await chill(mounted);
    // Each reads another part, a MiB a request, past the kernel's cache; stopped, the daemon finds them all at once.
    const pid = String(await mounted.daemonPid());
    await mounted.sh(
      `trap 'kill -CONT $1' EXIT; kill -STOP $1
      for i in $(seq 0 ${256 * factor - 1}); do dd if=f of=/dev/null bs=1M skip=$((i % 256)) count=1 iflag=direct status=none & done
      sleep 0.5; kill -CONT $1; timeout 10 ls > /dev/null; wait`,
      pid,
    );
    expect((await peakBytes(mounted)) - before).toBeLessThan(160 * MIB);
    // Readers that are killed while they wait.
    await chill(mounted);
    await mounted.sh(`
      for i in $(seq 0 63); do dd if=f of=/dev/null bs=1M skip=$((i * 4)) count=4 iflag=direct status=none & done
      kill -9 $(jobs -p) || true; wait || true`);
    expect(await mounted.sh('sha256sum < f | cmp - ../sum && echo same')).toBe('same\n');
  }));

test('many writers, faster than the disk; others are served meanwhile', () =>
  withMounted(async (mounted) => {
    await mounted.sh('mkdir d; echo x > small');
    const before = await peakBytes(mounted);
    const writing = mounted.sh(`
      for i in $(seq 1 ${32 * factor}); do dd if=/dev/zero of=d/$i bs=1M count=12 status=none & done
      for i in $(seq 1 ${16 * factor}); do (for j in $(seq 1 60); do echo $i-$j > d/s$i-$j; done) & done
      wait`);
    let slowestMs = 0;
    for (let i = 0; i < 10; i++) {
      const startMs = Date.now();
      await mounted.run('cat', [path.join(mounted.dir, 'small')]);
      await mounted.run('mkdir', [path.join(mounted.dir, `at-${i}`)]);
      slowestMs = Math.max(slowestMs, Date.now() - startMs);
    }
    await writing;
    expect(slowestMs).toBeLessThan(10_000);
    expect((await peakBytes(mounted)) - before).toBeLessThan(400 * MIB);
    const zeros = String(12 * MIB);
    expect(
      await mounted.sh(`for i in d/[0-9]*; do test $(stat -c %s $i) = ${zeros} || echo $i; done; cat d/s1-60`),
    ).toBe('1-60\n');
  }));
