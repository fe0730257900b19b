// The full check of a store: all invariants of design section 5, in the state of one commit. The store goes on meanwhile: the engine keeps
// the records of that state for as long as the check looks at it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { CorruptionError, StoreError } from '../errors/index.ts';
import { SPACE, decodeVolume, nameOfVolumeKey, recordSum, spaceKey } from '../format/index.ts';
import { LEDGER_SPACES, LedgerTally, type OpenStore, type Reads } from '../store/index.ts';
import {
  type ForestFix,
  Pace,
  StoredForest,
  type Version,
  checkForest,
  checkRecord,
  eachStored,
} from '../tree/index.ts';
import { AssertionError, systemClock } from '../util/index.ts';
import { CheckedData, type Extent, isCurrentExtent } from './check-data.ts';
import { type FileFix, checkFilesystem } from './check-filesystem.ts';
import { findPath } from './check-path.ts';
import { Filesystem, type FilesystemContext } from './filesystem.ts';
import { Recorder } from './recorder.ts';
import type { Volumes } from './volumes.ts';

export interface CheckOptions {
  /** Also reads all file contents and compares their checksums. */
  readonly data?: boolean;
  /** Lets others have their turn; rejects where the check is to end. */
  readonly breathe?: () => Promise<void>;
  /** Is told, after the problem itself, of what would put it right. */
  readonly fix?: (fix: Fix) => void;
  /** Called now and then: what is being done, and how much of it is done (0 to 1). */
  readonly progress?: (doing: string, done: number) => void;
}

/** What would put something right; of files: in which live volume. */
export type Fix = ForestFix | (FileFix & { readonly volume: string });

export interface Problem {
  /** In words, one line. */
  readonly text: string;
  /** A path of the file that it is about, from the volume's root, which is "/"; a character for each byte. Undefined where none is known. */
  readonly path: string | undefined;
}

/** What a check looked at, and what it found. */
export interface CheckReport {
  /** Empty where nothing is wrong. */
  readonly problems: Problem[];
  /** Records of the engine. */
  readonly records: number;
  /** Heads and snapshots. */
  readonly versions: number;
  readonly nodes: number;
  readonly blocks: number;
  /** Over all versions. */
  readonly inodes: number;
  /** Blocks whose contents were compared. */
  readonly comparedBlocks: number;
  /** Deleted versions that wait to be freed: space that nobody refers to was not looked for because of them. */
  readonly pending: number;
}

/** More problems than that are not listed one by one. */
const PROBLEMS_MAX = 10_000;
/** Of one version: for more files than that no path is looked for. */
const PATHS_MAX = 1000;
/** Names of what looks the same that are listed. */
const TITLES_MAX = 8;

/**
 * The full check of open volumes that lie still: waits until everything is committed and reclaimed, reads everything, changes nothing. Gives
 * what is wrong, one line each.
 */
export async function checkVolumes(volumes: Volumes): Promise<string[]> {
  await volumes.commit();
  await volumes.reclaimed();
  await volumes.commit();
  const { problems } = await checkLive(volumes, { data: true }, true);
  return problems.map(({ text }) => text);
}

/** The check of open volumes that may be at work: of what the commit at its beginning holds. Changes nothing. */
export async function checkOpenVolumes(volumes: Volumes, options: CheckOptions): Promise<CheckReport> {
  // Why it can't be done `failure` says afterwards.
  await volumes.commit().catch(() => undefined);
  const report = await checkLive(volumes, options, false);
  const { failure } = volumes;
  if (failure === undefined) return report;
  const text = `the store takes no changes, and what was not committed yet was not looked at: ${failure.message}`;
  return { ...report, problems: [{ text, path: undefined }, ...report.problems] };
}

async function checkLive(volumes: Volumes, options: CheckOptions, atRest: boolean): Promise<CheckReport> {
  const { store, forest } = volumes;
  const view = store.kv.readView();
  try {
    const isCurrent = (fs: Filesystem, extent: Extent): boolean => isCurrentExtent(forest, fs.tree.owner.id, extent);
    return await new StoreCheck(store, view, options, atRest, isCurrent).run();
  } finally {
    await view.close();
  }
}

/** The check of a store whose volumes can't be opened, as it lies there. What its journal holds beyond the last commit is left out. */
export async function checkClosedStore(store: OpenStore, options: CheckOptions): Promise<CheckReport> {
  return new StoreCheck(store, store.kv, options, false, () => true).run();
}

class StoreCheck {
  readonly #store: OpenStore;
  readonly #reads: Reads;
  readonly #options: CheckOptions;
  readonly #atRest: boolean;
  readonly #pace: Pace;
  readonly #data: CheckedData | undefined;
  readonly #problems = new Map<string, Problem>();
  #unlisted = 0;
  #records = 0;
  #inodes = 0;

  constructor(
    store: OpenStore,
    reads: Reads,
    options: CheckOptions,
    atRest: boolean,
    isCurrent: (fs: Filesystem, extent: Extent) => boolean,
  ) {
    this.#store = store;
    this.#reads = reads;
    this.#options = options;
    this.#atRest = atRest;
    this.#pace = new Pace(options.breathe ?? nextTurn);
    this.#data = options.data === true ? new CheckedData(isCurrent) : undefined;
  }

  async run(): Promise<CheckReport> {
    const nothing = { versions: 0, nodes: 0, blocks: 0, pending: 0 };
    await this.#checkRecords();
    const forest = await this.#attempt(() => StoredForest.load(this.#reads));
    let found = nothing;
    if (forest !== undefined) {
      found = (await this.#attempt(() => this.#checkTrees(forest))) ?? nothing;
      await this.#attempt(() => this.#checkFiles(forest));
    }
    const problems = [...this.#problems.values()];
    if (this.#unlisted > 0) problems.push({ text: `and ${this.#unlisted} more`, path: undefined });
    const comparedBlocks = this.#data?.blocks ?? 0;
    return { problems, records: this.#records, inodes: this.#inodes, comparedBlocks, ...found };
  }

  readonly #say = (text: string, path?: string): void => {
    // A damaged record is come by in several ways.
    if (this.#problems.has(text)) return;
    if (this.#problems.size < PROBLEMS_MAX) this.#problems.set(text, { text, path });
    else this.#unlisted++;
  };

  /** What stops a part of the check is one of the problems. */
  async #attempt<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CorruptionError) && !(error instanceof StoreError)) throw error;
      this.#say(error.message);
      return undefined;
    }
  }

  /** Each record by itself, and whether those that the ledger counts are those that were stored last. */
  async #checkRecords(): Promise<void> {
    const tally = new LedgerTally();
    const whole: number[] = [];
    for (const space of Object.values(SPACE)) {
      this.#options.progress?.('records', space / (Object.keys(SPACE).length + 1));
      const isCounted = LEDGER_SPACES.includes(space);
      await this.#attempt(async () => {
        await eachStored(this.#reads, spaceKey(space), spaceKey(space, true), this.#pace, (key, value) => {
          this.#records++;
          if (isCounted) tally.add(space, recordSum(key, value));
          const problem = checkRecord(key, value);
          if (problem !== undefined) this.#say(problem);
        });
        if (isCounted) whole.push(space);
      });
    }
    await this.#attempt(() => {
      const mismatch = tally.mismatch(this.#reads.get(spaceKey(SPACE.ledger)), whole);
      if (mismatch !== undefined) this.#say(`records of an older time, or lost ones: of the ledger, ${mismatch}`);
      return Promise.resolve();
    });
  }

  #checkTrees(forest: StoredForest): ReturnType<typeof checkForest> {
    return checkForest(forest, {
      pace: this.#pace,
      atRest: this.#atRest,
      say: this.#say,
      fix: this.#options.fix,
      progress: (done, total) => this.#options.progress?.('trees', done / total),
    });
  }

  async #checkFiles(forest: StoredForest): Promise<void> {
    const context = this.#context();
    const names = await this.#volumeNames();
    const heads = new Map([...names.values()].map(({ name, head }) => [head, name]));
    for (const [id, name] of heads)
      if (!forest.versions.has(id)) this.#say(`volume ${name}: its version ${id} is missing`);
    // What lies unchanged under several names is looked at once.
    const byRoot = new Map<number, Version[]>();
    for (const version of forest.versions.all()) {
      if (!heads.has(version.id) && version.label === undefined) continue;
      byRoot.set(version.root, [...(byRoot.get(version.root) ?? []), version]);
    }
    let done = 0;
    for (const versions of byRoot.values()) {
      versions.sort((a, b) => Number(heads.has(b.id)) - Number(heads.has(a.id)));
      const titles = versions.map((version) => titleOf(version, heads, names));
      const more = titles.length > TITLES_MAX ? ` and ${titles.length - TITLES_MAX} more` : '';
      const title = `${titles.slice(0, TITLES_MAX).join(', ')}${more}`;
      await this.#attempt(() => this.#checkVersion(forest, versions[0]!, context, title, heads.get(versions[0]!.id)));
      this.#options.progress?.('files', ++done / byRoot.size);
    }
  }

  async #checkVersion(
    forest: StoredForest,
    version: Version,
    context: FilesystemContext,
    title: string,
    volume: string | undefined,
  ): Promise<void> {
    const fs = new Filesystem(context, forest.tree(version));
    const told = this.#options.fix;
    // What is frozen does not change.
    const fix =
      told === undefined || volume === undefined ? undefined : (one: FileFix): void => told({ ...one, volume });
    const found: [text: string, ino: number][] = [];
    const say = (problem: string, ino: number): void => {
      found.push([`${title}: ${problem}`, ino]);
    };
    try {
      this.#inodes += await checkFilesystem(fs, { pace: this.#pace, say, fix, data: this.#data });
    } finally {
      for (const [index, [text, ino]] of found.entries()) {
        this.#say(text, index < PATHS_MAX ? await findPath(fs, ino, this.#pace) : undefined);
      }
    }
  }

  async #volumeNames(): Promise<Map<number, { name: string; head: number }>> {
    const names = new Map<number, { name: string; head: number }>();
    await eachStored(this.#reads, spaceKey(SPACE.volume), spaceKey(SPACE.volume, true), this.#pace, (key, value) => {
      const name = nameOfVolumeKey(key);
      const { id, head } = decodeVolume(key, value, `volume ${name}`);
      names.set(id, { name, head });
    });
    return names;
  }

  /** For files that are only read. */
  #context(): FilesystemContext {
    const { blocks, allocator, journal } = this.#store;
    return {
      blocks,
      allocator,
      recorder: new Recorder(journal),
      clock: systemClock,
      hashSeed: 0,
      changing: () => {
        throw new AssertionError('a check changes nothing');
      },
    };
  }
}

function titleOf(
  version: Version,
  heads: ReadonlyMap<number, string>,
  names: ReadonlyMap<number, { name: string }>,
): string {
  const head = heads.get(version.id);
  if (head !== undefined) return `volume ${head}`;
  return `snapshot ${names.get(version.volume)?.name ?? '?'}@${version.label?.name ?? '?'}`;
}
