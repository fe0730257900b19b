import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { dir } from 'tmp-promise';
import { afterAll, describe, expect, it } from 'vitest';
import { CorruptionError, FsError, StoreError } from '../../../src/errors/index.ts';
import { BLOCK_BYTES, regionKey } from '../../../src/format/index.ts';
import { Committer, initStore, openStore, type OpenStore } from '../../../src/store/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { MemoryJournalFile } from '../../support/memory-journal-file.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';

const temporary = await dir({ unsafeCleanup: true });
afterAll(() => temporary.cleanup());
let count = 0;
const newPath = (): string => `${temporary.path}/store${++count}`;
async function newStore(): Promise<string> {
  const path = newPath();
  await initStore(path);
  return path;
}

/** What was thrown: FsErrors as [code, reason], others as they are. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error instanceof FsError ? [error.code, error.reason] : error;
  }
  return 'no failure';
}

/** Allocates and writes blocks, and commits. */
async function fill(store: OpenStore, blocks: number): Promise<void> {
  const committer = new Committer(store.kv, store.blocks, [store.allocator]);
  const start = store.allocator.allocate(blocks);
  store.blocks.writeSync(new Uint8Array(blocks * BLOCK_BYTES).fill(5), 0, blocks * BLOCK_BYTES, start * BLOCK_BYTES);
  await committer.close();
}

describe('initStore', () => {
  it('makes a store that only its owner can read', async () => {
    const path = newPath();
    const format = await initStore(path);
    expect(readdirSync(path).sort()).toEqual(['data', 'db', 'format.json', 'journal']);
    const mode = (name: string): number => statSync(`${path}/${name}`).mode & 0o777;
    const files = ['data', 'format.json', 'journal'];
    expect(['.', 'db', ...files].map(mode)).toEqual([0o700, 0o700, ...files.map(() => 0o600)]);
    expect(JSON.parse(readFileSync(`${path}/format.json`, 'utf8'))).toEqual(format);
    expect(Math.abs(Date.parse(format.created) - Date.now())).toBeLessThan(60_000);
    expect(existsSync(`${path}/db/CURRENT`)).toBe(true);
  });

  it('takes an empty directory, and gives each store its own uuid', async () => {
    const path = newPath();
    mkdirSync(path, { mode: 0o755 });
    mkdirSync(`${path}/lost+found`);
    const { uuid } = await initStore(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect((await initStore(newPath())).uuid).not.toBe(uuid);
  });

  it('refuses what is no place for a store, and changes nothing there', async () => {
    const store = await newStore();
    const before = readFileSync(`${store}/format.json`, 'utf8');
    expect(await failure(initStore(store))).toEqual(['EEXIST', 'store-exists']);
    expect(readFileSync(`${store}/format.json`, 'utf8')).toBe(before);

    const other = newPath();
    mkdirSync(other);
    writeFileSync(`${other}/letter`, 'x');
    expect(await failure(initStore(other))).toEqual(['ENOTEMPTY', 'store-path-not-empty']);
    expect(readdirSync(other)).toEqual(['letter']);

    expect(await failure(initStore(`${other}/letter`))).toEqual(['ENOTDIR', 'store-path-no-directory']);
    expect(await failure(initStore(`${newPath()}/deep`))).toEqual(['ENOENT', 'store-parent-missing']);
  });

  it('recognises one that was cut short, at every point', async () => {
    const whole = await newStore();
    for (const names of [['data'], ['data', 'db'], ['data', 'db', 'format.json.new']]) {
      const path = newPath();
      mkdirSync(path);
      for (const name of names) {
        if (name === 'db') mkdirSync(`${path}/db`);
        else writeFileSync(`${path}/${name}`, name === 'data' ? '' : readFileSync(`${whole}/format.json`));
      }
      expect(await failure(initStore(path))).toEqual(['EEXIST', 'store-leftover']);
      expect(await failure(openStore(path))).toEqual(['EINVAL', 'store-unfinished']);
    }
    // All but the last step.
    rmSync(`${whole}/format.json`);
    expect(await failure(openStore(whole))).toEqual(['EINVAL', 'store-unfinished']);
  });

  it('never calls it cut short where something was stored', async () => {
    const store = async (change: (store: OpenStore) => Promise<void>): Promise<string> => {
      const path = await newStore();
      const opened = await openStore(path);
      await change(opened);
      await opened.close();
      return path;
    };
    const onlyDatabase = await store(({ kv }) => {
      const batch = kv.newBatch();
      batch.put(Uint8Array.of(1), Uint8Array.of(1));
      return kv.write(batch, true);
    });
    const onlyJournal = await newStore();
    writeFileSync(`${onlyJournal}/journal`, new Uint8Array(BLOCK_BYTES));
    for (const path of [onlyDatabase, onlyJournal, await store((opened) => fill(opened, 1))]) {
      const format = readFileSync(`${path}/format.json`);
      rmSync(`${path}/format.json`);
      for (const more of [[], ['daemon.log', 'owner.pid']]) {
        for (const name of more) writeFileSync(`${path}/${name}`, '');
        for (const attempt of [() => initStore(path), () => openStore(path)]) {
          expect(await failure(attempt())).toEqual(['EINVAL', 'store-format-missing']);
        }
      }
      writeFileSync(`${path}/format.json`, format);
      await (await openStore(path)).close();
    }
  });

  it('takes no directory of somebody else for one that was cut short', async () => {
    for (const make of [(path: string) => mkdirSync(path), (path: string) => writeFileSync(path, 'x')]) {
      const path = newPath();
      mkdirSync(path);
      make(`${path}/db`);
      expect(await failure(initStore(path))).toEqual(['ENOTEMPTY', 'store-path-not-empty']);
    }
    const path = newPath();
    mkdirSync(`${path}/data`, { recursive: true });
    expect(await failure(initStore(path))).toEqual(['ENOTEMPTY', 'store-path-not-empty']);
  });
});

describe('openStore', () => {
  it('has everything again after a close', async () => {
    const path = await newStore();
    const first = await openStore(path);
    expect(first.format).toEqual(JSON.parse(readFileSync(`${path}/format.json`, 'utf8')));
    await fill(first, 10);
    await first.close();
    const second = await openStore(path);
    expect(second.allocator.allocatedBlocks).toBe(10);
    expect(second.kv.get(regionKey(0))).toBeDefined();
    const into = new Uint8Array(BLOCK_BYTES);
    second.blocks.readSync(into, 0, BLOCK_BYTES, 9 * BLOCK_BYTES);
    expect(into.every((byte) => byte === 5)).toBe(true);
    await second.close();
  });

  it('says what a path is that is no store', async () => {
    expect(await failure(openStore(newPath()))).toEqual(['ENOENT', 'store-missing']);
    const empty = newPath();
    mkdirSync(empty);
    expect(await failure(openStore(empty))).toEqual(['EINVAL', 'not-a-store']);
    writeFileSync(`${empty}/file`, '');
    expect(await failure(openStore(empty))).toEqual(['EINVAL', 'not-a-store']);
    expect(await failure(openStore(`${empty}/file`))).toEqual(['ENOTDIR', 'store-path-no-directory']);
  });

  it('refuses a format that it does not know, and a damaged format.json', async () => {
    const path = await newStore();
    const format = JSON.parse(readFileSync(`${path}/format.json`, 'utf8')) as object;
    writeFileSync(`${path}/format.json`, JSON.stringify({ ...format, format: 4 }));
    expect(await failure(openStore(path))).toEqual(['EOPNOTSUPP', 'store-format-unsupported']);
    writeFileSync(`${path}/format.json`, '{"for');
    expect(await failure(openStore(path))).toBeInstanceOf(CorruptionError);
    writeFileSync(`${path}/format.json`, JSON.stringify(format));
    await (await openStore(path)).close();
  });

  it('says which part is missing', async () => {
    const path = await newStore();
    rmSync(`${path}/data`);
    expect(await failure(openStore(path))).toEqual(['ENOENT', 'store-data-missing']);
    writeFileSync(`${path}/data`, '');
    // What failed left nothing behind that would keep it from opening now.
    await (await openStore(path)).close();
    rmSync(`${path}/db`, { recursive: true });
    expect(await failure(openStore(path))).toEqual(['ENOENT', 'store-database-missing']);
  });

  it('refuses a data file that is too short, and opens it again when it is long enough', async () => {
    const path = await newStore();
    const store = await openStore(path);
    await fill(store, 10);
    await store.close();
    truncateSync(`${path}/data`, 10 * BLOCK_BYTES - 1);
    const error = await failure(openStore(path));
    expect(error).toBeInstanceOf(CorruptionError);
    expect((error as Error).message).toMatch(/data: the file has 40959 bytes.*40960/);
    truncateSync(`${path}/data`, 10 * BLOCK_BYTES);
    await (await openStore(path)).close();
  });

  it('opens once in a process, under any of its names', async () => {
    const path = await newStore();
    const link = newPath();
    symlinkSync(path, link);
    const store = await openStore(path);
    expect(await failure(openStore(path))).toEqual(['EBUSY', 'store-open-here']);
    expect(await failure(openStore(link))).toEqual(['EBUSY', 'store-open-here']);
    expect(readFileSync(`${path}/owner.pid`, 'utf8')).toBe(`${process.pid}\n`);
    await store.close();
    expect(existsSync(`${path}/owner.pid`)).toBe(false);
    await (await openStore(link)).close();
  });

  it('names the process that has the store, and keeps the lock against others', async () => {
    const path = await newStore();
    const holder = await holdDatabase(path);
    try {
      writeFileSync(`${path}/owner.pid`, `${String(holder.pid)}\n`);
      const error = await openStore(path).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: 'EBUSY', reason: 'store-in-use' });
      expect((error as Error).message).toContain(`process ${String(holder.pid)};`);
    } finally {
      holder.kill();
      await once(holder, 'exit');
    }
    // A pid file that was left behind does not matter.
    const store = await openStore(path);
    // The attempt to open it a second time has not let go of the lock.
    await failure(openStore(path));
    await expect(promisify(execFile)(process.execPath, ['-e', HOLD, `${path}/db`])).rejects.toThrow(/LEVEL_LOCKED/);
    await store.close();
  });

  it('takes replacements for the engine and the files', async () => {
    const path = await newStore();
    const kv = new MemoryKeyValue();
    const blocks = new MemoryBlockFile();
    const asked: string[] = [];
    const store = await openStore(path, {
      keyValue: (where) => {
        asked.push(where);
        return Promise.resolve(kv);
      },
      blockFile: (where, open) => {
        asked.push(where);
        open().close();
        return blocks;
      },
      journalFile: (where) => {
        asked.push(where);
        return new MemoryJournalFile();
      },
    });
    expect(asked).toEqual(['db', 'data', 'journal'].map((name) => `${path}/${name}`));
    await fill(store, 3);
    // A bitmap and the ledger.
    expect([kv.size, blocks.sizeBytes]).toEqual([2, 3 * BLOCK_BYTES]);
    expect(kv.get(regionKey(0))).toEqual(store.kv.get(regionKey(0)));
    await store.close();
    expect(() => kv.get(regionKey(0))).toThrow(/closed/);
  });

  it('gives space back that was freed, also what an earlier process forgot', async () => {
    const path = await newStore();
    const blocks = 20_000;
    const store = await openStore(path, { punch: { queueMax: 0 } });
    await fill(store, blocks);
    store.allocator.free(0, blocks - 1);
    const batch = store.kv.newBatch();
    store.allocator.capture(batch);
    await store.kv.write(batch, true);
    store.allocator.durable();
    await store.close();
    const stored = (): number => statSync(`${path}/data`).blocks * 512;
    expect(stored()).toBe(blocks * BLOCK_BYTES);
    const again = await openStore(path, { punch: { delayMs: 1 } });
    again.recovered();
    await expect.poll(stored).toBe(BLOCK_BYTES);
    await again.close();
  });

  it('closes after the reads that are under way, as an aborted mount leaves them', async () => {
    const store = await openStore(await newStore());
    await fill(store, 3);
    const bytes = new Uint8Array(3 * BLOCK_BYTES);
    const read = store.blocks.read(bytes, 0, bytes.length, 0);
    await store.close();
    await read;
  });

  it('reports a host that fails, not a crash', async () => {
    const path = await newStore();
    const broken = new StoreError('broken');
    const open = openStore(path, {
      blockFile: () => {
        throw broken;
      },
    });
    expect(await failure(open)).toBe(broken);
    // Everything was let go.
    await (await openStore(path)).close();
  });
});

describe('without permission', () => {
  it('says that a store is not theirs', async () => {
    const path = await newStore();
    const root = process.geteuid!() === 0;
    // Root may do anything, so it becomes another user; others take the permission away from themselves.
    chmodSync(temporary.path, root ? 0o755 : 0o500);
    if (root) process.seteuid!(65_534);
    else chmodSync(path, 0);
    try {
      expect(await failure(openStore(path))).toEqual(['EACCES', 'store-not-permitted']);
      expect(await failure(initStore(`${temporary.path}/theirs`))).toEqual(['EACCES', 'store-not-permitted']);
    } finally {
      if (root) process.seteuid!(0);
      else chmodSync(path, 0o700);
      chmodSync(temporary.path, 0o700);
    }
  });
});

/** Opens the LevelDB given as argument, says so and waits; fails with the engine's error. */
const HOLD = `
  const { Level } = require(${JSON.stringify(createRequire(import.meta.url).resolve('level'))});
  const db = new Level(process.argv[1]);
  db.open().then(
    () => { console.log('open'); setInterval(() => undefined, 1000); },
    (error) => { console.error(error.cause); process.exit(1); },
  );
`;

async function holdDatabase(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', HOLD, `${path}/db`], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
