import { dir } from 'tmp-promise';
import { afterAll, describe, expect, it } from 'vitest';
import { CorruptionError, FsError, StoreError } from '../../../src/errors/index.ts';
import { SPACE, spaceKey } from '../../../src/format/index.ts';
import type { HostSpace } from '../../../src/store/host-space.ts';
import { type KeyValue, openLedger } from '../../../src/store/index.ts';
import { DatabaseLockedError, openLevel } from '../../../src/store/leveldb.ts';
import { keyValueContract } from '../../contract/kv.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { readdirSync, writeFileSync, readFileSync } from 'node:fs';

const temporary = await dir({ unsafeCleanup: true });
afterAll(() => temporary.cleanup());
let count = 0;
const newPath = (): string => `${temporary.path}/db${++count}`;

keyValueContract(
  'LevelDB',
  () => openLevel(newPath(), { create: true }),
  () => openLevel(`${temporary.path}/db${count}`),
);
keyValueContract('memory', () => Promise.resolve(new MemoryKeyValue()));

const openWithLedger = (kv: KeyValue): Promise<KeyValue> => openLedger(kv, { database: 'db' });
keyValueContract(
  'LevelDB with a ledger',
  async () => openWithLedger(await openLevel(newPath(), { create: true })),
  async () => openWithLedger(await openLevel(`${temporary.path}/db${count}`)),
  spaceKey(SPACE.ledger),
);

describe('LevelDB', () => {
  it('is refused where there is none, and where there is one to be made', async () => {
    const path = newPath();
    await expect(openLevel(path)).rejects.toThrow(StoreError);
    await (await openLevel(path, { create: true })).close();
    await expect(openLevel(path, { create: true })).rejects.toThrow(StoreError);
  });

  it('says when it is locked', async () => {
    const path = newPath();
    const kv = await openLevel(path, { create: true });
    await expect(openLevel(path)).rejects.toThrow(DatabaseLockedError);
    await kv.close();
  });

  it('refuses a batch of another engine', async () => {
    const first = await openLevel(newPath(), { create: true });
    const second = await openLevel(newPath(), { create: true });
    const batch = first.newBatch();
    batch.put(Uint8Array.of(1), Uint8Array.of(1));
    await expect(second.write(batch, true)).rejects.toThrow(/engine that made it/);
    await first.close();
    await second.close();
  });

  it('fails with a StoreError once it is closed', async () => {
    const kv = await openLevel(newPath(), { create: true });
    await kv.close();
    expect(() => kv.get(Uint8Array.of(1))).toThrow(StoreError);
    await expect(kv.range(Uint8Array.of(1), Uint8Array.of(2))).rejects.toThrow(StoreError);
  });

  it('says ENOSPC before it writes, and takes the same batch later', async () => {
    let room = 0;
    const space: HostSpace = { forData: () => room, forCommit: () => room };
    const kv = await openLevel(newPath(), { create: true, space });
    const batch = kv.newBatch();
    batch.put(Uint8Array.of(1), Uint8Array.of(42));
    const refused = await kv.write(batch, true).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(FsError);
    expect((refused as FsError).reason).toBe('host-full-for-commit');
    expect(kv.get(Uint8Array.of(1))).toBeUndefined();
    room = 2 ** 30;
    await kv.write(batch, true);
    expect(kv.get(Uint8Array.of(1))![0]).toBe(42);
    await kv.close();
  });

  it('names damage that it finds', async () => {
    const path = newPath();
    const kv = await openLevel(path, { create: true });
    await kv.close();
    const manifest = `${path}/${readdirSync(path).find((name) => name.startsWith('MANIFEST'))!}`;
    const bytes = readFileSync(manifest);
    bytes.fill(0xff, 4, 20);
    writeFileSync(manifest, bytes);
    await expect(openLevel(path)).rejects.toThrow(CorruptionError);
  });
});

it('maps no table into memory: a page that the disk can not read would end the process', async () => {
  const { path, cleanup } = await dir({ unsafeCleanup: true });
  try {
    for (let session = 0; session < 2; session++) {
      const kv = await openLevel(`${path}/db`, { create: session === 0 });
      const batch = kv.newBatch();
      for (let i = 0; i < 100; i++) batch.put(Buffer.from(`key ${i}`), Buffer.alloc(1000, i));
      await kv.write(batch, true);
      await kv.close();
    }
    const kv = await openLevel(`${path}/db`);
    expect(kv.get(Buffer.from('key 7'))).toEqual(Buffer.alloc(1000, 7));
    expect(readdirSync(`${path}/db`).join()).toContain('.ldb');
    expect(readFileSync('/proc/self/maps', 'latin1')).not.toContain('.ldb');
    await kv.close();
  } finally {
    await cleanup();
  }
});
