/** Unlinked files that are open: they work on, and their space comes back, whatever ends first. */
import { expect, test } from 'vitest';
import { startProgram } from '../support/child-program.ts';
import { withMounted, type Mounted } from '../support/mounted.ts';
import { waitUntil } from '../support/run-command.ts';

const MiB = 1 << 20;
const orphanCount = 8;
/** The program makes files of 4 MiB each. */
const orphanBytes = orphanCount * 4 * MiB;
/** What trees and journal may take or give back meanwhile. */
const toleranceBytes = 4 * MiB;

interface Space {
  freeBytes: number;
  freeInodes: number;
}

async function space(mounted: Mounted): Promise<Space> {
  await mounted.sh('sync -f .');
  const [blocks, size, inodes] = (await mounted.run('stat', ['-f', '-c', '%f %S %d', mounted.dir])).trim().split(' ');
  return { freeBytes: Number(blocks) * Number(size), freeInodes: Number(inodes) };
}

async function waitForSpace(mounted: Mounted, wanted: Space): Promise<void> {
  await waitUntil(`${wanted.freeBytes} bytes free again`, 30_000, async () => {
    const now = await space(mounted);
    return now.freeBytes >= wanted.freeBytes - toleranceBytes;
  });
}

test('open unlinked files keep working, are in no listing, and are reclaimed when closed', () =>
  withMounted(async (mounted) => {
    const before = await space(mounted);
    const holder = startProgram('orphan-holder', [mounted.dir, String(orphanCount)]);
    try {
      expect(await holder.nextLine()).toBe('open');
      expect(await holder.ask('check')).toBe('ok');
      expect(await mounted.sh('ls -A; find . -mindepth 1')).toBe('');
      expect((await space(mounted)).freeBytes).toBeLessThan(before.freeBytes - orphanBytes + toleranceBytes);
      await mounted.sh('mkdir .snapshots/s; echo other > other');
      expect(await holder.ask('check')).toBe('ok');
      expect(await mounted.sh('ls -A .snapshots/s')).toBe('');
      await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@s`, '--yes');
      expect(await holder.ask('close')).toBe('closed');
      await waitForSpace(mounted, before);
      await holder.finish();
    } finally {
      await holder.dispose();
    }
  }));

test('they are reclaimed when the daemon dies, at the next mount', () =>
  withMounted(async (mounted) => {
    await mounted.sh('echo kept > kept');
    const before = await space(mounted);
    const holder = startProgram('orphan-holder', [mounted.dir, String(orphanCount)]);
    try {
      expect(await holder.nextLine()).toBe('open');
      await mounted.killDaemon();
    } finally {
      await holder.dispose();
    }
    await mounted.remountDead();
    await waitForSpace(mounted, before);
    expect(await mounted.sh('ls -A; cat kept')).toBe('kept\nkept\n');
  }));

test('they are reclaimed when their process is killed', () =>
  withMounted(async (mounted) => {
    const before = await space(mounted);
    const holder = startProgram('orphan-holder', [mounted.dir, String(orphanCount)]);
    expect(await holder.nextLine()).toBe('open');
    await holder.dispose();
    await waitForSpace(mounted, before);
  }));
