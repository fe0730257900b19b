// Crashes while the background is at work: snapshots and a file without a name that are too large to be freed in one stretch. What it has
// done is not in the journal; after a crash it goes on from the last commit, with the operations since then done again before.

import { expect, it } from 'vitest';
import type { OpenStore } from '../../src/store/index.ts';
import { readFile, setXattrValue, writeFile } from '../../src/vfs/index.ts';
import { ROOT_INO, Volumes, checkVolumes } from '../../src/volume/index.ts';
import { FailingHost, nextTurn } from '../support/failing-host.ts';
import type { Random } from '../support/host-file.ts';
import { TestClock } from '../support/memory-volumes.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { TreeOf } from '../unit/vfs/tree-of.ts';

/** More than is freed in one stretch: of leaves, of records of a dead list, of extents. */
const FILES = 500;
const BLOCKS = 600;
/** So many crashes are looked at, chosen among all events and turns of the event loop of one run, or of several if they are many. */
const CRASHES = Number(process.env['AMBERFS_FUZZ_RUNS'] || 24);
const CRASHES_IN_RUN = 200;
/** Of the writes of a commit, of which there are hundreds, one in so many is one to be chosen. */
const ONE_WRITE_IN = 100;
const CRASH_LIMIT_MS = 2000;

interface Wreck {
  host: FailingHost;
  what: string;
  /** Operations that were acknowledged, and those that were durable. */
  least: number;
}

class Scene {
  readonly #random: Random;
  readonly #crashes: number;
  readonly #clock = new TestClock();
  readonly #host = new FailingHost();
  volumes!: Volumes;
  #store!: OpenStore;
  #big = 0;
  readonly #states: { sequence: number; state: string }[] = [];
  #durable = 0;
  readonly #wrecks: Wreck[] = [];
  #chances = 0;
  examined = 0;

  /** `crashes`: how many are to be chosen. */
  constructor(random: Random, crashes: number) {
    this.#random = random;
    this.#crashes = crashes;
    this.#host.delay = () => random(3);
  }

  async open(host = this.#host): Promise<[Volumes, OpenStore]> {
    const store = await host.open();
    const options = { clock: this.#clock, cacheBytes: 0, commitIntervalMs: 1_000_000_000, uid: 0, gid: 0 };
    return [await Volumes.open(store, options), store];
  }

  async start(): Promise<void> {
    [this.volumes, this.#store] = await this.open();
    const tree = this.#tree();
    for (let i = 0; i < FILES; i++) tree.file(ROOT_INO, `file ${i}`);
    this.#big = tree.file(ROOT_INO, 'big').ino;
    this.write(0);
    await this.volumes.commit();
    this.done();
    this.#host.onEvent = (event) => this.mayCrash(event);
  }

  #tree(volumes = this.volumes): TreeOf {
    return new TreeOf(volumes.get('main').filesystem);
  }

  /** Every other block, in an order in which none that are freed lie side by side. */
  write(fill: number): void {
    const { filesystem } = this.volumes.get('main');
    for (const first of [0, 2]) {
      for (let block = first; block < 2 * BLOCKS; block += 4) {
        writeFile(filesystem, this.#big, block * 4096, Buffer.alloc(4096, fill), 0, 4096, false);
      }
    }
  }

  /** Touches every file, so that a snapshot keeps the leaves of before alone. */
  touchAll(value: string): void {
    const tree = this.#tree();
    for (let i = 0; i < FILES; i++) {
      const { ino } = tree.find(ROOT_INO, `file ${i}`)!;
      setXattrValue(tree.fs, ino, Buffer.from('user.a'), Buffer.from(value), 0, false);
    }
  }

  unlinkBig(): void {
    const tree = this.#tree();
    this.volumes.destroyOrphan(tree.fs, tree.unlink(ROOT_INO, 'big'));
  }

  /** An operation was acknowledged. */
  done(): void {
    this.volumes.record();
    this.#states.push({ sequence: this.#store.journal.sequence, state: this.#stateOf(this.volumes) });
  }

  async flush(): Promise<void> {
    const covered = this.#states.length - 1;
    await this.volumes.flush();
    this.#durable = covered;
  }

  mayCrash(what: string): void {
    if (what === 'data' && this.#random(ONE_WRITE_IN) > 0) return;
    // Each chance gets the same share of what is chosen in the end, however many there will be.
    const chance = this.#random(++this.#chances);
    const place = this.#wrecks.length < this.#crashes ? this.#wrecks.length : chance;
    if (place >= this.#crashes) return;
    const isKill = this.#random(2) === 0;
    this.#wrecks[place] = {
      host: isKill ? this.#host.afterKill(this.#random) : this.#host.afterPowerCut(this.#random),
      what: `${isKill ? 'kill' : 'power cut'} at ${what} after operation ${this.#states.length - 1}`,
      least: isKill ? this.#states.length - 1 : this.#durable,
    };
  }

  /** Lets the background go some way, and now and then crashes there. */
  async breathe(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      await nextTurn();
      this.mayCrash(`turn ${turn}`);
    }
  }

  /** What people see. */
  #stateOf(volumes: Volumes): string {
    const volume = volumes.get('main');
    const views = [volume.filesystem, ...volume.snapshots().map(({ filesystem }) => filesystem)];
    const seen = views.map((fs) => {
      const tree = new TreeOf(fs);
      const big = tree.find(ROOT_INO, 'big');
      if (big === undefined) return 'without';
      const block = Buffer.alloc(4096);
      return [0, 2, 2 * BLOCKS - 2].map((number) => {
        readFile(fs, big.ino, number * 4096, 4096, block, 0, 0, false);
        return block[9];
      });
    });
    return JSON.stringify([volume.snapshots().map(({ label }) => label.name), seen]);
  }

  async examineAll(): Promise<void> {
    for (const { host, what, least } of this.#wrecks) {
      const [volumes, store] = await this.open(host);
      const { sequence } = store.journal;
      const found = this.#states.findLastIndex((one) => one.sequence <= sequence);
      expect(found, what).toBeGreaterThanOrEqual(least);
      expect(this.#stateOf(volumes), what).toBe(this.#states[found]!.state);
      expect(await checkVolumes(volumes), what).toEqual([]);
      expect(this.#stateOf(volumes), what).toBe(this.#states[found]!.state);
      await volumes.close();
      this.examined++;
    }
  }
}

it('goes on with what the background had begun', { timeout: 20_000 + CRASHES * CRASH_LIMIT_MS }, async () => {
  let examined = 0;
  for (let run = 0; examined < CRASHES; run++) {
    const crashes = Math.min(CRASHES - examined, CRASHES_IN_RUN);
    expect(await examineRun(7 + run, crashes)).toBe(crashes);
    examined += crashes;
  }
});

async function examineRun(seed: number, crashes: number): Promise<number> {
  const scene = new Scene(seededRandom(seed), crashes);
  await scene.start();
  const { volumes } = scene;
  const main = volumes.get('main');
  const steps: (() => void)[] = [
    () => void volumes.createSnapshot(main, { name: 's1' }),
    () => scene.write(1),
    () => scene.touchAll('1'),
    () => void volumes.createSnapshot(main, { name: 's2' }),
    () => scene.write(2),
    () => scene.touchAll('2'),
    () => void volumes.clone(main, main.snapshot('s2'), 'other'),
    () => volumes.deleteSnapshot(main, main.snapshot('s1')),
    () => volumes.deleteSnapshot(main, main.snapshot('s2')),
    () => scene.unlinkBig(),
    () => void volumes.createSnapshot(main, { name: 's3' }),
    () => volumes.deleteVolume(volumes.get('other')),
    () => volumes.deleteSnapshot(main, main.snapshot('s3')),
  ];
  for (const step of steps) {
    step();
    scene.done();
    await scene.breathe(12);
    await scene.flush();
    await scene.breathe(6);
  }
  await volumes.reclaimed();
  await scene.examineAll();
  return scene.examined;
}
