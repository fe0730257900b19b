import { closeSync, ftruncateSync, openSync, readFileSync, statSync } from 'node:fs';
import { dir } from 'tmp-promise';
import { afterAll, describe, expect, it } from 'vitest';
import { FsError, StoreError } from '../../../src/errors/index.ts';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import { openDataFile } from '../../../src/store/data-file.ts';
import { blockFileContract, pattern } from '../../contract/block-file.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';

const temporary = await dir({ unsafeCleanup: true });
afterAll(() => temporary.cleanup());
let count = 0;
const newPath = (): string => `${temporary.path}/data${++count}`;

blockFileContract('data file', () => openDataFile(newPath(), { create: true }));
blockFileContract('memory', () => new MemoryBlockFile());

describe('data file', () => {
  it('is made for its owner only, and only once', () => {
    const path = newPath();
    openDataFile(path, { create: true }).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(() => openDataFile(path, { create: true })).toThrow(/EEXIST/);
    expect(() => openDataFile(newPath())).toThrow(/ENOENT/);
  });

  it('has its contents and its size again after a close', () => {
    const path = newPath();
    const first = openDataFile(path, { create: true });
    first.writeSync(pattern(BLOCK_BYTES, 1), 0, BLOCK_BYTES, BLOCK_BYTES);
    first.close();
    first.close();
    const again = openDataFile(path);
    expect(again.sizeBytes).toBe(2 * BLOCK_BYTES);
    const into = new Uint8Array(BLOCK_BYTES);
    again.readSync(into, 0, BLOCK_BYTES, BLOCK_BYTES);
    expect(Buffer.compare(into, pattern(BLOCK_BYTES, 1))).toBe(0);
    again.close();
  });

  it('answers from the page cache what was just written', () => {
    const file = openDataFile(newPath(), { create: true });
    file.writeSync(pattern(4 * BLOCK_BYTES, 2), 0, 4 * BLOCK_BYTES, 0);
    const into = new Uint8Array(4 * BLOCK_BYTES);
    expect(file.readCached(into, 0, into.length, 0)).toBe(true);
    expect(Buffer.compare(into, pattern(4 * BLOCK_BYTES, 2))).toBe(0);
    file.close();
  });

  it('addresses beyond 4 GiB', () => {
    const path = newPath();
    const file = openDataFile(path, { create: true });
    const far = 5 * 2 ** 30;
    file.writeSync(pattern(BLOCK_BYTES, 3), 0, BLOCK_BYTES, far);
    const into = new Uint8Array(BLOCK_BYTES);
    expect(file.readCached(into, 0, BLOCK_BYTES, far)).toBe(true);
    expect(Buffer.compare(into, pattern(BLOCK_BYTES, 3))).toBe(0);
    file.punch(far, BLOCK_BYTES);
    file.readSync(into, 0, BLOCK_BYTES, far);
    expect(into.every((byte) => byte === 0)).toBe(true);
    expect(file.storedBytes()).toBeLessThan(2 ** 20);
    file.close();
  });

  it('finds that the file was cut behind its back', async () => {
    const path = newPath();
    const file = openDataFile(path, { create: true });
    file.writeSync(pattern(4 * BLOCK_BYTES, 4), 0, 4 * BLOCK_BYTES, 0);
    const other = openSync(path, 'r+');
    ftruncateSync(other, 2 * BLOCK_BYTES);
    closeSync(other);
    const into = new Uint8Array(4 * BLOCK_BYTES);
    expect(() => {
      file.readSync(into, 0, into.length, 0);
    }).toThrow(/ends at 8192/);
    expect(file.readCached(into, 0, into.length, 0)).toBe(false);
    await expect(file.read(into, 0, into.length, 0)).rejects.toThrow(/ends at 8192/);
    file.close();
  });

  it('leaves the reserve of the host alone', () => {
    let room = 3 * BLOCK_BYTES;
    const space = { forData: () => room, forCommit: () => room };
    const path = newPath();
    const file = openDataFile(path, { create: true, space });
    const bytes = pattern(4 * BLOCK_BYTES, 5);
    file.writeSync(bytes, 0, 2 * BLOCK_BYTES, 0);
    room = BLOCK_BYTES;
    // The rest of what was granted, then no more.
    file.writeSync(bytes, 0, BLOCK_BYTES, 0);
    const refused = (): void => {
      file.writeSync(bytes, 0, 2 * BLOCK_BYTES, 8 * BLOCK_BYTES);
    };
    expect(refused).toThrow(FsError);
    expect(refused).toThrow(/full/);
    expect(readFileSync(path)).toHaveLength(2 * BLOCK_BYTES);
    room = 100 * BLOCK_BYTES;
    refused();
    expect(file.sizeBytes).toBe(10 * BLOCK_BYTES);
    file.close();
  });

  it('says that the host is full (ENOSPC of the host itself)', () => {
    // Every write to this device fails with ENOSPC.
    const file = openDataFile('/dev/full');
    const write = (): void => {
      file.writeSync(pattern(BLOCK_BYTES, 6), 0, BLOCK_BYTES, 0);
    };
    expect(write).toThrow(FsError);
    expect(write).toThrow(/host's filesystem is full/);
    file.close();
  });

  it('syncs what a process that was killed may have written, though this one wrote nothing', async () => {
    // fdatasync of this device fails with EINVAL: so it was called.
    const file = openDataFile('/dev/null');
    await expect(file.sync()).rejects.toThrow(StoreError);
    file.close();
  });

  it('never succeeds in a sync again after one failed', async () => {
    // fdatasync of this device fails with EINVAL, and writes succeed.
    const file = openDataFile('/dev/null');
    file.writeSync(pattern(BLOCK_BYTES, 7), 0, BLOCK_BYTES, 0);
    const first = await file.sync().catch((error: unknown) => error);
    expect(first).toBeInstanceOf(StoreError);
    await expect(file.sync()).rejects.toBe(first);
    file.close();
  });
});
