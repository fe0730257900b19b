// One random history of a store that is never at rest: commits take several turns, and fail while the host is full; meanwhile files change,
// snapshots come and go, figures are asked for and the store is checked. Now and then it is opened again, or looked at as a crash would
// leave it.

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { FsError } from '../../src/errors/index.ts';
import { type Volumes, checkOpenVolumes, snapshotsBlocks, uniqueBlocks } from '../../src/volume/index.ts';
import { MemoryBlockFile } from '../support/memory-block-file.ts';
import { MemoryJournalFile } from '../support/memory-journal-file.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../support/memory-volumes.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { SlowKeyValue } from '../support/slow-key-value.ts';
import { FilledVolumes, type Random, weighted } from './filled-volumes.ts';

/** So many changes are told of where a history fails. */
const STORY_LENGTH = 30;

export class BusyHistory {
  readonly #random: Random;
  readonly #filled: FilledVolumes;
  /** A write waits for fewer turns than this before it is done, and again before that is told. */
  readonly #turnsMax: number;
  readonly #parts: { kv: SlowKeyValue; blocks: MemoryBlockFile; journal: MemoryJournalFile };
  #memory!: MemoryVolumes;
  readonly #story: string[] = [];
  #underWay: Promise<void>[] = [];
  /** The first that failed of what is under way. */
  #failure: { cause: unknown } | undefined;
  readonly #meanwhile: [weight: number, pass: () => Promise<void>][] = [
    [34, () => Promise.resolve()],
    [12, async () => this.#track(this.#volumes.commit())],
    [4, () => this.#volumes.commit()],
    [16, () => this.#turns(20)],
    [4, () => sleep(this.#random(3))],
    [2, () => this.#volumes.reclaimed()],
    [2, () => this.#fullHost()],
    [1, () => this.#check()],
    [2, () => this.#reopen()],
    [1, () => this.#crash()],
    [4, async () => this.#measure()],
    [2, async () => expectNone(this.#filled.differencesOfOne(this.#volumes))],
  ];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#filled = new FilledVolumes(this.#random);
    this.#turnsMax = 1 + this.#random(this.#random(2) === 0 ? 12 : 80);
    const [kv, blocks, journal] = [this.#slow(new SlowKeyValue()), new MemoryBlockFile(), new MemoryJournalFile()];
    this.#parts = { kv, blocks, journal };
  }

  /** Throws where anything is not as it should be, with what was done last. */
  async run(steps: number): Promise<void> {
    try {
      await this.#open();
      for (let step = 0; step < steps; step++) await this.#step();
      await this.#end();
    } catch (error) {
      const story = this.#story.slice(-STORY_LENGTH).join('; ');
      throw new Error(`${String(error)}, after ${this.#story.length} things, at last ${story}`, { cause: error });
    } finally {
      await Promise.all(this.#underWay);
    }
  }

  get #volumes(): Volumes {
    return this.#memory.volumes;
  }

  async #open(): Promise<void> {
    // A tiny cache, so that nodes are evicted and read again.
    this.#memory = await openMemoryVolumes({ ...this.#parts, cacheBytes: 0 });
  }

  async #step(): Promise<void> {
    this.#tell(this.#filled.change(this.#volumes));
    // What whoever made the change is told of.
    this.#volumes.record();
    await weighted(this.#random, this.#meanwhile)();
    if (this.#failure !== undefined) throw this.#failure.cause;
    if (this.#volumes.failure !== undefined) throw this.#volumes.failure;
  }

  async #end(): Promise<void> {
    this.#tell('end');
    await this.#settle();
    expectNone(await this.#memory.check());
    await this.#volumes.close();
    await this.#open();
    expectNone(this.#filled.differences(this.#volumes));
    await this.#volumes.close();
  }

  #tell(what: string | undefined): void {
    if (what !== undefined) this.#story.push(what);
  }

  /** Lets `work` go on by itself; only a full host may stop it. */
  #track(work: Promise<unknown>): void {
    const tracked = work.then(
      () => undefined,
      (cause: unknown) => {
        if (!(cause instanceof FsError && cause.code === 'ENOSPC')) this.#failure ??= { cause };
      },
    );
    this.#underWay.push(tracked);
  }

  /** Waits for what is under way. */
  async #settle(): Promise<void> {
    const all = this.#underWay;
    this.#underWay = [];
    await Promise.all(all);
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  /** Fewer turns than `limit`. */
  async #turns(limit: number): Promise<void> {
    for (let turn = this.#random(limit); turn > 0; turn--) await nextTurn();
  }

  #slow(kv: SlowKeyValue): SlowKeyValue {
    kv.beforeWrite = () => this.#turns(this.#turnsMax);
    kv.afterWrite = () => this.#turns(this.#turnsMax);
    return kv;
  }

  /** For a while no commit succeeds. */
  async #fullHost(): Promise<void> {
    this.#tell('full host');
    const { kv } = this.#parts;
    kv.isFull = true;
    this.#track(this.#volumes.commit());
    await this.#turns(20);
    if (this.#random(2) === 0) await sleep(1);
    kv.isFull = false;
  }

  /** What a listing of snapshots and volumes asks for. */
  #measure(): void {
    this.#tell('measure');
    const { forest } = this.#volumes;
    for (const volume of this.#volumes.list()) {
      const versions = volume.snapshots().map(({ version }) => version);
      this.#track(uniqueBlocks(forest, versions));
    }
    this.#track(snapshotsBlocks(forest, this.#volumes.list()));
  }

  /** The check of a store at work, which goes on by itself or is waited for. */
  async #check(): Promise<void> {
    this.#tell('check');
    const check = checkOpenVolumes(this.#volumes, { data: true }).then(({ problems }) => {
      expectNone(problems.map(({ text }) => text));
    });
    if (this.#random(2) === 0) this.#track(check);
    else await check;
  }

  async #reopen(): Promise<void> {
    this.#tell('reopen');
    await this.#settle();
    await this.#volumes.close();
    await this.#open();
  }

  /** What the store would be if the process ended now; it goes on. */
  async #crash(): Promise<void> {
    this.#tell('crash');
    const { kv, blocks, journal } = this.#parts;
    const parts = { kv: this.#slow(kv.copyInto(new SlowKeyValue())), blocks: blocks.copy(), journal: journal.copy() };
    const memory = await openMemoryVolumes({ ...parts, cacheBytes: 0 });
    expectNone(await memory.check());
    expectNone(this.#filled.differencesOfOne(memory.volumes));
    await memory.volumes.close();
  }
}

function expectNone(problems: readonly unknown[]): void {
  if (problems.length > 0) throw new Error(`${problems.length} problems: ${problems.slice(0, 3).join('; ')}`);
}
