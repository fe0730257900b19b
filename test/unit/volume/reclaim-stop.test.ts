/** Closing a store does not wait for long dead lists to be read; the next opening takes up what was left. */
import { expect, test } from 'vitest';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import type { KeyValuePair, ReadView } from '../../../src/store/index.ts';
import { writeFile } from '../../../src/vfs/index.ts';
import { type Filesystem, ROOT_INO } from '../../../src/volume/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const BLOCKS = 8_000;
/** A part of a list that is read at once has 512 records; a list of these tests has 4,000. */
const PARTS_OF_A_LIST = 8;

/** Counts the parts of lists that are read, and tells of the first. */
class CountingKeyValue extends MemoryKeyValue {
  parts = 0;
  onFirstPart: () => void = () => undefined;

  override readView(): ReadView {
    const view = super.readView();
    const range = (from: Uint8Array, to: Uint8Array, limit?: number): Promise<KeyValuePair[]> => {
      if (limit === 512 && this.parts++ === 0) this.onFirstPart();
      return view.range(from, to, limit);
    };
    return { ...view, range };
  }
}

/** Closes the store while the first part of a list is read, and gives how many were read until it was closed. */
async function partsReadWhenClosed(kv: CountingKeyValue, memory: MemoryVolumes): Promise<number> {
  kv.parts = 0;
  await new Promise<void>((resolve, reject) => {
    kv.onFirstPart = () => void memory.volumes.close().then(resolve, reject);
  });
  return kv.parts;
}

function overwriteEveryOther(fs: Filesystem, ino: number, byte: number): void {
  const block = Buffer.alloc(BLOCK_BYTES, byte);
  for (let at = 0; at < BLOCKS; at += 2) writeFile(fs, ino, at * BLOCK_BYTES, block, 0, BLOCK_BYTES, false);
}

async function openWithImage(kv: CountingKeyValue): Promise<{ memory: MemoryVolumes; ino: number }> {
  const memory = await openMemoryVolumes({ kv, cacheBytes: 0 });
  const fs = memory.volumes.get('main').filesystem;
  const { ino } = new TreeOf(fs).file(ROOT_INO, 'image');
  const image = Buffer.alloc(BLOCKS * BLOCK_BYTES, 1);
  writeFile(fs, ino, 0, image, 0, image.length, false);
  return { memory, ino };
}

async function expectTheRestIsTakenUp(memory: MemoryVolumes): Promise<void> {
  const { blocks, journal, kv } = memory;
  const again = await openMemoryVolumes({ kv: kv.copy(), blocks, journal });
  expect(again.volumes.reclaiming).toBeGreaterThan(0);
  expect(await again.check()).toEqual([]);
  expect(again.volumes.reclaiming).toBe(0);
}

test('while what a deleted snapshot held is freed', async () => {
  const kv = new CountingKeyValue();
  const { memory, ino } = await openWithImage(kv);
  const { volumes } = memory;
  const main = volumes.get('main');
  const snapshot = volumes.createSnapshot(main, { name: 's' });
  overwriteEveryOther(main.filesystem, ino, 2);
  await volumes.commit();
  volumes.deleteSnapshot(main, snapshot);
  expect(await partsReadWhenClosed(kv, memory)).toBeLessThan(PARTS_OF_A_LIST / 2);
  await expectTheRestIsTakenUp(memory);
});

test('while what two clones dropped is looked for', async () => {
  const kv = new CountingKeyValue();
  const { memory, ino } = await openWithImage(kv);
  const { volumes } = memory;
  const main = volumes.get('main');
  const origin = volumes.createSnapshot(main, { name: 'origin' });
  for (const name of ['a', 'b']) overwriteEveryOther(volumes.clone(main, origin, name).filesystem, ino, 2);
  await volumes.commit();
  volumes.deleteSnapshot(main, origin);
  volumes.deleteVolume(main);
  expect(await partsReadWhenClosed(kv, memory)).toBeLessThan(PARTS_OF_A_LIST / 2);
  await expectTheRestIsTakenUp(memory);
});
