/** Control requests that meet damaged metadata: the store takes no more changes, and nothing half becomes durable. */
import { expect, test } from 'vitest';
import { CheckRunner } from '../../../src/daemon/check-runner.ts';
import type { Core } from '../../../src/daemon/core.ts';
import { callMethod } from '../../../src/daemon/methods/index.ts';
import type { Service } from '../../../src/daemon/methods/service.ts';
import { CorruptionError } from '../../../src/errors/index.ts';
import { noLog } from '../../../src/util/index.ts';
import { Scrubber } from '../../../src/volume/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { RottingKeyValue } from '../../support/rotting-key-value.ts';
import { TreeOf } from '../vfs/tree-of.ts';

interface Scene {
  readonly memory: MemoryVolumes;
  readonly kv: RottingKeyValue;
  readonly call: (method: string, params: object, daemon?: object) => Promise<unknown>;
}

/** A store that was just opened, so that no node is in memory, with the snapshot `then`; and what calls the methods of its daemon. */
async function open(): Promise<Scene> {
  const { volumes, kv: records, blocks } = await openMemoryVolumes();
  const main = volumes.get('main');
  const tree = new TreeOf(main.filesystem);
  tree.file(1, 'then');
  volumes.createSnapshot(main, { name: 'then' });
  tree.file(1, 'now');
  await volumes.commit();
  const kv = records.copyInto(new RottingKeyValue());
  const memory = await openMemoryVolumes({ kv, blocks });
  const core: Core = {
    store: memory.volumes.store,
    volumes: memory.volumes,
    scrubber: new Scrubber(memory.volumes, { read: () => undefined, write: () => undefined }, noLog),
    checks: new CheckRunner(memory.volumes),
    close: () => memory.volumes.close(),
  };
  const call = (method: string, params: object, daemon?: object): Promise<unknown> =>
    callMethod({ core, log: noLog, daemon: daemon as Service['daemon'] }, method, params);
  return { memory, kv, call };
}

test.each([
  ['snapshot.diff', { volume: 'main', name: 'then', toVolume: 'main', changes: true }],
  ['snapshot.restore', { volume: 'main', name: 'then', discard: true, dryRun: false }],
])('%s', async (method, params) => {
  const { memory, kv, call } = await open();
  const { volumes, blocks, journal } = memory;
  kv.nodesLeft = 0;
  await expect(call(method, params)).rejects.toThrow(CorruptionError);
  expect(volumes.failure?.message).toMatch(/node \d+/);
  await expect(call('snapshot.create', { volume: 'main', name: 'after' })).rejects.toMatchObject({ code: 'EROFS' });
  // What is intact can be looked at.
  expect(await call('volume.get', { volume: 'main' })).not.toEqual([]);
  await expect(volumes.flush()).rejects.toThrow(/node \d+/);
  const options = { kv: kv.copyInto(new MemoryKeyValue()), blocks: blocks.copy(), journal: journal.copy() };
  const again = await openMemoryVolumes(options);
  expect(new TreeOf(again.volumes.get('main').filesystem).find(1, 'now')).toBeDefined();
  expect(again.volumes.get('main').snapshots()).toHaveLength(1);
  expect(await again.check()).toEqual([]);
});

test.each([
  ['snapshot.create', { volume: 'main', name: 'kept' }],
  ['snapshot.restore', { volume: 'main', name: 'then', preserve: 'kept', discard: false, dryRun: false }],
  ['snapshot.rename', { volume: 'main', name: 'then', to: 'kept' }],
])('%s is not taken back by damage that is met while mounts are told of it', async (method, params) => {
  const { memory, kv, call } = await open();
  const { volumes, blocks, journal } = memory;
  const met = (): Promise<void> => {
    volumes.noteDamage(new CorruptionError('node 7', 'of a test'));
    return Promise.resolve();
  };
  const mounts = {
    ofVolume: () => undefined,
    ofSnapshot: () => undefined,
    assertSnapshotFree: () => undefined,
    beforeRestore: () => met,
    snapshotsChanged: met,
  };
  await expect(call(method, params, { mounts })).rejects.toThrow(/node 7/);
  const options = { kv: kv.copyInto(new MemoryKeyValue()), blocks: blocks.copy(), journal: journal.copy() };
  const again = await openMemoryVolumes(options);
  expect([...again.volumes.get('main').snapshots()].map(({ label }) => label.name)).toContain('kept');
});
