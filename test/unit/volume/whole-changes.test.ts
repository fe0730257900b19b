/** Damage that is met later does not hide what was done whole. */
import { expect, test } from 'vitest';
import { CorruptionError } from '../../../src/errors/index.ts';
import { ROOT_INO } from '../../../src/volume/index.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

test('an orphan that was destroyed, for which there is no answer, hides nothing', async () => {
  const { volumes } = await openMemoryVolumes();
  const { filesystem } = volumes.get('main');
  const tree = new TreeOf(filesystem);
  tree.file(ROOT_INO, 'f');
  const ino = tree.unlink(ROOT_INO, 'f');
  volumes.record();
  volumes.destroyOrphan(filesystem, ino);
  // Of a change that has changed nothing yet.
  volumes.noteDamage(new CorruptionError('node 7', 'of a test'), true);
  expect(filesystem.halfChanged).toBeUndefined();
});

test('what a change has left by half is hidden', async () => {
  const { volumes } = await openMemoryVolumes();
  const { filesystem } = volumes.get('main');
  new TreeOf(filesystem).file(ROOT_INO, 'f');
  volumes.noteDamage(new CorruptionError('node 7', 'of a test'), true);
  expect(filesystem.halfChanged?.message).toMatch(/a change of volume main ended half-way/);
});
