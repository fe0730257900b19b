/** What is stored of volumes is what they are, and a commit writes those that changed and looks at no other. */
import { beforeEach, expect, test } from 'vitest';
import { decodeVolume, volumeKey } from '../../../src/format/index.ts';
import type { Volumes } from '../../../src/volume/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';

let kv: MemoryKeyValue;
let volumes: Volumes;

async function open(): Promise<void> {
  ({ volumes } = await openMemoryVolumes({ kv }));
}

/** Commits, and compares every record with its volume. */
async function expectStored(...names: string[]): Promise<void> {
  await volumes.commit();
  expect(volumes.list().map(({ name }) => name)).toEqual(names);
  for (const { name, record, head } of volumes.list()) {
    const key = volumeKey(name);
    const stored = decodeVolume(key, kv.get(key)!, name);
    expect(stored).toEqual(record.toJSON());
    expect(stored.head).toBe(head.id);
  }
}

function origin(name: string): string {
  const { volume, snapshot } = volumes.get(name).record.origin!;
  return `${volume}@${snapshot}`;
}

beforeEach(async () => {
  kv = new MemoryKeyValue();
  await open();
});

test('everything that can change is stored without anybody saying so', async () => {
  const main = volumes.get('main');
  await expectStored('main');
  main.filesystem.change();
  main.filesystem.takeIno();
  await expectStored('main');
  main.record.properties = { quota: '1048576' };
  await expectStored('main');
  expect(main.record.toJSON().properties).toEqual({ quota: '1048576' });
  main.record.properties = {};
  await expectStored('main');
  main.record.properties = { snapdir: 'visible' };
  await expectStored('main');
  main.record.properties = { snapdir: 'hidden' };
  const snapshot = volumes.createSnapshot(main, { name: 's' });
  await expectStored('main');
  volumes.restore(main, snapshot, { name: 'kept' });
  await expectStored('main');
  volumes.clone(main, snapshot, 'copy');
  await expectStored('copy', 'main');
  volumes.deleteVolume(main);
  main.record.nextIno = 1000;
  await expectStored('copy');
  expect(kv.get(volumeKey('main'))).toBeUndefined();
});

test('a renamed volume is found by its new name alone, after a new start too', async () => {
  const main = volumes.get('main');
  const snapshot = volumes.createSnapshot(main, { name: 's' });
  volumes.clone(main, snapshot, 'copy');
  volumes.renameVolume(main, 'data', () => false);
  volumes.createVolume('main');
  await expectStored('copy', 'data', 'main');
  await open();
  await expectStored('copy', 'data', 'main');
  expect(volumes.get('data').snapshot('s').version.id).toBe(snapshot.version.id);
  expect(volumes.get('main').snapshotCount).toBe(0);
  expect(origin('copy')).toBe('data@s');
  volumes.renameVolume(volumes.get('main'), 'other', () => false);
  expect(origin('copy')).toBe('data@s');
});

test('names that are taken, shown by a mount, or none', () => {
  const main = volumes.get('main');
  volumes.createVolume('b');
  const refuse = (name: string, reason: string): void => {
    expect(() => {
      volumes.renameVolume(main, name, () => false);
    }).toThrow(expect.objectContaining({ reason }));
  };
  refuse('b', 'volume-name-taken');
  refuse('main', 'volume-name-taken');
  refuse('-x', 'volume-name-illegal');
  let shown = true;
  volumes.renameVolume(main, 'data', () => shown);
  expect(() => volumes.get('main')).toThrow(expect.objectContaining({ reason: 'volume-renamed' }));
  expect(() => volumes.createVolume('main')).toThrow(expect.objectContaining({ reason: 'volume-name-shown' }));
  shown = false;
  expect(() => volumes.get('main')).toThrow(expect.objectContaining({ reason: 'volume-unknown' }));
  volumes.createVolume('main');
});

test('a commit writes the records of changed volumes only', async () => {
  const snapshot = volumes.createSnapshot(volumes.get('main'), { name: 's' });
  for (let i = 0; i < 300; i++) volumes.clone(volumes.get('main'), snapshot, `clone-${i}`);
  await volumes.commit();
  const newBatch = kv.newBatch.bind(kv);
  const keys: Uint8Array[] = [];
  kv.newBatch = () => {
    const batch = newBatch();
    const put = batch.put.bind(batch);
    batch.put = (key, value) => {
      if (key[0] === volumeKey('x')[0]) keys.push(key);
      put(key, value);
    };
    return batch;
  };
  volumes.setProperties(volumes.get('clone-7'), { snapdir: 'visible' });
  await volumes.commit();
  expect(keys).toEqual([volumeKey('clone-7')]);
});
