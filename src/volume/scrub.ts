// Reading everything that is stored, in the background, to find what the disk has lost before somebody needs it: each table of the engine,
// each record that it gives, then each data block once. Nothing is changed.
//
// A block may be freed and written anew while it is read: what looks damaged is looked up in the trees again, and read again, before it is
// called so (CONCURRENCY.md).

import { setImmediate as nextTurn } from 'node:timers/promises';
import { CorruptionError, FsError } from '../errors/index.ts';
import { BLOCK_BYTES, EXTENT_BLOCKS_MAX, SPACE, keyAfter, spaceKey } from '../format/index.ts';
import { IdSet, Pace, checkRecord } from '../tree/index.ts';
import type { Log } from '../util/index.ts';
import { type Extent, damagedBlocks, isCurrentExtent } from './check-data.ts';
import { placesOf } from './damaged-places.ts';
import { type DataPlace, nextSlice } from './scrub-walk.ts';
import { type ScrubDamage, type ScrubState, newScrub, parseScrub } from './scrub-state.ts';
import type { Volumes } from './volumes.ts';

/** Where the state of a scrub outlives the process. */
export interface ScrubStorage {
  /** What was stored last. */
  read(): string | undefined;
  write(text: string): void;
}

const RECORDS_PER_SLICE = 256;
const TABLE_REMEDY = 'unmount and mount anew: what is not affected can be read then';
const DAMAGE_MAX = 1000;
/** How often the place is stored. */
const SAVE_MS = 5_000;

export class Scrubber {
  readonly #volumes: Volumes;
  readonly #storage: ScrubStorage;
  readonly #log: Log;
  readonly #bytes = new Uint8Array(EXTENT_BLOCKS_MAX * BLOCK_BYTES);
  readonly #pace: Pace;
  #state: ScrubState | undefined;
  #running: Promise<void> | undefined;
  #halted = false;
  #wake: () => void = () => undefined;
  /** On the monotonic clock. */
  #savedMs = 0;
  /** Blocks that were read: those below a nameless branching point are come by several times. */
  #read = new IdSet();

  constructor(volumes: Volumes, storage: ScrubStorage, log: Log) {
    this.#volumes = volumes;
    this.#storage = storage;
    this.#log = log;
    const text = storage.read();
    this.#state = text === undefined ? undefined : parseScrub(text);
    this.#pace = new Pace(nextTurn);
  }

  /** The scrub under way, or the last one; undefined where there never was one. */
  get state(): ScrubState | undefined {
    return this.#state;
  }

  /** Begins a scrub. Throws FsError EBUSY where one is under way. */
  start(rateBytes: number | null): void {
    if (this.#state?.phase === 'running' || this.#state?.phase === 'paused') {
      const isHalted = this.#running === undefined;
      const how = this.#state.phase === 'paused' ? 'is paused' : isHalted ? 'was interrupted' : 'runs already';
      throw new FsError(
        'EBUSY',
        'scrub-runs',
        `a scrub ${how}; "amberfs scrub --status" shows it, --resume and --stop go on or end it`,
      );
    }
    const { allocatedBlocks, nowMs } = this.#volumes;
    this.#state = newScrub(nowMs, allocatedBlocks * BLOCK_BYTES, rateBytes);
    this.#read = new IdSet();
    this.#begin();
  }

  /** Goes on with what the end of a process interrupted. */
  resumeInterrupted(): void {
    if (this.#state?.phase === 'running' && this.#running === undefined) this.#begin();
  }

  /** Lets the scrub rest until {@link resume}, over the end of this process too. Throws FsError EINVAL where none runs. */
  async pause(): Promise<void> {
    this.#require('running');
    await this.#halt();
    this.#enter('paused');
  }

  /** Throws FsError EINVAL where no scrub is paused, or was interrupted. */
  resume(): void {
    if (this.#state?.phase !== 'running' || this.#running !== undefined) this.#require('paused');
    this.#enter('running');
    this.#begin();
  }

  /** Ends the scrub. Throws FsError EINVAL where none is under way. */
  async stop(): Promise<void> {
    if (this.#state?.phase !== 'paused') this.#require('running');
    await this.#halt();
    this.#enter('stopped');
  }

  /** To be called before the store is closed: the scrub goes on when it is opened again. */
  async close(): Promise<void> {
    await this.#halt();
    if (this.#state?.phase === 'running') this.#save();
  }

  #require(phase: 'running' | 'paused'): void {
    if (this.#state?.phase === phase) return;
    throw new FsError(
      'EINVAL',
      'scrub-not-under-way',
      `no scrub is ${phase}; "amberfs scrub --status" shows the last one`,
    );
  }

  #enter(phase: ScrubState['phase'], failure: string | null = null): void {
    const isOver = phase !== 'running' && phase !== 'paused';
    if (isOver) this.#read = new IdSet();
    this.#change({ phase, failure, endedMs: isOver ? this.#volumes.nowMs : null });
    this.#save();
  }

  #change(fields: Partial<ScrubState>): void {
    this.#state = { ...this.#state!, ...fields };
  }

  #save(): void {
    this.#savedMs = performance.now();
    try {
      this.#storage.write(JSON.stringify(this.#state, null, 2));
    } catch (error) {
      this.#log.warn(`how far the scrub is can't be stored: ${messageOf(error)}`);
    }
  }

  #begin(): void {
    this.#halted = false;
    this.#save();
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #halt(): Promise<void> {
    this.#halted = true;
    this.#wake();
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    await nextTurn();
    this.#log.info(`scrub: ${this.#state!.readBytes === 0 ? 'begins' : 'goes on'}`);
    try {
      await this.#tables();
      await this.#records();
      await this.#data();
      if (this.#halted) return;
      this.#enter('finished');
      const { readBytes, damage, unlisted } = this.#state!;
      this.#log.info(`scrub: finished, ${readBytes} bytes read, ${damage.length + unlisted} damaged places`);
    } catch (error) {
      this.#log.error(`scrub: ${messageOf(error)}`);
      this.#enter('failed', messageOf(error));
    }
  }

  async #tables(): Promise<void> {
    if (this.#state!.record !== '') return;
    const { store, allocatedBlocks } = this.#volumes;
    try {
      const { totalBytes, tables } = await store.scrubTables();
      // After an interruption they are read anew.
      this.#change({ readBytes: 0, totalBytes: allocatedBlocks * BLOCK_BYTES + totalBytes });
      for await (const { file, bytes, why } of tables) {
        if (why !== undefined) this.#tableDamage(file, why);
        this.#change({ readBytes: this.#state!.readBytes + bytes });
        await this.#rest(bytes);
        if (this.#halted) return;
      }
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#found({ text: error.message, places: [] });
      this.#refuseChanges(error);
    }
    this.#change({ record: Buffer.from(spaceKey(SPACE.super)).toString('hex') });
  }

  #tableDamage(file: string, why: string): void {
    const record = `table ${file}`;
    this.#found({ text: `${record}: ${why}`, places: [] });
    this.#refuseChanges(new CorruptionError(record, `${why}; ${TABLE_REMEDY}`));
  }

  /** The engine would merge what is damaged, as it is, into what it writes. */
  #refuseChanges(damage: CorruptionError): void {
    if (this.#volumes.failure !== undefined) return;
    // No operation is in its midst here: all of them stay.
    this.#volumes.record();
    this.#volumes.noteDamage(damage);
  }

  async #records(): Promise<void> {
    const end = Uint8Array.of(Math.max(...Object.values(SPACE)) + 1);
    while (this.#state!.record !== null && !this.#halted) {
      const from = Buffer.from(this.#state!.record, 'hex');
      this.#change({ record: await this.#recordSlice(from, end) });
      await this.#rest(0);
    }
  }

  /** Looks at the records from `from` on; gives the key where it goes on, in hex; null at the end. */
  async #recordSlice(from: Uint8Array, end: Uint8Array): Promise<string | null> {
    try {
      const slice = await this.#volumes.store.kv.range(from, end, RECORDS_PER_SLICE);
      for (const [key, value] of slice) {
        const problem = checkRecord(key, value);
        if (problem !== undefined) this.#found({ text: problem, places: [] });
      }
      this.#change({ records: this.#state!.records + slice.length });
      const last = slice.at(-1);
      if (last === undefined || slice.length < RECORDS_PER_SLICE) return null;
      return Buffer.from(keyAfter(last[0])).toString('hex');
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#found({ text: error.message, places: [] });
      // The engine can't go on behind it: the next space, then.
      return from[0]! + 1 >= end[0]! ? null : Buffer.of(from[0]! + 1).toString('hex');
    }
  }

  async #data(): Promise<void> {
    const { forest } = this.#volumes;
    let place: DataPlace = { version: this.#state!.version, key: Buffer.from(this.#state!.key, 'hex') };
    while (!this.#halted) {
      const slice = nextSlice(forest, place);
      if (slice === undefined) return;
      for (const text of slice.damage) this.#found({ text, places: [] });
      let bytes = 0;
      for (const extent of slice.extents) bytes += await this.#extent(slice.version, extent);
      place = slice.next;
      const { version, key } = place;
      this.#change({ version, key: Buffer.from(key).toString('hex'), readBytes: this.#state!.readBytes + bytes });
      await this.#rest(bytes);
    }
  }

  /** Compares the blocks of an extent; gives the bytes that this took. */
  async #extent(version: number, extent: Extent): Promise<number> {
    const { start, sums } = extent;
    if (sums.every((_, i) => this.#read.has(start + i))) return 0;
    const { store, forest } = this.#volumes;
    let damaged = await damagedBlocks(store.blocks, extent, this.#bytes);
    if (damaged.length > 0 && isCurrentExtent(forest, version, extent))
      damaged = await damagedBlocks(store.blocks, extent, this.#bytes);
    const isStill = damaged.length > 0 && isCurrentExtent(forest, version, extent);
    for (const i of isStill ? damaged : []) {
      const block = start + i;
      if (this.#read.has(block)) continue;
      const places = await placesOf(this.#volumes, extent, i, this.#pace);
      this.#found({
        text: `data block ${block} (file block ${extent.first + i} of inode ${extent.ino}) is damaged`,
        places,
      });
    }
    for (const i of sums.keys()) this.#read.add(start + i);
    return sums.length * BLOCK_BYTES;
  }

  #found(damage: ScrubDamage): void {
    const { places, text } = damage;
    this.#log.error(
      `scrub: ${text}${places.length === 0 ? '' : `: ${Buffer.from(places.join(', '), 'latin1').toString()}`}`,
    );
    const { damage: list, unlisted } = this.#state!;
    if (list.some((other) => other.text === text)) return;
    if (list.length < DAMAGE_MAX) this.#change({ damage: [...list, damage] });
    else this.#change({ unlisted: unlisted + 1 });
  }

  /** Others have their turn; after reading `bytes` for so long as the rate wants it. */
  async #rest(bytes: number): Promise<void> {
    if (performance.now() - this.#savedMs > SAVE_MS) this.#save();
    const { rateBytes } = this.#state!;
    const pauseMs = rateBytes === null ? 0 : (bytes / rateBytes) * 1000;
    if (pauseMs < 1) return nextTurn();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#halted) this.#wake();
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
