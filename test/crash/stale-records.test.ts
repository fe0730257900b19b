// An engine that brings an older state of a record back, or loses one: LevelDB does where the disk changes a key of a table that is in use, and
// each record is right by itself then. What is read is what was written or an error, and what is freed is what nobody uses.
//
// A failure prints its seed: AMBERFS_FUZZ_SEED=<seed> begins with that round. AMBERFS_FUZZ_RUNS=10000 is a longer hunt.

import { describe, expect, it } from 'vitest';
import { CorruptionError, FsError } from '../../src/errors/index.ts';
import { SPACE } from '../../src/format/index.ts';
import { readFile, unlink, writeFile } from '../../src/vfs/index.ts';
import { type Filesystem, ROOT_INO, type Volumes } from '../../src/volume/index.ts';
import type { MemoryBlockFile } from '../support/memory-block-file.ts';
import type { MemoryKeyValue } from '../support/memory-key-value.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../support/memory-volumes.ts';
import { RememberingKeyValue, bringBack } from '../support/remembering-key-value.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { TreeOf } from '../unit/vfs/tree-of.ts';

const ROUNDS = 240;
const TIME_MS = 15_000;
const STEPS = 160;
const FILES = 120;
const runs = process.env['AMBERFS_FUZZ_RUNS'];
const firstSeed = Number(process.env['AMBERFS_FUZZ_SEED'] ?? Math.floor(Math.random() * 1_000_000));

/** The text of each file by name, of each state of the store: `VOLUME` or `VOLUME@SNAPSHOT`. */
type Known = Map<string, Map<string, string>>;

interface Scene {
  readonly kv: RememberingKeyValue;
  readonly blocks: MemoryBlockFile;
  readonly known: Known;
}

function write(tree: TreeOf, name: string, text: string): void {
  const { ino } = tree.find(ROOT_INO, name) ?? tree.file(ROOT_INO, name);
  writeFile(tree.fs, ino, 0, Buffer.from(text), 0, text.length, false);
}

function contentOf(fs: Filesystem, name: string): string | undefined {
  const inode = new TreeOf(fs).find(ROOT_INO, name);
  if (inode === undefined) return undefined;
  const into = Buffer.alloc(inode.sizeBytes);
  return into.toString('latin1', 0, readFile(fs, inode.ino, 0, into.length, into, 0, 0, false));
}

/** Files that come, change and go, snapshots and clones that come and go, commits in between. */
async function build(seed: number): Promise<Scene> {
  const random = seededRandom(seed);
  const kv = new RememberingKeyValue();
  const { volumes, blocks } = await openMemoryVolumes({ kv });
  const known: Known = new Map([['main', new Map<string, string>()]]);
  const snapshots: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const volume = volumes.get(random(4) === 0 && known.has('clone') ? 'clone' : 'main');
    const files = known.get(volume.name)!;
    const tree = new TreeOf(volume.filesystem);
    for (let i = random(12); i >= 0; i--) {
      const name = `file ${random(FILES)}`;
      if (random(5) === 0 && files.delete(name)) unlink(tree.fs, ROOT_INO, Buffer.from(name));
      else {
        const text = `${step}-${i} `.repeat(1 + random(3000));
        write(tree, name, text);
        const before = files.get(name) ?? '';
        files.set(name, text + before.slice(text.length));
      }
    }
    volumes.record();
    const main = volumes.get('main');
    if (step % 7 === 3) {
      volumes.createSnapshot(main, { name: `s${step}` });
      known.set(`main@s${step}`, new Map(known.get('main')));
      snapshots.push(`s${step}`);
    }
    if (step % 13 === 12) {
      const [name] = snapshots.splice(random(snapshots.length), 1);
      volumes.deleteSnapshot(main, main.snapshot(name!));
      known.delete(`main@${name!}`);
    }
    if (step === 40) {
      volumes.clone(main, main.snapshot(snapshots.at(-1)!), 'clone');
      known.set('clone', new Map(known.get(`main@${snapshots.at(-1)!}`)));
    }
    if (random(2) === 0) await volumes.commit();
    if (random(6) === 0) await volumes.reclaimed();
  }
  await volumes.reclaimed();
  await volumes.close();
  return { kv, blocks, known };
}

function filesystemOf(volumes: Volumes, title: string): Filesystem {
  const [name, snapshot] = title.split('@');
  const volume = volumes.get(name!);
  return snapshot === undefined ? volume.filesystem : volume.snapshot(snapshot).filesystem;
}

const isNamed = (error: unknown): boolean => error instanceof CorruptionError || error instanceof FsError;

/** Reads everything; gives how much of it could not be read. Throws where something is not what was written. */
function readAll(volumes: Volumes, known: Known): number {
  let unreadable = 0;
  for (const [title, files] of known) {
    const fs = filesystemOf(volumes, title);
    for (let i = 0; i < FILES; i++) {
      const name = `file ${i}`;
      let content: string | undefined;
      try {
        content = contentOf(fs, name);
      } catch (error) {
        if (!isNamed(error)) throw error;
        unreadable++;
        continue;
      }
      if (content !== files.get(name)) throw new Error(`${title}: ${name} is not what was written`);
    }
  }
  return unreadable;
}

/** What is freed may be overwritten by what comes then: gives all snapshots and what they hold up, and writes much. */
async function churn({ volumes }: MemoryVolumes, known: Known): Promise<void> {
  const main = volumes.get('main');
  for (const title of [...known.keys()]) {
    const [, name] = title.split('@');
    if (name === undefined) continue;
    volumes.deleteSnapshot(main, main.snapshot(name));
    known.delete(title);
  }
  await volumes.reclaimed();
  await volumes.commit();
  const tree = new TreeOf(main.filesystem);
  for (let i = 0; i < FILES; i++) write(tree, `more ${i}`, 'more'.repeat(4000));
  await volumes.commit();
}

async function openOr(kv: MemoryKeyValue, blocks: MemoryBlockFile): Promise<MemoryVolumes | undefined> {
  try {
    return await openMemoryVolumes({ kv, blocks, cacheBytes: 0 });
  } catch (error) {
    if (!isNamed(error)) throw error;
    return undefined;
  }
}

async function tolerate(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isNamed(error)) throw error;
    return false;
  }
}

/** A record that is there again, of a node or a list that nobody refers to any more, which a check finds: nothing else can come of it. */
const TAKES_SPACE = /^node \d+ is stored, but|^dead list of version \d+: (its sums are , its records|nobody uses)/;

const SPACES = Object.entries(SPACE).filter(([, space]) => space !== SPACE.ledger);

describe('a record of an earlier time', () => {
  it.each(SPACES)('of the space %s is never taken for the latest', async (_, space) => {
    const endMs = performance.now() + TIME_MS / SPACES.length;
    const rounds = runs === undefined ? ROUNDS / SPACES.length : Number(runs);
    let found = 0;
    let tried = 0;
    // A slow machine gets fewer rounds, but as many as it takes to find something.
    for (let round = 0; round < rounds && (runs !== undefined || found === 0 || performance.now() < endMs);) {
      const seed = firstSeed + round;
      const { kv, blocks, known } = await build(seed);
      const random = seededRandom(seed + 1);
      const keys = kv.changedKeys(space);
      for (let i = 0; i < 8 && round < rounds && keys.length > 0; i++, round++) {
        const key = keys[random(keys.length)]!;
        const states = kv.earlierStates(key);
        const state = states[random(states.length)];
        const what = `seed ${seed}, ${Buffer.from(key).toString('hex')} ${state === undefined ? 'lost' : 'of before'}`;
        const whileOpen = random(2) === 0;
        tried++;
        try {
          if (!(await isHarmless({ kv, blocks, known: new Map(known) }, key, state, whileOpen))) found++;
        } catch (error) {
          throw new Error(`${what}${whileOpen ? ', while it was open' : ''}: ${String(error)}`, { cause: error });
        }
      }
      if (keys.length === 0) round++;
    }
    expect(tried, 'records that changed').toBeGreaterThan(0);
    // Some are of no consequence: what nobody reads any more. But not all.
    expect(found, 'found out').toBeGreaterThan(0);
  });
});

/** Whether nothing is noticed, and rightly so. Throws where something wrong is shown, or done. */
async function isHarmless(
  { kv, blocks, known }: Scene,
  key: Uint8Array,
  state: Uint8Array | undefined,
  whileOpen: boolean,
): Promise<boolean> {
  const copy = kv.copy();
  const file = blocks.copy();
  if (!whileOpen) await bringBack(copy, key, state);
  const opened = await openOr(copy, file);
  if (opened === undefined) return false;
  if (whileOpen) await bringBack(copy, key, state);
  let unreadable = readAll(opened.volumes, known);
  const isWhole = await tolerate(() => churn(opened, known));
  unreadable += readAll(opened.volumes, known);
  const isClosed = await tolerate(() => opened.volumes.close());
  const again = await openOr(copy, file);
  if (again === undefined) return false;
  unreadable += readAll(again.volumes, isWhole ? known : new Map<string, never>());
  if (unreadable > 0 || !isWhole || !isClosed) return false;
  const problems = (await again.check()).filter((problem) => !TAKES_SPACE.test(String(problem)));
  if (problems.length > 0) throw new Error(`unnoticed: ${problems.slice(0, 3).join('; ')}`);
  return true;
}
