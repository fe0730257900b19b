/** What all clones of a deleted snapshot have dropped since is freed without anybody asking for it. */
import { afterEach, expect, test, vi } from 'vitest';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import { writeFile } from '../../../src/vfs/index.ts';
import { ROOT_INO } from '../../../src/volume/index.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('some time after the commit of that', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { volumes } = await openMemoryVolumes();
  const main = volumes.get('main');
  const { ino } = new TreeOf(main.filesystem).file(ROOT_INO, 'f');
  const bytes = Buffer.alloc(50 * BLOCK_BYTES, 1);
  writeFile(main.filesystem, ino, 0, bytes, 0, bytes.length, false);
  const origin = volumes.createSnapshot(main, { name: 'origin' });
  const clone = volumes.clone(main, origin, 'clone');
  volumes.deleteSnapshot(main, origin);
  await volumes.reclaimed();
  for (const { filesystem } of [main, clone]) {
    volumes.destroyOrphan(filesystem, new TreeOf(filesystem).unlink(ROOT_INO, 'f'));
  }
  await volumes.commit();
  await volumes.commit();
  expect([volumes.reclaiming, volumes.allocatedBlocks]).toEqual([0, 50]);
  vi.advanceTimersByTime(60_000);
  // However often it is looked at before its turn comes.
  for (let i = 0; i < 3; i++) expect([volumes.background.findSpace(), volumes.reclaiming]).toEqual([true, 1]);
  while (volumes.reclaiming > 0) await new Promise((resolve) => setImmediate(resolve));
  await volumes.commit();
  expect(volumes.allocatedBlocks).toBe(0);
});
