// One random history: a store in memory and its naive copy, and what happens to the store as a whole: commits, crashes, reopenings,
// checks, and the time that the background gets.

import { expect } from 'vitest';
import { SPACE, spaceKey } from '../../src/format/index.ts';
import { type Volumes, checkVolumes, currentHolds, uniqueBlocks } from '../../src/volume/index.ts';
import { MemoryBlockFile } from '../support/memory-block-file.ts';
import { MemoryJournalFile } from '../support/memory-journal-file.ts';
import { MemoryKeyValue } from '../support/memory-key-value.ts';
import { TestClock, openMemoryVolumes } from '../support/memory-volumes.ts';
import { differences } from './differences.ts';
import { FILE_COMMANDS } from './file-commands.ts';
import { type NaiveVolumes, copyOf, naiveVolume, tagsAt } from './naive-volumes.ts';
import { type Scene, type Step, pick } from './step.ts';
import { VERSION_COMMANDS } from './version-commands.ts';

const COMMANDS = { ...FILE_COMMANDS, ...VERSION_COMMANDS };

type StoreCommandName = 'measureDelete' | 'commit' | 'breathe' | 'check' | 'crash' | 'reopen';

export type CommandName = keyof typeof COMMANDS | StoreCommandName;

export type NamedStep = Step & { readonly command: CommandName };

export class History {
  readonly #clock = new TestClock();
  #kv = new MemoryKeyValue();
  #blocks = new MemoryBlockFile();
  #journal = new MemoryJournalFile();
  #volumes!: Volumes;
  #naive: NaiveVolumes = new Map([['main', naiveVolume()]]);
  #serial = 0;
  readonly #storeCommands: Record<StoreCommandName, (step: Step) => Promise<void>> = {
    measureDelete: (step) => this.#measureDelete(step),
    commit: () => this.#volumes.commit(),
    breathe: ({ which }) => this.#breathe(which % 20),
    check: () => this.#check(),
    crash: () => this.#crash(),
    reopen: () => this.#reopen(),
  };

  /** `checkEach`: lets the background finish and checks everything after each step; else the background is wherever it got to. */
  async run(steps: readonly NamedStep[], checkEach: boolean): Promise<void> {
    await this.#open();
    for (const step of steps) {
      this.#serial++;
      this.#clock.advance(1);
      await this.#do(step);
      this.#expectLive();
      this.#expectSnapshot(this.#serial);
      if (checkEach) await this.#check();
    }
    await this.#check();
    this.#expectAll();
    await this.#volumes.close();
  }

  async #open(): Promise<void> {
    // A tiny cache, so that nodes are evicted and read again; commits come only from the history and from reclaiming.
    const options = { kv: this.#kv, blocks: this.#blocks, journal: this.#journal, clock: this.#clock, cacheBytes: 0 };
    ({ volumes: this.#volumes } = await openMemoryVolumes(options));
  }

  async #do(step: NamedStep): Promise<void> {
    const { command } = step;
    if (command in COMMANDS) COMMANDS[command as keyof typeof COMMANDS](this.#scene(step), step);
    else await this.#storeCommands[command as StoreCommandName](step);
    // What whoever gave the command is told of.
    this.#volumes.record();
  }

  #scene({ volume: number }: Step): Scene {
    const [name, naive] = pick([...this.#naive], number)!;
    const volume = this.#volumes.get(name);
    return {
      ...{ volumes: this.#volumes, volume, all: this.#naive, naive },
      ...{ nowMs: this.#clock.nowMs(), serial: this.#serial },
    };
  }

  /** Deletes up to three snapshots at rest, and compares what that frees with what was foretold. */
  async #measureDelete(step: Step): Promise<void> {
    const { volumes, volume, naive, nowMs } = this.#scene(step);
    const free = naive.snapshots.filter((snapshot) => tagsAt(snapshot, nowMs).length === 0);
    if (free.length === 0) return;
    await this.#check();
    const from = step.which % free.length;
    const doomed = free.slice(from, from + 1 + (step.other % 3));
    const snapshots = doomed.map(({ name }) => volume.snapshot(name));
    const expected = await volumes.rehearseDelete(snapshots);
    if (snapshots.length === 1) expect(await uniqueBlocks(volumes.forest, snapshots[0]!.version)).toBe(expected);
    const before = await this.#inUse();
    for (const [index, snapshot] of snapshots.entries()) {
      volumes.deleteSnapshot(volume, snapshot);
      naive.snapshots.splice(naive.snapshots.indexOf(doomed[index]!), 1);
    }
    await this.#check();
    expect(before - (await this.#inUse())).toBe(expected);
  }

  /** Blocks and nodes that the store holds, at rest. */
  async #inUse(): Promise<number> {
    const nodes = await this.#kv.range(spaceKey(SPACE.node), spaceKey(SPACE.node, true));
    return this.#volumes.allocatedBlocks + nodes.length;
  }

  /** Lets the background go some way. */
  async #breathe(turns: number): Promise<void> {
    // Somebody looks at space figures meanwhile.
    for (const volume of this.#volumes.list()) {
      for (const { version } of volume.snapshots()) void uniqueBlocks(this.#volumes.forest, version).catch(() => 0);
    }
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets the background finish, then checks everything. */
  async #check(): Promise<void> {
    expect(await checkVolumes(this.#volumes)).toEqual([]);
  }

  /** The process ends at once; whatever the background was doing is cut off there. Nothing is lost but what was open without a name. */
  async #crash(): Promise<void> {
    this.#kv = this.#kv.copy();
    this.#blocks = this.#blocks.copy();
    this.#journal = this.#journal.copy();
    this.#naive = copyOf(this.#naive);
    await this.#open();
    this.#expectAll();
  }

  /** Nothing is lost but what was open without a name. */
  async #reopen(): Promise<void> {
    await this.#volumes.close();
    this.#naive = copyOf(this.#naive);
    await this.#open();
    this.#expectAll();
  }

  #expectAll(): void {
    this.#expectLive();
    const count = [...this.#naive.values()].reduce((sum, { snapshots }) => sum + snapshots.length, 0);
    for (let number = 0; number < count; number++) this.#expectSnapshot(number);
  }

  /** The live files of all volumes, and which snapshots they have. */
  #expectLive(): void {
    const nowMs = this.#clock.nowMs();
    expect(this.#volumes.list().map(({ name }) => name)).toEqual([...this.#naive.keys()].sort());
    for (const [name, naive] of this.#naive) {
      const volume = this.#volumes.get(name);
      expect(differences(volume.filesystem, naive.live), `volume ${name}`).toEqual([]);
      const labels = volume.snapshots().map(({ label }) => {
        return [label.name, label.accessPoint, ...currentHolds(label, nowMs).map(({ tag }) => tag)].join(' ');
      });
      const expected = naive.snapshots.map((snapshot) => {
        return [snapshot.name, snapshot.name, ...tagsAt(snapshot, nowMs)].join(' ');
      });
      expect(labels, `snapshots of volume ${name}`).toEqual(expected);
    }
  }

  /** The files of one of all snapshots. */
  #expectSnapshot(number: number): void {
    const all = [...this.#naive].flatMap(([volume, { snapshots }]) => snapshots.map((naive) => ({ volume, naive })));
    const one = pick(all, number);
    if (one === undefined) return;
    const { filesystem } = this.#volumes.get(one.volume).snapshot(one.naive.name);
    expect(differences(filesystem, one.naive.files), `snapshot ${one.volume}@${one.naive.name}`).toEqual([]);
  }
}
