import { readFileSync, statSync } from 'node:fs';
import { dir } from 'tmp-promise';
import { afterAll, describe, expect, it } from 'vitest';
import { FsError, StoreError } from '../../../src/errors/index.ts';
import type { HostSpace } from '../../../src/store/host-space.ts';
import { openJournalFile } from '../../../src/store/journal-file.ts';
import { pattern } from '../../contract/block-file.ts';
import { journalFileContract } from '../../contract/journal-file.ts';
import { MemoryJournalFile } from '../../support/memory-journal-file.ts';

const temporary = await dir({ unsafeCleanup: true });
afterAll(() => temporary.cleanup());
let count = 0;
const newPath = (): string => `${temporary.path}/journal${++count}`;

journalFileContract(
  'host',
  () => openJournalFile(newPath(), { create: true }),
  () => openJournalFile(`${temporary.path}/journal${count}`),
);
journalFileContract('memory', () => new MemoryJournalFile());

/** A host where commits may take `bytes()` more. */
const spaceOf = (bytes: () => number): HostSpace => ({
  forData: () => 0,
  forCommit: bytes,
});

describe('journal file of a host', () => {
  it('is made for its owner only, and only once', () => {
    const path = newPath();
    openJournalFile(path, { create: true }).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(() => openJournalFile(path, { create: true })).toThrow(/EEXIST/);
    expect(() => openJournalFile(newPath())).toThrow(/ENOENT/);
  });

  it('reserves room by zeros, so that what follows only overwrites', () => {
    const path = newPath();
    const file = openJournalFile(path, { create: true });
    file.write(0, pattern(100, 1), 100, 0);
    file.reserve(50_000);
    const bytes = readFileSync(path);
    expect(bytes.length).toBeGreaterThanOrEqual(50_000);
    expect(file.sizeBytes).toBe(bytes.length);
    expect(bytes.subarray(100).every((byte) => byte === 0)).toBe(true);
    file.reserve(50_000);
    expect(statSync(path).size).toBe(bytes.length);
    file.close();
  });

  it('refuses to reserve what the host has no room for, and writes what was reserved all the same', () => {
    let room = 64 * 1024 * 1024;
    const path = newPath();
    const file = openJournalFile(path, { create: true, space: spaceOf(() => room) });
    file.reserve(10_000);
    const { sizeBytes } = file;
    room = 1000;
    file.reserve(sizeBytes / 2);
    expect(() => {
      file.reserve(sizeBytes / 2 + 1);
    }).toThrow(expect.objectContaining({ code: 'ENOSPC', reason: 'host-full-for-journal' }));
    expect(statSync(path).size).toBe(sizeBytes);
    file.write(0, pattern(10_000, 1), 10_000, 0);
    file.close();
  });

  it('says that the host is full (ENOSPC of the host itself)', () => {
    // Every write to this device fails with ENOSPC.
    const file = openJournalFile('/dev/full');
    expect(() => {
      file.write(0, pattern(100, 1), 100, 0);
    }).toThrow(FsError);
    file.close();
  });

  it('never succeeds in a sync again after one failed, either way', async () => {
    // fdatasync of this device fails with EINVAL, and writes succeed.
    const file = openJournalFile('/dev/null');
    file.write(0, pattern(100, 1), 100, 0);
    const first = await file.sync().catch((error: unknown) => error);
    expect(first).toBeInstanceOf(StoreError);
    await expect(file.sync()).rejects.toBe(first);
    expect(() => {
      file.syncNow();
    }).toThrow(first);
    file.close();
  });
});
