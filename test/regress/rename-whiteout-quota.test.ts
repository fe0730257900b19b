// Renaming with RENAME_WHITEOUT in a volume whose quota is used up gave EDQUOT after the new name had been made: the file had two names and a
// link count of 1.

import { expect, it } from 'vitest';
import { RENAME_WHITEOUT } from '../../src/vfs/rename.ts';
import { ROOT_INO, checkVolumes } from '../../src/volume/index.ts';
import { openMemoryVolumes } from '../support/memory-volumes.ts';
import { TreeOf } from '../unit/vfs/tree-of.ts';

it('changes nothing where the quota forbids what a rename is to leave behind', async () => {
  const { volumes } = await openMemoryVolumes();
  const main = volumes.get('main');
  const tree = new TreeOf(main.filesystem);
  const { ino } = tree.file(ROOT_INO, 'a');
  main.record.properties = { quota: '4096' };
  expect(() => tree.rename(ROOT_INO, 'a', ROOT_INO, 'b', RENAME_WHITEOUT)).toThrow(
    expect.objectContaining({ code: 'EDQUOT' }),
  );
  expect([tree.find(ROOT_INO, 'a')?.ino, tree.find(ROOT_INO, 'b')]).toEqual([ino, undefined]);
  expect(await checkVolumes(volumes)).toEqual([]);
  main.record.properties = {};
  tree.rename(ROOT_INO, 'a', ROOT_INO, 'b', RENAME_WHITEOUT);
  expect([tree.find(ROOT_INO, 'a')?.mode, tree.find(ROOT_INO, 'b')?.ino]).toEqual([0o20000, ino]);
  expect(await checkVolumes(volumes)).toEqual([]);
});
