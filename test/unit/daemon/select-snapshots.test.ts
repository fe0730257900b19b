import { beforeEach, expect, test } from 'vitest';
import { selectSnapshots } from '../../../src/daemon/select-snapshots.ts';
import type { Volume } from '../../../src/volume/index.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';

let volume: Volume;

beforeEach(async () => {
  const { volumes } = await openMemoryVolumes();
  volume = volumes.get('main');
  for (const name of ['z', 'b', 'a', 'c', 'd']) volumes.createSnapshot(volume, { name });
  // A name says nothing about the age, and a new one changes nothing about it.
  volumes.renameSnapshot(volume, volume.snapshot('z'), 'first');
});

const names = (text: string): string[] => selectSnapshots(volume, text).snapshots.map(({ label }) => label.name);
const reasons = (text: string): string[] => selectSnapshots(volume, text).failures.map(({ reason }) => reason);

test.each([
  ['a', ['a']],
  ['d,first', ['first', 'd']],
  ['b%c', ['b', 'a', 'c']],
  ['a%a', ['a']],
  ['%b', ['first', 'b']],
  ['c%', ['c', 'd']],
  ['%', ['first', 'b', 'a', 'c', 'd']],
  ['a,%b,a%c', ['first', 'b', 'a', 'c']],
])('"%s" names snapshots by age, each once', (text, expected) => {
  expect(names(text)).toEqual(expected);
  expect(reasons(text)).toEqual([]);
});

test.each([
  ['nobody', 'snapshot-unknown'],
  ['nobody%a', 'snapshot-unknown'],
  ['c%b', 'selection-reversed'],
  ['a%b%c', 'selection-malformed'],
  ['', 'selection-malformed'],
])('"%s" fails, and the rest is found all the same', (text, reason) => {
  expect(reasons(text)).toEqual([reason]);
  expect(names(`a,${text},d`)).toEqual(['a', 'd']);
});
