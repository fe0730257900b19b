/** Holds, with a clock that the test turns. */
import { beforeEach, expect, test } from 'vitest';
import { currentHolds, holdSnapshot, releaseSnapshot, type Snapshot, type Volume } from '../../../src/volume/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';

let memory: MemoryVolumes;
let volume: Volume;
let snapshot: Snapshot;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  volume = memory.volumes.get('main');
  snapshot = memory.volumes.createSnapshot(volume, { name: 's' });
});

const hold = (tag: string, seconds?: number, reason?: string): void => {
  const expires = seconds === undefined ? {} : { expiresMs: memory.clock.nowMs() + seconds * 1000 };
  holdSnapshot(memory.volumes, volume, snapshot, { tag, ...expires, ...(reason === undefined ? {} : { reason }) });
};
const tags = (): string[] => currentHolds(snapshot.label, memory.clock.nowMs()).map(({ tag }) => tag);
const remove = (): void => {
  memory.volumes.deleteSnapshot(volume, snapshot);
};

test('a held snapshot is not deleted, and the message names the holds and the next step', () => {
  hold('backup', undefined, 'weekly tape');
  expect(remove).toThrow(
    expect.objectContaining({
      code: 'EBUSY',
      message:
        'snapshot main@s is held by tag backup (weekly tape); release it with "amberfs snapshot release TARGET@s backup"',
    }),
  );
  hold('audit', 60);
  expect(remove).toThrow(/by tag backup .* and by tag audit \(until 2001-09-09T01:47:40.000Z\); release each/);
  expect(() => {
    memory.volumes.deleteVolume(volume);
  }).toThrow(expect.objectContaining({ code: 'EBUSY' }));
  expect(memory.volumes.list()).toHaveLength(1);
  releaseSnapshot(memory.volumes, volume, snapshot, 'backup');
  releaseSnapshot(memory.volumes, volume, snapshot, 'audit');
  expect(snapshot.label.holds).toBeUndefined();
  remove();
  expect(volume.snapshotCount).toBe(0);
});

test('an expired hold holds no longer, and goes when holds are next touched', () => {
  hold('short', 10);
  hold('long', 100);
  memory.clock.advance(10);
  expect(tags()).toEqual(['long']);
  expect(snapshot.label.holds).toHaveLength(2);
  expect(() => {
    releaseSnapshot(memory.volumes, volume, snapshot, 'short');
  }).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  hold('short');
  expect(snapshot.label.holds).toHaveLength(2);
  releaseSnapshot(memory.volumes, volume, snapshot, 'short');
  memory.clock.advance(90);
  remove();
});

test('one tag holds once; tags and ends that can not be are refused', () => {
  hold('a');
  for (const [code, action] of [
    ['EEXIST', () => hold('a')],
    ['EINVAL', () => hold('-a')],
    ['EINVAL', () => hold('b', 0)],
    ['ENOENT', () => releaseSnapshot(memory.volumes, volume, snapshot, 'b')],
  ] as const) {
    expect(action, String(action)).toThrow(expect.objectContaining({ code }));
  }
  expect(tags()).toEqual(['a']);
});

test('holds are stored with the label, and leave the time of .snapshots alone', async () => {
  const before = volume.record.snapshotsChangedMs;
  memory.clock.advance(5);
  hold('kept', 3600);
  expect(volume.record.snapshotsChangedMs).toBe(before);
  await memory.volumes.commit();
  const again = await openMemoryVolumes({ kv: memory.kv, blocks: memory.blocks });
  const found = again.volumes.get('main').snapshot('s');
  expect(found.label.holds).toEqual([{ tag: 'kept', expiresMs: memory.clock.nowMs() + 3_600_000 }]);
  expect(() => {
    again.volumes.deleteSnapshot(again.volumes.get('main'), found);
  }).toThrow(expect.objectContaining({ code: 'EBUSY' }));
});
