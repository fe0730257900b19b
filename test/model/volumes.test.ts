// The whole of volumes, snapshots and clones against a naive copy of every version (design, section 5, "The proof").
//
// Random histories of file changes, snapshots, clones, deletes, commits, crashes and reopenings. After each step every live volume and
// every snapshot must show what the model shows, and at a pause the full check must find nothing: no leak, nothing lost, every counter,
// birth, dead list and checksum right. The model keeps a full copy of each version, and a copy of all that as of the last commit.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPACE, createInode, spaceKey } from '../../src/format/index.ts';
import { type Batch, BlockAllocator, type OpenStore } from '../../src/store/index.ts';
import {
  DirectoryScan,
  type Filesystem,
  ROOT_INO,
  type Volume,
  Volumes,
  addOrphan,
  checkVolumes,
  eachXattr,
  findDirent,
  getXattr,
  insertDirent,
  insertInode,
  loadInode,
  readData,
  removeDirent,
  removeXattr,
  saveInode,
  setXattr,
  truncateData,
  uniqueBlocks,
  writeData,
  zeroData,
} from '../../src/volume/index.ts';
import { MemoryBlockFile } from '../support/memory-block-file.ts';
import { MemoryKeyValue } from '../support/memory-key-value.ts';

interface ModelFile {
  data: Buffer;
  xattrs: Map<string, string>;
}
type ModelFiles = Map<string, ModelFile>;
interface ModelVolume {
  live: ModelFiles;
  snapshots: Map<string, ModelFiles>;
}
type Model = Map<string, ModelVolume>;

const copyFiles = (files: ModelFiles): ModelFiles =>
  new Map([...files].map(([name, file]) => [name, { data: Buffer.from(file.data), xattrs: new Map(file.xattrs) }]));
const copyModel = (model: Model): Model =>
  new Map(
    [...model].map(([name, volume]) => [
      name,
      {
        live: copyFiles(volume.live),
        snapshots: new Map([...volume.snapshots].map(([snapshot, files]) => [snapshot, copyFiles(files)])),
      },
    ]),
  );

/** One step of a history: numbers that are reduced to what there is. */
interface Step {
  kind: number;
  volume: number;
  which: number;
  at: number;
  length: number;
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const FILE_BYTES = 5 * 4096;
const inode = createInode();
const scan = new DirectoryScan();

/** An engine that tells when a commit takes what is in memory, and when that is durable. */
class ToldKeyValue extends MemoryKeyValue {
  onCapture: () => void = () => undefined;
  onDurable: () => void = () => undefined;

  override newBatch(): ReturnType<MemoryKeyValue['newBatch']> {
    this.onCapture();
    return super.newBatch();
  }

  override async write(batch: Batch, sync = true): Promise<void> {
    await super.write(batch, sync);
    this.onDurable();
  }

  /** What is durable, in an engine of its own: what a crash leaves behind. */
  async fork(): Promise<ToldKeyValue> {
    const fork = new ToldKeyValue();
    const batch = fork.newBatch();
    for (const [key, value] of await this.range(Uint8Array.of(0), Uint8Array.of(255))) batch.put(key, value);
    await fork.write(batch);
    return fork;
  }
}

async function openVolumes(kv: ToldKeyValue, blocks: MemoryBlockFile): Promise<Volumes> {
  const allocator = await BlockAllocator.load(kv);
  const format = { format: 1 } as OpenStore['format'];
  const store: OpenStore = { kv, blocks, allocator, format, path: '', close: () => Promise.resolve() };
  // A tiny cache, so that nodes are evicted and read again; commits come only from the history and from reclaiming.
  return Volumes.open(store, { cacheBytes: 0, commitIntervalMs: 1_000_000, uid: 0, gid: 0 });
}

function findFile(fs: Filesystem, name: string): boolean {
  const ino = findDirent(fs, ROOT_INO, Buffer.from(name));
  if (ino !== 0) loadInode(fs, ino, inode);
  return ino !== 0;
}

function createFile(fs: Filesystem, name: string): void {
  Object.assign(inode, createInode(), { ino: fs.takeIno(), mode: 0o100644, nlink: 1 });
  insertInode(fs, inode);
  insertDirent(fs, ROOT_INO, Buffer.from(name), inode.ino, 8);
}

function contentsOf(fs: Filesystem): ModelFiles {
  const files: ModelFiles = new Map();
  const entries: [string, number][] = [];
  for (let more = scan.start(fs, ROOT_INO, 0); more; more = scan.next(fs)) {
    entries.push([Buffer.from(scan.bytes.subarray(scan.nameStart, scan.nameEnd)).toString(), scan.child]);
  }
  for (const [name, ino] of entries) {
    loadInode(fs, ino, inode);
    const data = Buffer.alloc(Math.ceil(inode.sizeBytes / 4096) * 4096);
    expect(readData(fs, inode, 0, data.length, data, 0, true)).toBe(inode.sizeBytes);
    const names: string[] = [];
    eachXattr(fs, ino, (bytes, start, end) => names.push(Buffer.from(bytes.subarray(start, end)).toString()));
    const xattrs = names.map((xattr): [string, string] => [
      xattr,
      Buffer.from(getXattr(fs, ino, Buffer.from(xattr))!).toString(),
    ]);
    files.set(name, { data: data.subarray(0, inode.sizeBytes), xattrs: new Map(xattrs) });
  }
  return files;
}

const describeFiles = (files: ModelFiles): string[] =>
  [...files]
    .map(([name, { data, xattrs }]) => {
      const attributes = [...xattrs].sort().map(([key, value]) => `${key}=${value.length}:${value.slice(0, 8)}`);
      return `${name} ${data.length} ${data.toString('base64')} ${attributes.join(',')}`;
    })
    .sort();

function expectEqual(volumes: Volumes, model: Model): void {
  expect(volumes.list().map((volume) => volume.name)).toEqual([...model.keys()].sort());
  for (const volume of volumes.list()) {
    const expected = model.get(volume.name)!;
    expect(describeFiles(contentsOf(volume.filesystem))).toEqual(describeFiles(expected.live));
    expect(volume.snapshots().map((snapshot) => snapshot.label.name)).toEqual([...expected.snapshots.keys()]);
    for (const snapshot of volume.snapshots()) {
      const files = expected.snapshots.get(snapshot.label.name)!;
      expect(describeFiles(contentsOf(snapshot.filesystem))).toEqual(describeFiles(files));
    }
  }
}

/** Runs one history. */
class History {
  kv = new ToldKeyValue();
  readonly blocks = new MemoryBlockFile();
  volumes!: Volumes;
  model: Model = new Map([['main', { live: new Map(), snapshots: new Map() }]]);
  captured: Model = this.model;
  durable: Model = this.model;
  counter = 0;

  /** `checkEach`: lets the background finish and checks everything after each step; else the background is wherever it got to. */
  async run(steps: Step[], checkEach: boolean): Promise<void> {
    await this.open();
    for (const step of steps) {
      await this.step(step);
      if (checkEach) await this.rest();
    }
    await this.rest();
    await this.volumes.close();
  }

  async open(): Promise<void> {
    this.kv.onCapture = () => (this.captured = copyModel(this.model));
    this.kv.onDurable = () => (this.durable = this.captured);
    this.volumes = await openVolumes(this.kv, this.blocks);
  }

  async step(step: Step): Promise<void> {
    const names = [...this.model.keys()];
    const name = names[step.volume % names.length]!;
    const volume = this.volumes.get(name);
    const model = this.model.get(name)!;
    this.counter++;
    if (step.kind < 60) this.changeFile(step, volume, model);
    else if (step.kind < 72) this.snapshot(volume, model);
    else if (step.kind < 80) this.deleteSnapshot(step, volume, model);
    else if (step.kind < 82) await this.measureDelete(step, volume, model);
    else if (step.kind < 87) this.clone(step, volume, model);
    else if (step.kind < 89) this.restore(step, volume, model);
    else if (step.kind < 90) this.deleteVolume(volume);
    else if (step.kind < 92) await this.volumes.commit();
    else if (step.kind < 95) await this.breathe(step.which);
    else if (step.kind < 97) await this.rest();
    else if (step.kind < 99) await this.crash();
    else await this.reopen();
    expectEqual(this.volumes, this.model);
  }

  changeFile(step: Step, volume: Volume, model: ModelVolume): void {
    const fs = volume.filesystem;
    const name = NAMES[step.which % NAMES.length]!;
    const head = fs.change();
    const file = model.live.get(name);
    if (file === undefined) {
      createFile(fs, name);
      model.live.set(name, { data: Buffer.alloc(0), xattrs: new Map() });
      return;
    }
    expect(findFile(fs, name)).toBe(true);
    const { at, length } = step;
    switch (step.kind % 6) {
      case 0:
      case 1:
      case 2: {
        const bytes = Buffer.alloc(length, `${this.counter} `);
        expect(writeData(fs, head, inode, at, bytes, 0, length)).toBe(length);
        const data = Buffer.alloc(Math.max(file.data.length, length > 0 ? at + length : 0));
        file.data.copy(data);
        bytes.copy(data, at);
        file.data = data;
        break;
      }
      case 3:
        truncateData(fs, head, inode, at);
        file.data = Buffer.concat([file.data, Buffer.alloc(FILE_BYTES * 2)]).subarray(0, at);
        break;
      case 4:
        zeroData(fs, head, inode, at, at + length);
        file.data.fill(0, Math.min(at, file.data.length), Math.min(at + length, file.data.length));
        break;
      default:
        this.changeOther(step, fs, model, name, file);
        return;
    }
    saveInode(fs, inode);
  }

  changeOther(step: Step, fs: Filesystem, model: ModelVolume, name: string, file: ModelFile): void {
    const xattr = `user.${step.at % 4}`;
    if (step.length % 3 === 0) {
      removeDirent(fs, ROOT_INO, Buffer.from(name));
      inode.nlink = 0;
      saveInode(fs, inode);
      addOrphan(fs, inode.ino);
      this.volumes.destroyOrphan(fs, inode.ino);
      model.live.delete(name);
    } else if (step.length % 3 === 1) {
      const value = `${this.counter}`.repeat(step.length % 900);
      setXattr(fs, inode.ino, Buffer.from(xattr), Buffer.from(value));
      file.xattrs.set(xattr, value);
    } else expect(removeXattr(fs, inode.ino, Buffer.from(xattr))).toBe(file.xattrs.delete(xattr));
  }

  snapshot(volume: Volume, model: ModelVolume): void {
    const name = `s${this.counter}`;
    this.volumes.createSnapshot(volume, { name });
    model.snapshots.set(name, copyFiles(model.live));
  }

  deleteSnapshot(step: Step, volume: Volume, model: ModelVolume): void {
    const names = [...model.snapshots.keys()];
    if (names.length === 0) return;
    const name = names[step.which % names.length]!;
    this.volumes.deleteSnapshot(volume, volume.snapshot(name));
    model.snapshots.delete(name);
  }

  /** Deletes one or more snapshots at rest, and compares what that frees with what was foretold. */
  async measureDelete(step: Step, volume: Volume, model: ModelVolume): Promise<void> {
    const names = [...model.snapshots.keys()];
    if (names.length === 0) return;
    await this.rest();
    const from = step.which % names.length;
    const snapshots = names.slice(from, from + 1 + (step.at % 3)).map((name) => volume.snapshot(name));
    const expected = await this.volumes.rehearseDelete(snapshots);
    if (snapshots.length === 1) expect(await uniqueBlocks(this.volumes.forest, snapshots[0]!.version)).toBe(expected);
    const before = await this.inUse();
    for (const snapshot of snapshots) {
      this.volumes.deleteSnapshot(volume, snapshot);
      model.snapshots.delete(snapshot.label.name);
    }
    await this.rest();
    expect(before - (await this.inUse())).toBe(expected);
  }

  /** Blocks and nodes that the store holds, at rest. */
  async inUse(): Promise<number> {
    const nodes = await this.kv.range(spaceKey(SPACE.node), spaceKey(SPACE.node, true));
    return this.volumes.allocatedBlocks + nodes.length;
  }

  clone(step: Step, volume: Volume, model: ModelVolume): void {
    const names = [...model.snapshots.keys()];
    if (names.length === 0 || this.model.size >= 4) return;
    const origin = names[step.which % names.length]!;
    const name = `clone${this.counter}`;
    this.volumes.clone(volume, volume.snapshot(origin), name);
    this.model.set(name, { live: copyFiles(model.snapshots.get(origin)!), snapshots: new Map() });
  }

  restore(step: Step, volume: Volume, model: ModelVolume): void {
    const names = [...model.snapshots.keys()];
    if (names.length === 0) return;
    const target = names[step.which % names.length]!;
    const kept = step.at % 2 === 0 ? { name: `before${this.counter}` } : undefined;
    this.volumes.restore(volume, volume.snapshot(target), kept);
    if (kept !== undefined) model.snapshots.set(kept.name, copyFiles(model.live));
    model.live = copyFiles(model.snapshots.get(target)!);
  }

  deleteVolume(volume: Volume): void {
    if (this.model.size === 1) return;
    this.volumes.deleteVolume(volume);
    this.model.delete(volume.name);
  }

  /** Lets the background go some way. */
  async breathe(turns: number): Promise<void> {
    // Somebody looks at space figures meanwhile.
    for (const volume of this.volumes.list()) {
      for (const { version } of volume.snapshots()) void uniqueBlocks(this.volumes.forest, version).catch(() => 0);
    }
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets the background finish, then checks everything. */
  async rest(): Promise<void> {
    expect(await checkVolumes(this.volumes)).toEqual([]);
  }

  /** Everything since the last durable commit is lost; whatever the background was doing is cut off there. */
  async crash(): Promise<void> {
    const { durable } = this;
    this.kv.onCapture = this.kv.onDurable = () => undefined;
    this.kv = await this.kv.fork();
    this.model = copyModel(durable);
    this.durable = durable;
    await this.open();
  }

  async reopen(): Promise<void> {
    await this.volumes.close();
    await this.open();
  }
}

/** Runs `runs` histories (or as many as AMBERFS_FUZZ_RUNS says), in batches that each stay within the time limit of a property. */
async function runHistories(runs: number, longest: number, checkEach: boolean): Promise<void> {
  const size = fc.oneof(fc.constantFrom(0, 4096, 8192, 12_288), fc.integer({ min: 0, max: FILE_BYTES }));
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.nat(99),
    volume: fc.nat(7),
    which: fc.nat(19),
    at: size,
    length: size,
  });
  const steps = fc.array(step, { minLength: 1, maxLength: longest, size: 'max' });
  const wanted = Number(process.env['AMBERFS_FUZZ_RUNS'] ?? runs);
  for (let done = 0; done < wanted; done += BATCH) {
    await fc.assert(
      fc.asyncProperty(steps, (history) => new History().run(history, checkEach)),
      { numRuns: Math.min(BATCH, wanted - done) },
    );
  }
}

const BATCH = 100;

describe('volumes, snapshots and clones', () => {
  it(
    'show what a naive copy of every version shows, whatever the background is doing',
    { timeout: 600_000 },
    async () => {
      await runHistories(2000, 80, false);
    },
  );

  it('pass the full check after each step', { timeout: 600_000 }, async () => {
    await runHistories(2000, 60, true);
  });
});
