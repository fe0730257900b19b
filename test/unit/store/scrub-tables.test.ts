// The scrub of tables against a LevelDB that is open: whatever byte of a table the disk changes is found, and nothing else is called damaged
// while tables come and go.

import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { CorruptionError } from '../../../src/errors/index.ts';
import type { KeyValue } from '../../../src/store/index.ts';
import { DiskReader } from '../../../src/store/level/disk-reader.ts';
import { scrubTables } from '../../../src/store/level/index.ts';
import { openLevel } from '../../../src/store/leveldb.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const FOOTER = 48;
const temporary = await dir({ unsafeCleanup: true });
afterAll(() => temporary.cleanup());
const path = join(temporary.path, 'db');
const random = seededRandom(5);
// Can't be compressed, so that tables come soon.
const noise = Buffer.from(Uint8Array.from({ length: 1 << 18 }, () => random(256)));
let kv: KeyValue;

/** Some MiB of new values for keys all over the database. */
async function write(mebibytes: number): Promise<void> {
  const batch = kv.newBatch();
  for (let i = 0; i < mebibytes * 256; i++) {
    const at = random(noise.length - 4096);
    batch.put(Buffer.from(`key ${random(20_000)}`), noise.subarray(at, at + 4096));
  }
  await kv.write(batch, false);
}

beforeEach(async () => {
  kv = await openLevel(path, { create: true });
  for (let i = 0; i < 16; i++) await write(2);
  await quiet();
});

afterEach(async () => {
  await kv.close();
  rmSync(path, { recursive: true });
});

const tableNames = (): string[] => readdirSync(path).filter((name) => name.endsWith('.ldb'));

/** Waits until no merge changes the tables. */
async function quiet(): Promise<void> {
  for (let before = ''; before !== tableNames().join();) {
    before = tableNames().join();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

interface Scrubbed {
  readonly files: string[];
  readonly damage: string[];
  readonly bytes: number;
}

async function scrub(): Promise<Scrubbed> {
  const files: string[] = [];
  const damage: string[] = [];
  const { totalBytes, tables } = await scrubTables(path);
  let bytes = 0;
  for await (const table of tables) {
    files.push(basename(table.file));
    if (table.why !== undefined) damage.push(`${basename(table.file)}: ${table.why}`);
    bytes += table.bytes;
  }
  expect(bytes).toBe(totalBytes);
  return { files, damage, bytes };
}

/** Turns over bits of byte `at` of a file. */
function flip(file: string, at: number, bits: number): void {
  const fd = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  byte[0]! ^= bits;
  writeSync(fd, byte, 0, 1, at);
  closeSync(fd);
}

it('reads every table of an open database, and lets others have their turn', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const { files, damage, bytes } = await scrub();
  clearInterval(timer);
  expect(damage).toEqual([]);
  expect(files.sort()).toEqual(tableNames().sort());
  expect(bytes).toBeGreaterThan(16 * 1024 * 1024);
  expect(turns).toBeGreaterThan(files.length);
});

it('finds whatever byte of a table is changed', async () => {
  const names = tableNames();
  for (let run = 0; run < 40; run++) {
    const name = names[random(names.length)]!;
    const file = join(path, name);
    const { size } = statSync(file);
    const at = run < 20 ? size - FOOTER + random(FOOTER) : random(size);
    const bits = 1 << random(8);
    flip(file, at, bits);
    expect((await scrub()).damage, `byte ${at} of ${size} of ${name}`).toEqual([expect.stringMatching(`^${name}: `)]);
    flip(file, at, bits);
  }
  expect((await scrub()).damage).toEqual([]);
}, 60_000);

it('finds a table that is cut short, and one that is missing', async () => {
  const [first, second] = tableNames() as [string, string];
  const whole = readFileSync(join(path, first));
  truncateSync(join(path, first), whole.length - 1);
  rmSync(join(path, second));
  const { damage } = await scrub();
  expect(damage.sort()).toEqual([
    `${first}: it has ${whole.length - 1} bytes instead of ${whole.length}`,
    `${second}: it is missing`,
  ]);
});

it('finds damage in the list of tables', async () => {
  const name = readFileSync(join(path, 'CURRENT'), 'latin1').trimEnd();
  flip(join(path, name), 20, 1);
  await expect(scrub()).rejects.toThrow(CorruptionError);
  await expect(scrub()).rejects.toThrow(/MANIFEST-\d+: it is damaged at byte 0; .*while it is mounted/);
});

it('calls nothing damaged in a database in which tables are written and merged', async () => {
  const seen = new Set<string>();
  const rounds = 60;
  let written = 0;
  const writing = (async () => {
    for (; written < rounds; written++) await write(2);
  })();
  let scrubs = 0;
  for (; written < rounds; scrubs++) {
    const { tables } = await scrubTables(path);
    for await (const { file, why } of tables) {
      expect(why).toBeUndefined();
      seen.add(file);
    }
  }
  await writing;
  const left = new Set(tableNames());
  // Merges went on among what was read.
  expect([...seen].some((file) => !left.has(basename(file)))).toBe(true);
  expect(scrubs).toBeGreaterThan(1);
}, 60_000);

it('a table that a merge replaced is no damage, whenever it goes', async () => {
  const { tables } = await scrubTables(path);
  const listed = tableNames();
  // All are merged away before the first is read.
  for (let i = 0; i < 40; i++) await write(2);
  await quiet();
  const left = new Set(tableNames());
  expect(listed.some((name) => !left.has(name))).toBe(true);
  for await (const { why } of tables) expect(why).toBeUndefined();
}, 60_000);

it('reads past the page cache, files of every length', async () => {
  const disk = new DiskReader();
  const file = join(temporary.path, 'file');
  for (const length of [0, 1, 4095, 4096, 4097, 1024 * 1024, 1024 * 1024 + 1, 5_000_000]) {
    writeFileSync(file, noise.subarray(0, length));
    if (length > noise.length) truncateSync(file, length);
    expect(Buffer.from(await disk.read(file)).equals(readFileSync(file)), String(length)).toBe(true);
  }
  // A filesystem that can't do that.
  const plain = '/sys/devices/system/cpu/possible';
  expect(() => openSync(plain, constants.O_DIRECT)).toThrow(/EINVAL/);
  expect(Buffer.from(await disk.read(plain)).toString()).toBe(readFileSync(plain, 'latin1'));
  await expect(disk.read(join(temporary.path, 'none'))).rejects.toThrow(/ENOENT/);
});
