// Bits that turn over on the disk: in the data file, in the engine's files, in the journal. What is read is what was written or an error;
// what is missing is named; nothing crashes.
//
// A failure prints its seed: AMBERFS_FUZZ_SEED=<seed> begins with that round. AMBERFS_FUZZ_RUNS=10000 is a longer hunt.

import fs from 'node:fs';
import path from 'node:path';
import tmp from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CorruptionError, FsError, StoreError } from '../../src/errors/index.ts';
import { initStore, openStore } from '../../src/store/index.ts';
import { readFile, writeFile } from '../../src/vfs/index.ts';
import {
  type Filesystem,
  ROOT_INO,
  Scrubber,
  Volumes,
  checkClosedStore,
  checkOpenVolumes,
} from '../../src/volume/index.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { TreeOf } from '../unit/vfs/tree-of.ts';

const ROUNDS = 120;
const TIME_MS = 18_000;
const runs = process.env['AMBERFS_FUZZ_RUNS'];
const firstSeed = Number(process.env['AMBERFS_FUZZ_SEED'] ?? Math.floor(Math.random() * 1_000_000));

/** What a file must hold: its name and size say it. */
function contentOf(name: string, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${name} `);
}

interface KnownFile {
  readonly name: string;
  readonly bytes: number;
}

/** How files are called that may be there or not. */
const LATE = 'after-';

/** What is in each state of the store, by `VOLUME` or `VOLUME@SNAPSHOT`. */
type Known = Map<string, readonly KnownFile[]>;

function log(lines: string[]): { info(line: string): void; warn(line: string): void; error(line: string): void } {
  return {
    info: () => undefined,
    warn: (line) => void lines.push(line),
    error: (line) => void lines.push(line),
  };
}

async function open(store: string, lines: string[]): Promise<{ volumes: Volumes; close: () => Promise<void> }> {
  const opened = await openStore(store, { log: log(lines) });
  try {
    const volumes = await Volumes.open(opened, { log: log(lines), commitIntervalMs: 1_000_000 });
    const close = async (): Promise<void> => {
      // What is damaged can't be committed; that was said before.
      await volumes.close().catch(() => undefined);
      await opened.close().catch(() => undefined);
    };
    return { volumes, close };
  } catch (error) {
    await opened.close().catch(() => undefined);
    throw error;
  }
}

/** Fills a store in several goes, so that the engine has tables and a log, and the journal has records behind the last commit. */
async function build(store: string, left: string): Promise<Known> {
  await initStore(store);
  const known: Known = new Map();
  let main: KnownFile[] = [];
  const add = (volumes: Volumes, fsOf: Filesystem, name: string, bytes: number): KnownFile => {
    const { ino } = new TreeOf(fsOf).file(ROOT_INO, name);
    writeFile(fsOf, ino, 0, contentOf(name, bytes), 0, bytes, false);
    volumes.record();
    return { name, bytes };
  };
  for (let go = 0; go < 4; go++) {
    const { volumes, close } = await open(store, []);
    const volume = volumes.get('main');
    for (let i = 0; i < 60; i++) main = [...main, add(volumes, volume.filesystem, `f${go}-${i}`, (i % 7) * 3000 + i)];
    volumes.createSnapshot(volume, { name: `s${go}` });
    known.set(`main@s${go}`, main);
    if (go === 1) {
      const clone = volumes.clone(volume, volume.snapshot('s1'), 'other');
      known.set('other', [...main, add(volumes, clone.filesystem, 'cloned', 50_000)]);
    }
    await volumes.commit();
    if (go === 3) {
      for (let i = 0; i < 40; i++) main = [...main, add(volumes, volume.filesystem, `last-${i}`, (i % 5) * 5000 + 10)];
      await volumes.flush();
      // Records that say so: what no record says to have been made durable may be what a power cut left.
      for (let i = 0; i < 5; i++) add(volumes, volume.filesystem, `${LATE}${i}`, 10);
      // As a killed process leaves it.
      fs.cpSync(store, left, { recursive: true, filter: (from) => !from.endsWith('LOCK') });
      fs.writeFileSync(path.join(left, 'db', 'LOCK'), '');
    }
    await close();
  }
  known.set('main', main);
  return known;
}

interface Rot {
  readonly file: string;
  /** In words. */
  readonly what: string;
}

/** Turns some bits of one file of the store over: every other time of the data file. */
function rot(store: string, random: (limit: number) => number): Rot {
  const files = ['data', 'journal', ...fs.readdirSync(path.join(store, 'db')).map((name) => `db/${name}`)];
  const full = files.filter((name) => !/LOG|LOCK/.test(name) && fs.statSync(path.join(store, name)).size > 0);
  const name = random(2) === 0 ? 'data' : full[random(full.length)]!;
  const fd = fs.openSync(path.join(store, name), 'r+');
  const { size } = fs.fstatSync(fd);
  const places: string[] = [];
  for (let flips = 1 + random(4); flips > 0; flips--) {
    const at = random(size);
    const byte = Buffer.alloc(1);
    fs.readSync(fd, byte, 0, 1, at);
    byte[0]! ^= 1 << random(8);
    fs.writeSync(fd, byte, 0, 1, at);
    places.push(String(at));
  }
  fs.closeSync(fd);
  return { file: name, what: `${name} (${size} bytes) at ${places.join(', ')}` };
}

const isNamed = (error: unknown): error is Error =>
  (error instanceof CorruptionError || error instanceof FsError || error instanceof StoreError) &&
  error.message.length > 10;

interface Losses {
  /** Files, or whole states, that are not there. */
  readonly missing: string[];
  /** Files that answer that they are damaged. */
  readonly damaged: string[];
}

/** Reads everything; gives what could not be read. Throws where something is not what was written. */
function readAll(volumes: Volumes, known: Known): Losses {
  const missing: string[] = [];
  const damaged: string[] = [];
  for (const [title, files] of known) {
    const [volume, snapshot] = title.split('@');
    let tree: TreeOf;
    try {
      const found = volumes.get(volume!);
      tree = new TreeOf((snapshot === undefined ? found : found.snapshot(snapshot)).filesystem);
    } catch (error) {
      if (!isNamed(error)) throw error;
      missing.push(title);
      continue;
    }
    for (const file of files) {
      const outcome = readOne(tree, file);
      if (outcome === 'missing') missing.push(`${title}:/${file.name}`);
      if (outcome === 'damaged') damaged.push(`${title}:/${file.name}`);
    }
  }
  return { missing, damaged };
}

function readOne(tree: TreeOf, { name, bytes }: KnownFile): 'right' | 'missing' | 'damaged' {
  try {
    const inode = tree.find(ROOT_INO, name);
    if (inode === undefined) return 'missing';
    const into = Buffer.alloc(Math.ceil(bytes / 4096 + 1) * 4096);
    const count = readFile(tree.fs, inode.ino, 0, into.length, into, 0, 0, true);
    if (count !== bytes || !into.subarray(0, count).equals(contentOf(name, bytes)))
      throw new Error(`${name} holds something else`);
    return 'right';
  } catch (error) {
    if (error instanceof CorruptionError) return 'damaged';
    throw error;
  }
}

describe('bits that turn over', () => {
  let directory: tmp.DirectoryResult;
  let known: Known;
  const at = (name: string): string => path.join(directory.path, name);

  beforeAll(async () => {
    directory = await tmp.dir({ prefix: 'amberfs-rot-', unsafeCleanup: true });
    known = await build(at('store'), at('killed'));
  });

  afterAll(() => directory.cleanup());

  it(
    'are never read as data, and what they take away is named',
    async () => {
      const until = Date.now() + TIME_MS;
      const found = { refused: 0, damaged: 0, named: 0, harmless: 0 };
      const rounds = runs === undefined ? ROUNDS : Number(runs);
      for (let round = 0; round < rounds && (runs !== undefined || Date.now() < until); round++) {
        const seed = firstSeed + round;
        const random = seededRandom(seed);
        fs.rmSync(at('rotten'), { recursive: true, force: true });
        fs.cpSync(at(random(2) === 0 ? 'store' : 'killed'), at('rotten'), { recursive: true });
        const { file, what } = rot(at('rotten'), random);
        found[await outcomeOf(at('rotten'), known, file, `seed ${seed}: ${what}`)]++;
      }
      expect(found.refused + found.named).toBeGreaterThan(0);
      expect(found.damaged).toBeGreaterThan(0);
    },
    runs === undefined ? 60_000 : 36_000_000,
  );
});

type Outcome = 'refused' | 'damaged' | 'named' | 'harmless';

async function outcomeOf(store: string, known: Known, file: string, what: string): Promise<Outcome> {
  const lines: string[] = [];
  let opened: Awaited<ReturnType<typeof open>>;
  try {
    opened = await open(store, lines);
  } catch (error) {
    expect(isNamed(error), `${what}: ${String(error)}`).toBe(true);
    await checkRefused(store, what);
    return 'refused';
  }
  const { volumes, close } = opened;
  try {
    const { problems } = await checkOpenVolumes(volumes, { data: true });
    const scrubber = new Scrubber(volumes, { read: () => undefined, write: () => undefined }, log(lines));
    scrubber.start(null);
    while (scrubber.state!.phase === 'running') await new Promise((resolve) => setImmediate(resolve));
    let losses: Losses;
    try {
      losses = readAll(volumes, known);
    } catch (error) {
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
    const said = [...lines, ...problems.map(({ text }) => text)];
    const { missing, damaged } = losses;
    if (missing.length > 0) expect(said, `${what}: ${missing.slice(0, 5).join(', ')} missing`).not.toEqual([]);
    if (file === 'data') {
      // Each file that can't be read, under every volume and snapshot that shows it, and no other.
      const scrubbed = scrubber.state!.damage.flatMap(({ places }) => places);
      const checked = problems
        .filter(({ text }) => text.endsWith('is damaged'))
        .map(({ text, path: where }) => `${/^\w+ (\S+):/.exec(text)?.[1]}:${where}`);
      for (const names of [scrubbed, checked]) {
        const read = [...new Set(names)].filter((name) => !name.includes(`/${LATE}`));
        expect(read.toSorted(), what).toEqual(damaged.toSorted());
      }
      if (damaged.length > 0) return 'damaged';
    }
    return said.length > 0 ? 'named' : 'harmless';
  } catch (error) {
    if (error instanceof Error && error.message.includes(what)) throw error;
    throw new Error(`${what}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`, { cause: error });
  } finally {
    await close();
  }
}

/** A store that can't be opened can be checked as far as its parts can be read. */
async function checkRefused(store: string, what: string): Promise<void> {
  try {
    const opened = await openStore(store);
    try {
      await checkClosedStore(opened, { data: true });
    } finally {
      await opened.close();
    }
  } catch (error) {
    expect(isNamed(error), `${what}, checked: ${error instanceof Error ? (error.stack ?? '') : String(error)}`).toBe(
      true,
    );
  }
}
