import { beforeEach, expect, test } from 'vitest';
import { relationsOf, type Volume, type Volumes } from '../../../src/volume/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';

let memory: MemoryVolumes;
let volumes: Volumes;
let volume: Volume;

beforeEach(async () => {
  memory = await openMemoryVolumes();
  ({ volumes } = memory);
  volume = volumes.get('main');
});

test('access-points=gmt names directories by the second in UTC, further ones of a second by number too', () => {
  volume.record.properties = { 'access-points': 'gmt' };
  expect(volumes.createSnapshot(volume, { name: 'a' }).label.accessPoint).toBe('@GMT-2001.09.09-01.46.40');
  expect(volumes.createSnapshot(volume, { name: 'again' }).label.accessPoint).toBe('@GMT-2001.09.09-01.46.40-2');
  expect(
    [volumes.createSnapshot(volume, {}), volumes.createSnapshot(volume, {})].map(({ label }) => label),
  ).toMatchObject([
    { name: '2001-09-09_01.46.40', accessPoint: '@GMT-2001.09.09-01.46.40-3' },
    { name: '2001-09-09_01.46.40-2', accessPoint: '@GMT-2001.09.09-01.46.40-4' },
  ]);
  expect(() => volumes.createSnapshot(volume, { name: 'b', accessPoint: '@GMT-2001.09.09-01.46.40' })).toThrow(
    expect.objectContaining({ code: 'EEXIST', reason: 'access-point-taken' }),
  );
  expect(volumes.createSnapshot(volume, { name: 'b', accessPoint: 'chosen' }).label.accessPoint).toBe('chosen');
  memory.clock.advance(1);
  expect(volumes.createSnapshot(volume, { name: 'c' }).label.accessPoint).toBe('@GMT-2001.09.09-01.46.41');
});

test('name and access point are renamed apart or together', () => {
  const snapshot = volumes.createSnapshot(volume, { name: 'a' });
  volumes.renameSnapshot(volume, snapshot, 'a', 'place');
  expect(snapshot.label).toEqual({ name: 'a', accessPoint: 'place' });
  volumes.renameSnapshot(volume, snapshot, 'b');
  expect(snapshot.label).toEqual({ name: 'b', accessPoint: 'place' });
  volumes.renameSnapshot(volume, snapshot, 'place');
  volumes.renameSnapshot(volume, snapshot, 'c');
  expect([volume.findAccessPoint('c'), volume.findSnapshot('place')]).toEqual([snapshot, undefined]);
});

test('snapshots stay in the order of their age, and the newest is known, whatever they are called', () => {
  expect(volume.newest).toBeUndefined();
  for (const name of ['a', 'b', 'c']) volumes.createSnapshot(volume, { name });
  volumes.renameSnapshot(volume, volume.snapshot('a'), 'z');
  expect(volume.snapshots().map(({ label }) => label.name)).toEqual(['z', 'b', 'c']);
  expect(volume.newest?.label.name).toBe('c');
  volumes.renameSnapshot(volume, volume.snapshot('c'), 'd');
  expect(volume.newest?.label.name).toBe('d');
  volumes.deleteSnapshot(volume, volume.snapshot('d'));
  expect(volume.newest?.label.name).toBe('b');
});

test('relations: parents and children through deleted snapshots, clones, restores', () => {
  const of = (name: string, from = volume): unknown =>
    relationsOf(
      volumes.forest,
      from.snapshot(name).version,
      (id) => volumes.list().find(({ record }) => record.id === id)?.name,
    );
  const a = volumes.createSnapshot(volume, { name: 'a' });
  volumes.createSnapshot(volume, { name: 'b' });
  volumes.createSnapshot(volume, { name: 'c' });
  const copy = volumes.clone(volume, a, 'copy');
  volumes.createSnapshot(copy, { name: 'x' });
  expect(of('a')).toEqual({ parent: null, children: ['b'], clones: ['copy'], current: false });
  expect(of('c')).toEqual({ parent: 'b', children: [], clones: [], current: true });
  expect(of('x', copy)).toEqual({ parent: 'main@a', children: [], clones: [], current: true });
  volumes.restore(volume, a, { name: 'kept' });
  volumes.deleteSnapshot(volume, volume.snapshot('b'));
  expect(of('a')).toEqual({ parent: null, children: ['c'], clones: ['copy'], current: true });
  expect(of('kept')).toEqual({ parent: 'c', children: [], clones: [], current: false });
});
