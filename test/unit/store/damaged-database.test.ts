// The reader of damaged databases against LevelDB itself: of a whole one it gives the same, of a damaged one the same or an error.

import { closeSync, cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CorruptionError, StoreError } from '../../../src/errors/index.ts';
import { openLevel } from '../../../src/store/leveldb.ts';
import { DamagedDatabase, examineDatabase } from '../../../src/store/level/index.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const KEYS = 8000;
const VALUE_BYTES = 3000;
const FROM = Uint8Array.of(1);
const TO = Uint8Array.of(255);

const temporary = await dir({ unsafeCleanup: true });
afterAll(() => temporary.cleanup());
const whole = join(temporary.path, 'whole');
const copy = join(temporary.path, 'copy');
/** By key: what LevelDB holds. */
const truth = new Map<string, string>();
const keyOf = (index: number): Buffer => Buffer.from(`key ${String(index).padStart(6, '0')}${'x'.repeat(index % 7)}`);

/** Tables on several levels that hold older values of what is in newer ones, deletions, and a log. */
beforeAll(async () => {
  const random = seededRandom(7);
  // Can't be compressed, so that a session fills more than one table.
  const noise = Buffer.from(Uint8Array.from({ length: 1 << 18 }, () => random(256)));
  for (let session = 0; session < 5; session++) {
    const kv = await openLevel(whole, { create: session === 0 });
    for (let commit = 0; commit < 12; commit++) {
      const batch = kv.newBatch();
      for (let i = 0; i < 800; i++) {
        const key = keyOf(random(KEYS));
        if (random(4) === 0) {
          batch.delete(key);
          truth.delete(key.toString());
          continue;
        }
        const at = random(noise.length - VALUE_BYTES);
        const value = noise.subarray(at, at + VALUE_BYTES);
        batch.put(key, value);
        truth.set(key.toString(), value.toString('latin1'));
      }
      await kv.write(batch, true);
    }
    await kv.close();
  }
}, 60_000);

function openCopy(): DamagedDatabase {
  const examined = examineDatabase(copy);
  // A whole one is read just as well; it has to say something for its damage.
  const damage = examined.damage.length > 0 ? examined.damage : [{ file: copy, why: 'nothing' }];
  return new DamagedDatabase(copy, { ...examined, damage });
}

async function pairsOf(
  db: DamagedDatabase,
  from: Uint8Array,
  to: Uint8Array,
  limit?: number,
): Promise<[string, string][]> {
  const pairs = await db.range(from, to, limit);
  return pairs.map(([key, value]) => [Buffer.from(key).toString(), Buffer.from(value).toString('latin1')]);
}

function expected(from: Uint8Array, to: Uint8Array): [string, string][] {
  const within = (key: string): boolean =>
    key >= Buffer.from(from).toString() && Buffer.compare(Buffer.from(key), to) < 0;
  return [...truth].filter(([key]) => within(key)).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** How many keys can't be read, for damage in the table `name`; all others must have their values. */
function errorsOf(db: DamagedDatabase, name = ''): number {
  let errors = 0;
  for (let index = 0; index < KEYS; index++) {
    try {
      const value = db.get(keyOf(index));
      const found = value === undefined ? undefined : Buffer.from(value).toString('latin1');
      expect(found).toBe(truth.get(keyOf(index).toString()));
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      expect(error.message).toContain(name);
      errors++;
    }
  }
  return errors;
}

function freshCopy(): void {
  rmSync(copy, { recursive: true, force: true });
  cpSync(whole, copy, { recursive: true });
}

/** The tables that count, the newest first: a compaction leaves old ones behind until the next opening. */
function tables(): string[] {
  const { manifest, lock } = examineDatabase(copy);
  if (lock !== undefined) closeSync(lock);
  return manifest.tables.map(({ number }) => `${String(number).padStart(6, '0')}.ldb`);
}

it('of a whole database it gives what LevelDB gives, by key and in ranges', async () => {
  freshCopy();
  expect(tables().length).toBeGreaterThan(3);
  const db = openCopy();
  expect(errorsOf(db)).toBe(0);
  expect(db.get(Buffer.from('a'))).toBeUndefined();
  expect(db.get(Buffer.from('zzz'))).toBeUndefined();
  expect(await pairsOf(db, FROM, TO)).toEqual(expected(FROM, TO));
  expect(await pairsOf(db, keyOf(700), keyOf(5900))).toEqual(expected(keyOf(700), keyOf(5900)));
  expect(await pairsOf(db, keyOf(700), TO, 25)).toEqual(expected(keyOf(700), TO).slice(0, 25));
  expect(await pairsOf(db, TO, TO)).toEqual([]);
  await db.close();
});

it('of a damaged one it gives the same or an error, and most of it', async () => {
  const random = seededRandom(11);
  const counts: number[] = [];
  for (let run = 0; run < 8; run++) {
    freshCopy();
    const name = tables()[random(tables().length)]!;
    const bytes = readFileSync(join(copy, name));
    bytes[random(bytes.length - 48)]! ^= 1 << random(8);
    writeFileSync(join(copy, name), bytes);
    const db = openCopy();
    expect(db.damage.message).toMatch(new RegExp(`${name}: .*nothing can be changed`));
    counts.push(errorsOf(db, name));
    const ranged = await pairsOf(db, FROM, TO).catch((error: unknown) => error);
    if (!(ranged instanceof CorruptionError)) expect(ranged).toEqual(expected(FROM, TO));
    await db.close();
  }
  // But for the index of a table: a few keys that lie in one block.
  expect(counts.sort((a, b) => a - b)[4]).toBeLessThan(10);
}, 60_000);

it('an older value in a deeper level never stands in for a newer one that can not be read', async () => {
  freshCopy();
  // Everything that is in the others is older.
  const gone = tables()[0]!;
  rmSync(join(copy, gone));
  const db = openCopy();
  expect(errorsOf(db, gone)).toBeGreaterThan(0);
  expect(db.damage.message).toContain('it is missing');
  await db.close();
});

it('takes no writes', async () => {
  freshCopy();
  const before = readdirSync(copy);
  const db = openCopy();
  expect(() => db.newBatch()).toThrow(StoreError);
  await expect(db.write()).rejects.toBeInstanceOf(StoreError);
  await db.close();
  expect(readdirSync(copy)).toEqual(before);
});

it('a whole database is left to LevelDB', () => {
  freshCopy();
  const { damage, lock } = examineDatabase(copy);
  expect(damage).toEqual([]);
  if (lock !== undefined) closeSync(lock);
});

it('older values of a key that can not be read do not hide the newest one, nor other keys', async () => {
  const path = join(temporary.path, 'hot');
  const noise = Buffer.from(Uint8Array.from({ length: 1 << 16 }, (_, i) => (i * i * 31 + (i >> 5)) & 255));
  const kv = await openLevel(path, { create: true });
  for (let i = 0; i < 500; i++) {
    const batch = kv.newBatch();
    batch.put(Buffer.from('hot'), Buffer.concat([Buffer.from(`${i} `), noise.subarray(i * 97, i * 97 + 3000)]));
    if (i % 100 === 0) batch.put(Buffer.from(`cold ${i}`), noise.subarray(0, 100));
    if (i % 100 === 50) batch.put(Buffer.from(`ice ${i}`), noise.subarray(0, 100));
    await kv.write(batch, false);
  }
  await kv.close();
  // Opening makes a table of the log, with all of its values.
  await (await openLevel(path)).close();
  const { manifest, lock } = examineDatabase(path);
  if (lock !== undefined) closeSync(lock);
  const table = join(path, `${String(manifest.tables[0]!.number).padStart(6, '0')}.ldb`);
  const bytes = readFileSync(table);
  expect(bytes.length).toBeGreaterThan(500_000);
  bytes[bytes.length >> 1]! ^= 4;
  writeFileSync(table, bytes);
  const examined = examineDatabase(path);
  expect(examined.damage).toHaveLength(1);
  const db = new DamagedDatabase(path, examined);
  expect(Buffer.from(db.get(Buffer.from('hot'))!).toString('latin1')).toMatch(/^499 /);
  const keys = (await db.range(FROM, TO)).map(([key]) => Buffer.from(key).toString());
  expect(keys).toHaveLength(11);
  expect(keys).toContain('ice 450');
  await db.close();
});
