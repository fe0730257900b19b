// Works on a store while the disk changes the tables of its database, in a process of its own: LevelDB may end it. One line for each thing that
// happens, before and after it: `do DEED`, `done`.
//
//   build STORE SEED          deeds in several sessions
//   work STORE SEED DEEDS     more deeds, with rot in between; DEEDS: a file with those of before, a line each
//   show STORE REWIND RESULT  what the store shows, into the file RESULT; one found whole is changed, and looked at again
//
// Exit status 3: something wrong was read.

import { closeSync, openSync, readFileSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Level } from 'level';
import { CorruptionError, FsError, StoreError } from '../../../src/errors/index.ts';
import { openStore } from '../../../src/store/index.ts';
import type { Log } from '../../../src/util/index.ts';
import { Volumes, checkVolumes } from '../../../src/volume/index.ts';
import type { Random } from '../host-file.ts';
import { DAMAGED, type Deed, KnownState, differences, perform, placeOf, randomDeed, stateOf } from '../known-states.ts';
import { ROTS, tablesOf } from '../rotten-table.ts';
import type { ShownStore } from '../rot-rounds.ts';
import { seededRandom } from '../seeded-random.ts';

const WRONG = 3;
const SESSIONS = 6;
const SESSIONS_MAX = 40;
const SESSION_DEEDS = 90;
const WORK_DEEDS = 200;
const MORE_FILES = 300;
/** What LevelDB says of a key that can't be one, at the end of a range only: so the one check may meet it and the other not. */
const UNREADABLE_KEY = 'corrupted internal key in DBIter';
/** The least that LevelDB takes: so it fills and merges tables all the time. */
const WRITE_BUFFER_BYTES = 64 * 1024;

interface Opened {
  readonly volumes: Volumes;
  readonly said: string[];
  readonly close: () => Promise<void>;
}

/** LevelDB itself with all that it does, but for the sizes that make it do so; and each block is read again when it is needed again. */
function makeLevelBusy(): void {
  const prototype = Level.prototype as unknown as { _open: (options: object) => Promise<void> };
  const open = prototype._open;
  prototype._open = function (options) {
    return open.call(this, { ...options, writeBufferSize: WRITE_BUFFER_BYTES, cacheSize: 0 });
  };
}

function say(line: string): void {
  // At once: what comes next may end the process.
  writeSync(1, `${line}\n`);
}

function isNamed(error: unknown): error is Error {
  const isOne = error instanceof CorruptionError || error instanceof FsError || error instanceof StoreError;
  return isOne && error.message.length > 20;
}

/** Whether that ended well; rethrows what is no error of ours. */
async function tolerate(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isNamed(error)) throw error;
    say(`failed ${error.message}`);
    return false;
  }
}

async function open(path: string, rewind = false): Promise<Opened> {
  const said: string[] = [];
  const log: Log = {
    info: () => undefined,
    warn: (line) => void said.push(line),
    error: (line) => void said.push(line),
  };
  const store = await openStore(path, { log, rewind });
  const closeStore = (): Promise<boolean> => tolerate(() => store.close());
  try {
    const volumes = await Volumes.open(store, { log, commitIntervalMs: 1_000_000, cacheBytes: 0 });
    const close = async (): Promise<void> => {
      await tolerate(() => volumes.close());
      await closeStore();
    };
    return { volumes, said, close };
  } catch (error) {
    await closeStore();
    throw error;
  }
}

/** Does and tells it; false where it was refused. */
function carryOut(volumes: Volumes, known: KnownState, deed: Deed): boolean {
  say(`do ${JSON.stringify(deed)}`);
  try {
    perform(volumes, deed);
    volumes.record();
  } catch (error) {
    volumes.noteDamage(error);
    const isRefusal = isNamed(error) && (!(error instanceof FsError) || error.code === 'EROFS');
    if (isRefusal) say(`failed ${error.message}`);
    else wrong(`${placeOf(deed)}: ${String(error)}`);
    return false;
  }
  known.apply(deed);
  say('done');
  return true;
}

function wrong(what: string): never {
  say(`wrong ${what}`);
  process.exit(WRONG);
}

/** Reads everything. `unsure`: what a deed that was cut short may have changed. */
function compare(volumes: Volumes, known: KnownState, unsure: string | undefined): void {
  let found: string[];
  try {
    found = differences(stateOf(volumes), known.state());
  } catch (error) {
    wrong(String(error));
  }
  const isUnsure = (path: string): boolean =>
    unsure !== undefined && (path.startsWith(`${unsure}/`) || path === unsure || path === `${unsure} too`);
  const sure = found.filter((path) => !isUnsure(path));
  if (sure.length > 0) wrong(`${sure.length} paths: ${sure.slice(0, 3).join(', ')}`);
}

/** Changes one table of the open store: the very file that LevelDB reads. */
function rot(store: string, random: Random, keysOnly: boolean): void {
  const tables = readdirSync(join(store, 'db')).filter((name) => name.endsWith('.ldb'));
  // Newer ones more often: what is in them has older states elsewhere, and is merged soon.
  const name = tables.sort()[Math.max(random(tables.length), random(tables.length))];
  const fd = name === undefined ? undefined : openIfThere(join(store, 'db', name));
  if (fd === undefined) return;
  const ways = Object.keys(ROTS);
  const way = keysOnly ? 'key' : ways[random(ways.length)]!;
  const table = readFileSync(fd);
  let what: string | undefined;
  try {
    what = ROTS[way]!(table, random);
  } catch (error) {
    // What is rotten already may not read well.
    if (!(error instanceof RangeError)) throw error;
  }
  if (what !== undefined) {
    writeSync(fd, table, 0, table.length, 0);
    say(`rot ${name}: ${what}`);
  }
  closeSync(fd);
}

/** Undefined where a merge has just replaced it. */
function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r+');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** When LevelDB merges tables is a matter of time. */
function hasLevels(store: string): boolean {
  const tables = tablesOf(join(store, 'db'));
  return tables.length > 3 && new Set(tables.map(({ level }) => level)).size > 1;
}

async function build(store: string, random: Random): Promise<void> {
  const known = new KnownState();
  for (let session = 0; session < SESSIONS || !hasLevels(store); session++) {
    if (session > SESSIONS_MAX) throw new Error('LevelDB has all in one level or in few tables, again and again');
    const { volumes, close } = await open(store);
    if (session === 3) {
      for (const deed of [
        { do: 'snapshot', volume: 'main', name: 'origin' },
        { do: 'clone', volume: 'main', name: 'origin', clone: 'other' },
      ] as const)
        if (!carryOut(volumes, known, deed)) throw new Error('a whole store takes changes');
    }
    for (let i = 0; i < SESSION_DEEDS; i++) {
      carryOut(volumes, known, randomDeed(known, random, `${session}-${i}`));
      if (random(12) === 0) await volumes.commit();
    }
    await volumes.reclaimed();
    await close();
  }
}

async function work(store: string, random: Random, deeds: string): Promise<void> {
  const known = new KnownState();
  for (const line of readFileSync(deeds, 'utf8').split('\n')) if (line !== '') known.apply(JSON.parse(line) as Deed);
  const { volumes, close } = await open(store);
  let unsure: string | undefined;
  // A key or two, which a merge takes along: nothing but the checksums of nodes and the ledger can tell afterwards. Or much of all kinds.
  const keysOnly = random(3) > 0;
  rot(store, random, keysOnly);
  for (let i = 0; i < WORK_DEEDS && unsure === undefined; i++) {
    const deed = randomDeed(known, random, `work-${i}`);
    if (!carryOut(volumes, known, deed)) unsure = placeOf(deed);
    if (random(5) === 0) await tolerate(() => volumes.commit());
    if (random(30) === 0) await tolerate(() => volumes.reclaimed());
    if (random(keysOnly ? 160 : 40) === 0) rot(store, random, keysOnly);
    if (random(60) === 0) compare(volumes, known, unsure);
  }
  compare(volumes, known, unsure);
  if (random(2) === 0) await close();
  // Else as a kill leaves it.
  process.exit(0);
}

async function show(path: string, rewind: boolean, resultFile: string): Promise<void> {
  const tell = (result: ShownStore): void => {
    writeFileSync(resultFile, JSON.stringify(result));
  };
  let opened: Opened;
  try {
    opened = await open(path, rewind);
  } catch (error) {
    if (!isNamed(error)) throw error;
    tell({ refused: error.message });
    return;
  }
  const { volumes, said, close } = opened;
  const state = stateOf(volumes);
  const damage = volumes.store.kv.damage?.message;
  const problems = damage === undefined ? await problemsOf(volumes) : [];
  const again: string[] = [];
  if (damage === undefined && problems.every(takesSpaceOnly) && ![...state.values()].includes(DAMAGED))
    again.push(...(await goOn(volumes, state)));
  tell({ state: [...state], said, damage, problems, again });
  await close();
}

async function problemsOf(volumes: Volumes): Promise<string[]> {
  const problems: string[] = [];
  try {
    problems.push(...(await checkVolumes(volumes)));
  } catch (error) {
    if (!isNamed(error)) throw error;
    problems.push(error.message);
  }
  return problems;
}

/** A record that is there again, of a node or a list that nobody refers to any more, which a check finds: nothing else can come of it. */
function takesSpaceOnly(problem: string): boolean {
  return /^node \d+ is stored, but|^dead list of version \d+: (its sums are , its records|nobody uses)/.test(problem);
}

/** Gives all snapshots and what they hold up, and writes much, to which what was freed goes. Tells what is wrong then. */
async function goOn(volumes: Volumes, before: ReadonlyMap<string, string>): Promise<string[]> {
  const isDone = await tolerate(async () => {
    for (const volume of volumes.list())
      for (const snapshot of volume.snapshots()) volumes.deleteSnapshot(volume, snapshot);
    await volumes.reclaimed();
    await volumes.commit();
    volumes.createVolume('more');
    for (let file = 0; file < MORE_FILES; file++) perform(volumes, { do: 'write', volume: 'more', file, tag: 'more' });
    await volumes.commit();
  });
  const isOfBefore = ([path]: [string, string]): boolean => !path.includes('@') && !path.startsWith('more');
  const after = new Map([...stateOf(volumes)].filter(isOfBefore));
  const found = differences(after, new Map([...before].filter(isOfBefore)));
  if (!isDone) return found;
  const problems = (await problemsOf(volumes)).filter((problem) => !takesSpaceOnly(problem));
  return [...found, ...problems.filter((problem) => !problem.includes(UNREADABLE_KEY))];
}

const [mode, store, argument, file] = process.argv.slice(2) as [string, string, string, string];
makeLevelBusy();
if (mode === 'build') await build(store, seededRandom(Number(argument)));
else if (mode === 'work') await work(store, seededRandom(Number(argument)), file);
else await show(store, argument === 'rewind', file);
