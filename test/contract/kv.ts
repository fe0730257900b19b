// What every KeyValue has to do. Run by each implementation's test file with its own factory.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyValue, KeyValuePair } from '../../src/store/index.ts';
import { equalBytes } from '../../src/util/index.ts';

const key = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const plain = (pairs: [Uint8Array, Uint8Array][]): number[][][] => pairs.map(([k, v]) => [[...k], [...v]]);
const got = (value: Uint8Array | undefined): number[] | undefined => (value === undefined ? undefined : [...value]);

/**
 * Defines the suite. `open` gives an empty engine; `reopen`, where it stores anything, the same one after a close; `own` is the key of a record
 * that the engine writes of itself with the others.
 */
export function keyValueContract(
  name: string,
  open: () => Promise<KeyValue>,
  reopen?: () => Promise<KeyValue>,
  own?: Uint8Array,
): void {
  const others = (pairs: KeyValuePair[]): KeyValuePair[] =>
    own === undefined ? pairs : pairs.filter(([k]) => !equalBytes(k, own));

  describe(`KeyValue contract: ${name}`, () => {
    let kv: KeyValue;
    beforeEach(async () => {
      kv = await open();
    });
    afterEach(() => kv.close());

    const fill = async (...keys: number[]): Promise<void> => {
      const batch = kv.newBatch();
      for (const k of keys) batch.put(key(k), key(k, 100));
      await kv.write(batch, false);
    };

    it('gives undefined for what was never put', () => {
      expect(kv.get(key(1))).toBeUndefined();
    });

    it('gives what was put, an empty value too', async () => {
      const batch = kv.newBatch();
      batch.put(key(1, 0, 255), key(7, 0, 255));
      batch.put(key(2), key());
      await kv.write(batch, true);
      expect(got(kv.get(key(1, 0, 255)))).toEqual([7, 0, 255]);
      expect(got(kv.get(key(2)))).toEqual([]);
      expect(kv.get(key(1))).toBeUndefined();
    });

    it('lets later operations of a batch win', async () => {
      await fill(1, 2);
      const batch = kv.newBatch();
      batch.put(key(1), key(1));
      batch.delete(key(1));
      batch.delete(key(2));
      batch.put(key(2), key(2));
      await kv.write(batch, true);
      expect(kv.get(key(1))).toBeUndefined();
      expect(got(kv.get(key(2)))).toEqual([2]);
    });

    it('copies keys and values at put and delete', async () => {
      await fill(9);
      const batch = kv.newBatch();
      const k = key(1);
      const v = key(10, 11);
      batch.put(k, v);
      v.fill(99);
      k[0] = 9;
      batch.delete(k);
      k[0] = 1;
      await kv.write(batch, true);
      expect(got(kv.get(key(1)))).toEqual([10, 11]);
      expect(kv.get(key(9))).toBeUndefined();
    });

    it('takes parts of larger buffers', async () => {
      const large = key(1, 2, 3, 4, 5, 6);
      const batch = kv.newBatch();
      batch.put(large.subarray(1, 3), large.subarray(3, 5));
      await kv.write(batch, true);
      expect(got(kv.get(large.subarray(1, 3)))).toEqual([4, 5]);
    });

    it('counts operations and bytes', () => {
      const batch = kv.newBatch();
      expect([batch.operations, batch.bytes]).toEqual([0, 0]);
      batch.put(key(1, 2), key(1, 2, 3));
      batch.delete(key(1));
      expect([batch.operations, batch.bytes]).toEqual([2, 6]);
    });

    it('shows nothing of a batch before it is written', async () => {
      const batch = kv.newBatch();
      batch.put(key(1), key(1));
      expect(kv.get(key(1))).toBeUndefined();
      await kv.write(batch, false);
      expect(got(kv.get(key(1)))).toEqual([1]);
    });

    it('accepts an empty batch', async () => {
      await kv.write(kv.newBatch(), true);
    });

    it('ranges from inclusive to exclusive, ascending by bytes', async () => {
      const batch = kv.newBatch();
      for (const k of [key(2), key(1, 255), key(255), key(1), key(1, 0), key(128)]) batch.put(k, k);
      await kv.write(batch, true);
      const keys = async (from: Uint8Array, to: Uint8Array): Promise<number[][]> =>
        others(await kv.range(from, to)).map(([k]) => [...k]);
      expect(await keys(key(0), key(255, 255))).toEqual([[1], [1, 0], [1, 255], [2], [128], [255]]);
      expect(await keys(key(1, 0), key(2))).toEqual([
        [1, 0],
        [1, 255],
      ]);
      expect(await keys(key(2), key(2))).toEqual([]);
      expect(await keys(key(3), key(2))).toEqual([]);
    });

    it('gives the first pairs of a range where there is a limit', async () => {
      await fill(5, 3, 1, 4, 2);
      expect(plain(await kv.range(key(2), key(9), 2))).toEqual([
        [[2], [2, 100]],
        [[3], [3, 100]],
      ]);
      expect(await kv.range(key(2), key(9), 100)).toHaveLength(4);
    });

    it('gives values that stay as they are', async () => {
      await fill(1);
      const first = kv.get(key(1))!;
      first.fill(0);
      expect(got(kv.get(key(1)))).toEqual([1, 100]);
    });

    it('keeps a read view as it was', async () => {
      await fill(1, 2);
      const view = kv.readView();
      const batch = kv.newBatch();
      batch.put(key(1), key(50));
      batch.delete(key(2));
      batch.put(key(3), key(3));
      await kv.write(batch, true);
      expect(got(view.get(key(1)))).toEqual([1, 100]);
      expect(got(view.get(key(2)))).toEqual([2, 100]);
      expect(view.get(key(3))).toBeUndefined();
      expect(plain(await view.range(key(0), key(9)))).toEqual([
        [[1], [1, 100]],
        [[2], [2, 100]],
      ]);
      expect(await view.range(key(0), key(9), 1)).toHaveLength(1);
      expect(got(kv.get(key(1)))).toEqual([50]);
      await view.close();
    });

    it('holds large batches of large values', async () => {
      const batch = kv.newBatch();
      const value = new Uint8Array(4096);
      for (let i = 0; i < 1000; i++) {
        value.fill(i);
        batch.put(key(i >> 8, i), value);
      }
      await kv.write(batch, true);
      for (const i of [0, 255, 256, 999]) expect(kv.get(key(i >> 8, i))![4095]).toBe(i & 255);
      expect(others(await kv.range(key(0), key(255)))).toHaveLength(1000);
    });

    if (reopen === undefined) return;
    it('has everything again after a close', async () => {
      await fill(1, 2, 3);
      await kv.close();
      kv = await reopen();
      expect(plain(await kv.range(key(0), key(9)))).toHaveLength(3);
      expect(got(kv.get(key(2)))).toEqual([2, 100]);
    });
  });
}
