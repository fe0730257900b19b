// Dead lists that change while they are read, moved or stored: nothing is lost of them, and nothing is taken for damage.

import { expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import { writeFile } from '../../../src/vfs/index.ts';
import { type Filesystem, ROOT_INO } from '../../../src/volume/index.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';
import { SlowKeyValue } from '../../support/slow-key-value.ts';
import { TreeOf } from '../vfs/tree-of.ts';

function overwrite(fs: Filesystem, ino: number, block: number, count: number, byte: number): void {
  const length = count * BLOCK_BYTES;
  writeFile(fs, ino, block * BLOCK_BYTES, Buffer.alloc(length, byte), 0, length, false);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('a clone drops more in order while what it shares with another is hoisted', async () => {
  const memory = await openMemoryVolumes({ cacheBytes: 0 });
  const { volumes } = memory;
  const main = volumes.get('main');
  const { ino } = new TreeOf(main.filesystem).file(ROOT_INO, 'image');
  for (let i = 0; i < 40; i++) overwrite(main.filesystem, ino, i * 100, 100, 1);
  const origin = volumes.createSnapshot(main, { name: 'origin' });
  const [hereAndThere, inOrder] = ['a', 'b'].map((name) => volumes.clone(main, origin, name).filesystem);
  for (let block = 0; block < 2400; block += 2) overwrite(hereAndThere!, ino, block, 1, 2);
  for (let block = 0; block < 1500; block += 50) overwrite(inOrder!, ino, block, 50, 2);
  await volumes.commit();
  volumes.deleteSnapshot(main, origin);
  volumes.deleteVolume(main);
  const progress = { isDone: false };
  const done = volumes.reclaimed().finally(() => (progress.isDone = true));
  let block = 1500;
  for (let turn = 0; !progress.isDone && block < 3900; turn++) {
    if (turn > 0) overwrite(inOrder!, ino, block++, 1, 2);
    await nextTurn();
  }
  await done;
  expect(block).toBeGreaterThan(1500);
  expect(await memory.check()).toEqual([]);
  volumes.deleteVolume(volumes.get('a'));
  expect(await memory.check()).toEqual([]);
});

it('lists change hands and are let go of while a commit is under way', async () => {
  const kv = new SlowKeyValue();
  const memory = await openMemoryVolumes({ kv });
  const { volumes } = memory;
  const main = volumes.get('main');
  const fs = main.filesystem;
  const tree = new TreeOf(fs);
  const [{ ino: large }, { ino: small }] = [tree.file(ROOT_INO, 'large'), tree.file(ROOT_INO, 'small')];
  overwrite(fs, large, 0, 8, 1);
  overwrite(fs, small, 0, 1, 1);
  volumes.createSnapshot(main, { name: 'base' });
  overwrite(fs, large, 0, 8, 2);
  const last = volumes.createSnapshot(main, { name: 'last' });
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  kv.beforeWrite = () => gate;
  const slow = volumes.commit();
  for (let i = 0; i < 5; i++) await nextTurn();
  volumes.deleteSnapshot(main, last);
  for (let i = 0; i < 20; i++) await nextTurn();
  overwrite(fs, small, 0, 1, 3);
  overwrite(fs, large, 4, 2, 3);
  volumes.createSnapshot(main, { name: 'next' });
  open();
  await slow;
  await volumes.commit();
  expect(volumes.failure).toBeUndefined();
  expect(await memory.check()).toEqual([]);
});
