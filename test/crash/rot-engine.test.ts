// Each kind of file of a store, damaged in each way that a disk damages it: the store is refused with the file's name, or it shows what it
// held, or the error of what is damaged. Never other bytes, never a name too few or too many; an earlier state only where that is told.
//
// A failure prints its seed: AMBERFS_FUZZ_SEED=<seed> begins there. AMBERFS_FUZZ_RUNS=10000 is a longer hunt.

import { cpSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CorruptionError, FsError, StoreError } from '../../src/errors/index.ts';
import { JournalRecordWriter } from '../../src/format/index.ts';
import { Journal, initStore, openStore } from '../../src/store/index.ts';
import type { Log } from '../../src/util/index.ts';
import { Listing, setXattrValue, unlink, writeFile } from '../../src/vfs/index.ts';
import {
  type Filesystem,
  ROOT_INO,
  Volumes,
  checkVolumes,
  createInode,
  eachXattr,
  findInode,
  getXattr,
  readData,
} from '../../src/volume/index.ts';
import type { Random } from '../support/host-file.ts';
import { DAMAGED, orDamaged } from '../support/known-states.ts';
import { MemoryJournalFile } from '../support/memory-journal-file.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { TreeOf } from '../unit/vfs/tree-of.ts';

const RUNS = Number(process.env['AMBERFS_FUZZ_RUNS'] || 200);
const FIRST_SEED = Number(process.env['AMBERFS_FUZZ_SEED'] || Math.floor(Math.random() * 1_000_000));
const SECTOR = 512;
const S_IFDIR = 0o040000;

/** By path, with the volume and the snapshot in front: what is there, or DAMAGED where that can't be told. */
type State = Map<string, string>;

interface Image {
  readonly path: string;
  /** The state after each operation, and which of them were known to be durable when the last one came. */
  readonly states: readonly State[];
  readonly durable: number;
  readonly isClosed: boolean;
}

interface Opened {
  readonly volumes: Volumes;
  readonly said: string[];
  readonly close: () => Promise<void>;
}

async function open(path: string, rewind = false): Promise<Opened> {
  const said: string[] = [];
  const log: Log = {
    info: () => undefined,
    warn: (line) => void said.push(line),
    error: (line) => void said.push(line),
  };
  const store = await openStore(path, { log, rewind });
  try {
    const volumes = await Volumes.open(store, { log, commitIntervalMs: 1_000_000, cacheBytes: 0 });
    const close = async (): Promise<void> => {
      // What is damaged can't be committed.
      await volumes.close().catch(() => undefined);
      await store.close();
    };
    return { volumes, said, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function stateOf(volumes: Volumes): State {
  const state: State = new Map();
  for (const volume of volumes.list()) {
    walk(volume.filesystem, volume.name, ROOT_INO, state);
    for (const { label, filesystem } of volume.snapshots())
      walk(filesystem, `${volume.name}@${label.name}`, ROOT_INO, state);
  }
  return state;
}

function walk(fs: Filesystem, path: string, ino: number, state: State): void {
  const inode = createInode();
  const children: [string, number][] = [];
  const text = orDamaged(() => {
    if (!findInode(fs, ino, inode)) throw new CorruptionError(path, 'has no inode');
    const attributes: string[] = [];
    eachXattr(fs, ino, (bytes, from, to) => {
      const name = Buffer.from(bytes.subarray(from, to));
      attributes.push(`${name.toString()}=${Buffer.from(getXattr(fs, ino, name)!).toString('base64')}`);
    });
    const what = `${inode.mode} ${inode.nlink} ${inode.sizeBytes} ${attributes.sort().join()}`;
    if ((inode.mode & 0o170000) === S_IFDIR) {
      const listing = new Listing();
      listing.start(fs, inode, 2, false);
      while (listing.next()) {
        const name = Buffer.from(listing.bytes.subarray(listing.nameStart, listing.nameEnd)).toString('latin1');
        children.push([name, listing.ino]);
      }
      return what;
    }
    const into = Buffer.alloc(Math.ceil((inode.sizeBytes + 1) / 4096) * 4096);
    // Waits for the disk: what the page cache happens to hold must not matter.
    const count = readData(fs, inode, 0, inode.sizeBytes + 1, into, 0, true);
    return `${what} ${into.subarray(0, count).toString('base64')}`;
  });
  state.set(path, text);
  for (const [name, child] of children) walk(fs, `${path}/${name}`, child, state);
}

/** What `found` shows otherwise than `expected`, but for what it calls damaged. */
function differences(found: State, expected: State): string[] {
  const damaged = [...found].filter(([, text]) => text === DAMAGED).map(([path]) => path);
  const isBelow = (path: string): boolean => damaged.some((one) => path === one || path.startsWith(`${one}/`));
  return [
    ...[...expected].filter(([path, text]) => found.get(path) !== text && !isBelow(path)).map(([path]) => path),
    ...[...found.keys()].filter((path) => !expected.has(path)).map((path) => `${path} too`),
  ];
}

/** Several sessions: tables, a log with commits, and in `killed` a journal with operations behind the last of them. */
async function build(closed: string, killed: string): Promise<Image[]> {
  await initStore(closed);
  const states: State[] = [];
  let [durable, killedStates] = [0, 0];
  for (let session = 0; session < 4; session++) {
    const { volumes, close } = await open(closed);
    const main = volumes.get('main');
    const done = (): void => {
      volumes.record();
      states.push(stateOf(volumes));
    };
    const write = (fs: Filesystem, name: string, bytes: number): void => {
      const { ino } = new TreeOf(fs).file(ROOT_INO, name);
      writeFile(fs, ino, 0, Buffer.alloc(bytes, `${name} `), 0, bytes, false);
      if (bytes % 2 === 1) setXattrValue(fs, ino, Buffer.from('user.kept'), Buffer.from(name), 0, false);
      done();
    };
    for (let i = 0; i < 12; i++) {
      write(main.filesystem, `file-${session}-${i}`, (i % 6) * 7001);
      if (i % 4 === 3) await volumes.commit();
    }
    unlink(main.filesystem, ROOT_INO, Buffer.from(`file-${session}-1`));
    volumes.createSnapshot(main, { name: `snapshot-${session}` });
    done();
    if (session === 1) {
      volumes.clone(main, main.snapshot('snapshot-1'), 'clone');
      done();
      write(volumes.get('clone').filesystem, 'cloned', 30_001);
    }
    await volumes.commit();
    if (session === 3) {
      for (let i = 0; i < 8; i++) write(main.filesystem, `journalled-${i}`, 1 + i * 5000);
      await volumes.flush();
      durable = states.length - 1;
      // The records that follow say that all before them is durable.
      for (let i = 0; i < 4; i++) write(main.filesystem, `last-${i}`, 10);
      cpSync(closed, killed, { recursive: true });
      killedStates = states.length;
    }
    await close();
  }
  return [
    { path: closed, states, durable: states.length - 1, isClosed: true },
    { path: killed, states: states.slice(0, killedStates), durable, isClosed: false },
  ];
}

const DAMAGES: Record<string, (bytes: Buffer, random: Random) => Buffer> = {
  flip: (bytes, random) => {
    for (let flips = 1 + random(3); flips > 0; flips--) bytes[random(bytes.length)]! ^= 1 << random(8);
    return bytes;
  },
  zero: (bytes, random) => {
    const at = SECTOR * random(Math.ceil(bytes.length / SECTOR));
    return bytes.fill(0, at, Math.min(at + SECTOR, bytes.length));
  },
  swap: (bytes, random) => {
    const count = Math.floor(bytes.length / SECTOR);
    if (count < 2) return bytes;
    const [one, other] = [SECTOR * random(count), SECTOR * random(count)];
    const kept = Buffer.from(bytes.subarray(one, one + SECTOR));
    bytes.copyWithin(one, other, other + SECTOR);
    kept.copy(bytes, other);
    return bytes;
  },
  cut: (bytes, random) => bytes.subarray(0, bytes.length - 1 - random(Math.min(bytes.length, 3 * SECTOR))),
};

const KINDS: Record<string, RegExp> = {
  data: /^data$/,
  table: /^db\/.*\.ldb$/,
  log: /^db\/.*\.log$/,
  MANIFEST: /^db\/MANIFEST/,
  CURRENT: /^db\/CURRENT$/,
  journal: /^journal$/,
  'format.json': /^format\.json$/,
};

const temporary = await dir({ unsafeCleanup: true });
let images: Image[];
const counts = new Map<string, Record<string, number>>();

beforeAll(async () => {
  images = await build(join(temporary.path, 'closed'), join(temporary.path, 'killed'));
});
afterAll(async () => {
  await temporary.cleanup();
  if (process.env['AMBERFS_FUZZ_RUNS'] !== undefined) console.table(Object.fromEntries(counts));
});

it('damage to any file of a store is never shown as what it held', { timeout: 60_000 + RUNS * 500 }, async () => {
  for (let run = 0; run < RUNS; run++) await examine(FIRST_SEED + run);
  if (RUNS >= 100) expect([...counts.keys()].sort()).toEqual(Object.keys(KINDS).sort());
});

it('records of the journal say that the commit before them was durable, should the database have lost it', () => {
  const file = new MemoryJournalFile();
  const journal = new Journal(file);
  journal.begin();
  const append = (): void => {
    const writer = new JournalRecordWriter();
    writer.structure('{}');
    journal.append(writer);
  };
  append();
  append();
  journal.turn();
  journal.release();
  append();
  expect(new Journal(file).remains(2)).toMatchObject({ records: [{ sequence: 3 }], lost: 0 });
  // The file that held what the commit holds is in use again.
  journal.turn();
  journal.release();
  append();
  expect(new Journal(file).remains(0)).toMatchObject({ records: [], lost: 3 });
});

async function examine(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const image = images[random(2)]!;
  const kinds = Object.keys(KINDS);
  const kind = kinds[seed % kinds.length]!;
  const names = [...readdirSync(image.path), ...readdirSync(join(image.path, 'db')).map((name) => `db/${name}`)];
  const files = names.filter((name) => KINDS[kind]!.test(name) && statSync(join(image.path, name)).size > 0);
  const file = files[random(files.length)];
  const ways = Object.keys(DAMAGES);
  const way = ways[random(ways.length)]!;
  if (file === undefined) return;
  const path = join(temporary.path, 'rotten');
  rmSync(path, { recursive: true, force: true });
  cpSync(image.path, path, { recursive: true });
  const whole = readFileSync(join(path, file));
  const damaged = DAMAGES[way]!(Buffer.from(whole), random);
  writeFileSync(join(path, file), damaged);
  const rewind = random(2) === 0;
  const story = `seed ${seed}: ${way} of ${file}, ${image.isClosed ? 'closed' : 'killed'}${rewind ? ', rewound' : ''}`;
  // A log that just ends earlier, in zeros or not, looks like one to which less was written: nothing in a closed store says otherwise.
  const isUntold = kind === 'log' && image.isClosed && endsEarlier(whole, damaged);
  const outcome = await outcomeOf(path, image, story, rewind, isUntold).catch((error: unknown) => {
    throw new Error(`${story}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`, { cause: error });
  });
  const count = counts.get(kind) ?? {};
  counts.set(kind, { ...count, [outcome]: (count[outcome] ?? 0) + 1 });
}

/** Whether nothing but zeros follows what is as it was. */
function endsEarlier(whole: Buffer, damaged: Buffer): boolean {
  const same = damaged.findIndex((byte, at) => byte !== whole[at]);
  return same < 0 || damaged.subarray(same).every((byte) => byte === 0);
}

async function outcomeOf(
  path: string,
  image: Image,
  story: string,
  rewind: boolean,
  isUntold: boolean,
): Promise<string> {
  let opened: Opened;
  try {
    opened = await open(path, rewind);
  } catch (error) {
    const isNamed = error instanceof CorruptionError || error instanceof FsError || error instanceof StoreError;
    if (!isNamed) throw error;
    expect(error.message.length).toBeGreaterThan(20);
    return 'refused';
  }
  try {
    const found = stateOf(opened.volumes);
    let at = image.states.length - 1;
    while (at >= 0 && differences(found, image.states[at]!).length > 0) at--;
    expect(at, `${story} shows ${differences(found, image.states.at(-1)!).slice(0, 5).join()}`).toBeGreaterThan(-1);
    if (at < image.durable && !isUntold)
      expect(opened.said.join(), `${story} shows state ${at}`).toMatch(/lost|not shown|state of before/);
    if (![...found.values()].includes(DAMAGED)) return at === image.states.length - 1 ? 'unaffected' : 'earlier';
    if (opened.volumes.failure === undefined) expect(await checkVolumes(opened.volumes), story).not.toEqual([]);
    return 'EIO';
  } finally {
    await opened.close();
  }
}
