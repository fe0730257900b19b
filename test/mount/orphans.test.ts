/** Unlinked files that are open: they work on, and their space comes back, whatever ends first. */
import { expect, test } from 'vitest';
import { startProgram } from '../support/child-program.ts';
import { usedBytes, withMounted, type Mounted } from '../support/mounted.ts';
import { waitUntil } from '../support/run-command.ts';

const MiB = 1 << 20;
const orphanCount = 8;
/** The program makes files of 4 MiB each. */
const orphanBytes = orphanCount * 4 * MiB;
/** What small changes beside may take or give back. */
const toleranceBytes = 4 * MiB;

async function synced(mounted: Mounted): Promise<number> {
  await mounted.sh('sync -f .');
  return usedBytes(mounted);
}

async function expectHeld(mounted: Mounted, before: number): Promise<void> {
  expect(await usedBytes(mounted)).toBeGreaterThan(before + orphanBytes - toleranceBytes);
}

async function waitForSpace(mounted: Mounted, before: number): Promise<void> {
  await waitUntil(
    `no more than ${before} bytes used again`,
    30_000,
    async () => (await synced(mounted)) <= before + toleranceBytes,
  );
}

test('open unlinked files keep working, are in no listing, and are reclaimed when closed', () =>
  withMounted(async (mounted) => {
    const before = await synced(mounted);
    const holder = startProgram('orphan-holder', [mounted.dir, String(orphanCount)]);
    try {
      expect(await holder.nextLine()).toBe('open');
      expect(await holder.ask('check')).toBe('ok');
      expect(await mounted.sh('ls -A; find . -mindepth 1; sync -f .')).toBe('');
      await expectHeld(mounted, before);
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
    const before = await synced(mounted);
    const holder = startProgram('orphan-holder', [mounted.dir, String(orphanCount)]);
    try {
      expect(await holder.nextLine()).toBe('open');
      await expectHeld(mounted, before);
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
    const before = await synced(mounted);
    const holder = startProgram('orphan-holder', [mounted.dir, String(orphanCount)]);
    try {
      expect(await holder.nextLine()).toBe('open');
      await expectHeld(mounted, before);
    } finally {
      await holder.dispose();
    }
    await waitForSpace(mounted, before);
  }));
