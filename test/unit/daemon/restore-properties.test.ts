/** Snapshots of before properties were noted in them can't take properties back, and say so before anything happens. */
import { expect, test } from 'vitest';
import type { Core } from '../../../src/daemon/core.ts';
import { callMethod } from '../../../src/daemon/methods/index.ts';
import { noLog } from '../../../src/util/index.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';

test('restore --properties to a snapshot without them is refused', async () => {
  const { volumes } = await openMemoryVolumes();
  const core: Core = { store: volumes.store, volumes, close: () => Promise.resolve() };
  const service = { core, log: noLog, daemon: undefined };
  const main = volumes.get('main');
  const snapshot = volumes.createSnapshot(main, { name: 'old' });
  volumes.relabel(main, snapshot, { name: 'old', accessPoint: 'old' });
  main.record.properties['quota'] = '1048576';
  for (const dryRun of [true, false]) {
    const params = { volume: 'main', name: 'old', discard: false, properties: true, dryRun };
    await expect(callMethod(service, 'snapshot.restore', params)).rejects.toMatchObject({
      code: 'ENODATA',
      reason: 'properties-not-noted',
      message: expect.stringContaining('restore it without --properties') as string,
    });
  }
  expect([main.snapshotCount, main.record.properties]).toEqual([1, { quota: '1048576' }]);
  await callMethod(service, 'snapshot.restore', { volume: 'main', name: 'old', discard: false, dryRun: false });
  expect([main.snapshotCount, main.record.properties]).toEqual([2, { quota: '1048576' }]);
});
