// One random history on a host that fails, with a naive copy of the state after each operation.
//
// At events of the host (a write, the start and the end of a flush) the history takes what a crash would leave there, and opens that beside
// itself: it must open, the full check must find nothing, and it must show the state after one operation, for all volumes and snapshots
// together. After a power cut that is one that was made durable or a later one; after a kill it is the last one that was acknowledged, or the one under way.
// Opening is done on a host that fails too, so that recoveries are cut short in turn. Some crashes the history itself goes on from.

import { expect } from 'vitest';
import type { OpenStore } from '../../src/store/index.ts';
import { Volumes, checkVolumes } from '../../src/volume/index.ts';
import { FILE_COMMANDS } from '../model/file-commands.ts';
import { type NaiveVolumes, copyOf, naiveVolume } from '../model/naive-volumes.ts';
import { type Step, pick } from '../model/step.ts';
import { VERSION_COMMANDS } from '../model/version-commands.ts';
import { FailingHost, type HostEvent, nextTurn } from '../support/failing-host.ts';
import type { Random } from '../support/host-file.ts';
import { TestClock } from '../support/memory-volumes.ts';
import { stateDifferences } from './state-differences.ts';

const COMMANDS = { ...FILE_COMMANDS, ...VERSION_COMMANDS };

/** Recoveries that are cut short one after the other, at most. */
const DEPTH_MAX = 3;

type HostCommandName = 'flush' | 'beginFlush' | 'beginCommit' | 'breathe' | 'fill' | 'kill' | 'powerCut' | 'reopen';

export type CrashCommandName = keyof typeof COMMANDS | HostCommandName;

export type CrashStep = Step & { readonly command: CrashCommandName };

export interface CrashOptions {
  readonly random: Random;
  /** A crash is tried at one in so many events. */
  readonly oneIn: (event: HostEvent) => number;
  /** The same in recoveries. */
  readonly oneInRecovery: number;
}

/** The state after an operation. */
interface Moment {
  readonly naive: NaiveVolumes;
  /** The number of the last record of the journal. */
  readonly sequence: number;
}

/** What a crash left, and what may be expected of it. */
interface Wreck {
  readonly host: FailingHost;
  readonly story: string;
  /** The state must be one of these, from `least` on. It may be a later one by the time it is looked at. */
  readonly moments: readonly Moment[];
  readonly least: number;
  /** What a power cut before it was opened again may leave at least. */
  readonly durable: number;
}

interface Opened {
  readonly store: OpenStore;
  readonly volumes: Volumes;
}

export class CrashHistory {
  readonly #random: Random;
  readonly #options: CrashOptions;
  readonly #clock = new TestClock();
  #host = new FailingHost();
  #opened!: Opened;
  #naive: NaiveVolumes = new Map([['main', naiveVolume()]]);
  /** Since the store was opened; the first one is what it was opened with. */
  #moments: Moment[] = [];
  /** The index of the last one that a flush or a commit has made durable. */
  #durable = 0;
  /** The index of the last one of which somebody was told. */
  #answered = 0;
  #wrecks: Wreck[] = [];
  #serial = 0;
  /** How many crashes it has looked at. */
  crashes = 0;
  readonly #hostCommands: Record<HostCommandName, (step: Step) => Promise<void>> = {
    flush: () => this.#flush(),
    beginFlush: async () => void this.#makeDurable(() => this.#opened.volumes.flush()),
    beginCommit: async () => void this.#makeDurable(() => this.#opened.volumes.commit()),
    breathe: async ({ which }) => {
      for (let turns = which % 12; turns > 0; turns--) await nextTurn();
    },
    fill: async () => {
      this.#host.isFull = !this.#host.isFull;
    },
    kill: () => this.#goOnFrom(this.#kill('goes on after a kill')),
    powerCut: () => this.#goOnFrom(this.#powerCut('goes on after a power cut')),
    reopen: () => this.#reopen(),
  };

  constructor(options: CrashOptions) {
    this.#random = options.random;
    this.#options = options;
  }

  async run(steps: readonly CrashStep[]): Promise<void> {
    this.#opened = await this.#open(this.#host);
    this.#begin();
    for (const step of steps) {
      this.#serial++;
      this.#clock.advance(1);
      await this.#do(step);
      await this.#examineAll();
    }
    this.#host.isFull = false;
    await this.#reopen();
    expect(await checkVolumes(this.#opened.volumes)).toEqual([]);
    await this.#examineAll();
    this.#host.abandon();
  }

  async #do(step: CrashStep): Promise<void> {
    const { command } = step;
    if (!(command in COMMANDS)) {
      await this.#hostCommands[command as HostCommandName](step);
      return;
    }
    const { volumes, store } = this.#opened;
    const [name, naive] = pick([...this.#naive], step.volume)!;
    const scene = {
      volumes,
      volume: volumes.get(name),
      all: this.#naive,
      naive,
      nowMs: this.#clock.nowMs(),
      serial: this.#serial,
    };
    COMMANDS[command as keyof typeof COMMANDS](scene, step);
    // Now and then nobody waits for an answer: then it shares a record with the next one, unless a commit comes between.
    const isAnswered = this.#random(4) > 0;
    if (isAnswered) volumes.record();
    const sequence = store.journal.sequence + (isAnswered ? 0 : 1);
    this.#moments.push({ naive: copyOf(this.#naive), sequence });
    if (isAnswered) this.#answered = this.#moments.length - 1;
    for (let turns = this.#random(3); turns > 0; turns--) await nextTurn();
  }

  async #open(host: FailingHost): Promise<Opened> {
    host.delay = () => this.#random(4);
    const store = await host.open();
    const options = { clock: this.#clock, cacheBytes: 0, commitIntervalMs: 1_000_000_000, uid: 0, gid: 0 };
    return { store, volumes: await Volumes.open(store, options) };
  }

  /** What is shown now is where this history goes on from. */
  #begin(): void {
    this.#moments = [{ naive: copyOf(this.#naive), sequence: this.#opened.store.journal.sequence }];
    this.#durable = 0;
    this.#answered = 0;
    this.#host.onEvent = (event) => {
      if (this.#random(this.#options.oneIn(event)) > 0) return;
      this.#wrecks.push(this.#powerCut(`power cut at ${event}`));
      if (this.#random(3) === 0) this.#wrecks.push(this.#kill(`kill at ${event}`));
    };
  }

  #powerCut(what: string): Wreck {
    const story = `${what} of step ${this.#serial}`;
    const durable = this.#durable;
    return { host: this.#host.afterPowerCut(this.#random), story, moments: this.#moments, least: durable, durable };
  }

  #kill(what: string): Wreck {
    const story = `${what} of step ${this.#serial}`;
    const [moments, durable] = [this.#moments, this.#durable];
    return { host: this.#host.afterKill(this.#random), story, moments, least: this.#answered, durable };
  }

  /** As whoever answers an fsync does. */
  async #flush(): Promise<void> {
    if (this.#opened.volumes.flushNow()) this.#durable = this.#moments.length - 1;
    else await this.#makeDurable(() => this.#opened.volumes.flush());
  }

  async #makeDurable(begin: () => Promise<void>): Promise<void> {
    const [moments, covered] = [this.#moments, this.#moments.length - 1];
    try {
      await begin();
    } catch (error) {
      // A commit on a full host waits, and is tried again.
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOSPC') throw error;
      return;
    }
    if (moments === this.#moments) this.#durable = Math.max(this.#durable, covered);
  }

  async #reopen(): Promise<void> {
    this.#host.isFull = false;
    await this.#opened.volumes.close();
    this.#durable = this.#moments.length - 1;
    this.#answered = this.#durable;
    await this.#goOnFrom({ ...this.#kill('goes on after a close'), host: this.#host });
  }

  /** What the history does next it does on what the crash left. */
  async #goOnFrom(wreck: Wreck): Promise<void> {
    await this.#examineAll();
    if (wreck.host !== this.#host) this.#host.abandon();
    this.#host = wreck.host;
    this.#host.onEvent = () => undefined;
    this.#opened = await this.#open(this.#host);
    const found = this.#find(wreck, this.#opened);
    this.#naive = copyOf(wreck.moments[found]!.naive);
    this.#begin();
  }

  async #examineAll(): Promise<void> {
    for (const wreck of this.#wrecks.splice(0)) await this.#examine(wreck, 1);
  }

  /** Opens what a crash left, checks it, and does the same with what further crashes leave meanwhile. */
  async #examine(wreck: Wreck, depth: number): Promise<void> {
    this.crashes++;

    const { host } = wreck;
    const further: Wreck[] = [];
    let { moments, least, durable } = wreck;
    const crash = (event: HostEvent): void => {
      const isKill = this.#random(3) === 0;
      const story = `${wreck.story}, then ${isKill ? 'kill' : 'power cut'} at ${event}`;
      const left = isKill ? host.afterKill(this.#random) : host.afterPowerCut(this.#random);
      further.push({ host: left, story, moments, least: isKill ? least : durable, durable });
    };
    if (depth < DEPTH_MAX) {
      host.onEvent = (event) => {
        if (this.#random(this.#options.oneInRecovery) === 0) crash(event);
      };
    }
    const opened = await this.#open(host).catch((error: unknown) => {
      throw new Error(`${wreck.story}: the store does not open`, { cause: error });
    });
    const found = this.#find(wreck, opened);
    // Whoever looks has seen this state now.
    moments = [moments[found]!];
    [least, durable] = [0, 0];
    const { volumes } = opened;
    expect(await checkVolumes(volumes), wreck.story).toEqual([]);
    expect(
      stateDifferences(volumes, moments[0]!.naive, this.#clock.nowMs()),
      `${wreck.story}, after reclaiming`,
    ).toEqual([]);
    await volumes.close();
    if (depth < DEPTH_MAX && this.#random(4) === 0) crash('emptied');
    host.abandon();
    for (const next of further) await this.#examine(next, depth + 1);
  }

  /** The index of the state that the store shows, which must be one of those that may be expected. */
  #find({ story, moments, least }: Wreck, { store, volumes }: Opened): number {
    const { sequence } = store.journal;
    // Where an operation changed nothing, there is no record of it.
    const found = Math.max(
      least,
      moments.findLastIndex((moment) => moment.sequence <= sequence),
    );
    const naive = moments[found]!.naive;
    expect(
      stateDifferences(volumes, naive, this.#clock.nowMs()),
      `${story}: operation ${found} of ${least} to ${moments.length - 1}`,
    ).toEqual([]);
    return found;
  }
}
