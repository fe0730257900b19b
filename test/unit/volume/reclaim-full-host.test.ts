/** Reclaiming on a host that is full waits, and goes on when there is room again. */
import { expect, test } from 'vitest';
import { FsError } from '../../../src/errors/index.ts';
import type { Batch } from '../../../src/store/index.ts';
import { writeFile } from '../../../src/vfs/index.ts';
import { ROOT_INO } from '../../../src/volume/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

class FullKeyValue extends MemoryKeyValue {
  isFull = false;

  override write(batch: Batch, sync: boolean): Promise<void> {
    if (this.isFull) return Promise.reject(new FsError('ENOSPC', 'test-full', 'the host is full'));
    return super.write(batch, sync);
  }
}

test('a commit that finds no room does not end it', async () => {
  const kv = new FullKeyValue();
  const memory = await openMemoryVolumes({ kv });
  const { volumes } = memory;
  const main = volumes.get('main');
  const { ino } = new TreeOf(main.filesystem).file(ROOT_INO, 'f');
  const snapshots = Array.from({ length: 3 }, (_, i) => {
    writeFile(main.filesystem, ino, 0, Buffer.alloc(40_960, i), 0, 40_960, false);
    return volumes.createSnapshot(main, { name: `s${i}` });
  });
  await volumes.commit();
  kv.isFull = true;
  for (const snapshot of snapshots) volumes.deleteSnapshot(main, snapshot);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(volumes.reclaiming).toBeGreaterThan(0);
  kv.isFull = false;
  await volumes.reclaimed();
  expect([volumes.reclaiming, volumes.failure]).toEqual([0, undefined]);
  expect(await memory.check()).toEqual([]);
});
