// Space figures against reality: in random histories with clones, restores, deletions and merged versions, what is foretold of a set of
// snapshots equals what their deletion gives back. Each set is deleted in a copy of the store of its own, so one history answers many.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPACE, VERSION_STATE, createInode, spaceKey } from '../../src/format/index.ts';
import { rehearse, rehearseDelete } from '../../src/tree/index.ts';
import {
  ROOT_INO,
  type Snapshot,
  type Volume,
  type Volumes,
  cheapestToFree,
  insertDirent,
  insertInode,
  loadInode,
  saveInode,
  snapshotsBlocks,
  uniqueBlocks,
  writeData,
} from '../../src/volume/index.ts';
import { MemoryKeyValue } from '../support/memory-key-value.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../support/memory-volumes.ts';

const FILES = 3;
const FILE_BLOCKS = 6;
const inode = createInode();

/** One step of a history: numbers that are reduced to what there is. */
interface Step {
  kind: number;
  volume: number;
  which: number;
  at: number;
  length: number;
}

interface Place {
  volume: Volume;
  snapshot: Snapshot;
}

const placesOf = (volumes: Volumes): Place[] =>
  volumes.list().flatMap((volume) => volume.snapshots().map((snapshot) => ({ volume, snapshot })));

function createFiles({ filesystem: fs }: Volume): number[] {
  const head = fs.change();
  return Array.from({ length: FILES }, (_, index) => {
    Object.assign(inode, createInode(), { ino: fs.takeIno(), mode: 0o100644, nlink: 1 });
    insertInode(fs, inode);
    insertDirent(fs, ROOT_INO, Buffer.from(`f${index}`), inode.ino, 8);
    writeData(fs, head, inode, 0, Buffer.alloc(FILE_BLOCKS * 4096, index), 0, FILE_BLOCKS * 4096);
    saveInode(fs, inode);
    return inode.ino;
  });
}

function overwrite({ filesystem: fs }: Volume, ino: number, at: number, count: number, fill: number): void {
  const head = fs.change();
  loadInode(fs, ino, inode);
  const length = Math.min(count, FILE_BLOCKS - at) * 4096;
  writeData(fs, head, inode, at * 4096, Buffer.alloc(length, fill), 0, length);
  saveInode(fs, inode);
}

function writeBlock({ filesystem: fs }: Volume, ino: number, at: number): void {
  const head = fs.change();
  loadInode(fs, ino, inode);
  writeData(fs, head, inode, at * 4096, Buffer.alloc(4096, at), 0, 4096);
  saveInode(fs, inode);
}

function take(step: Step, index: number, volumes: Volumes, inos: number[]): void {
  const { kind, which, at } = step;
  const all = volumes.list();
  const volume = all[step.volume % all.length]!;
  const snapshots = volume.snapshots();
  const snapshot = snapshots[which % Math.max(1, snapshots.length)];
  if (kind < 45) overwrite(volume, inos[which % FILES]!, at % FILE_BLOCKS, 1 + (step.length % FILE_BLOCKS), index);
  else if (kind < 68 || snapshot === undefined) volumes.createSnapshot(volume, { name: `s${index}` });
  else if (kind < 80) volumes.deleteSnapshot(volume, snapshot);
  else if (kind < 90 && all.length < 6) volumes.clone(volume, snapshot, `clone${index}`);
  else if (kind < 98) volumes.restore(volume, snapshot, at % 2 === 0 ? { name: `kept${index}` } : undefined);
  else if (volume.name !== 'main') volumes.deleteVolume(volume);
}

/** A store of its own with what `kv` holds now. */
async function copyOf(memory: MemoryVolumes): Promise<MemoryVolumes> {
  const kv = new MemoryKeyValue();
  const batch = kv.newBatch();
  for (const [key, value] of await memory.kv.range(Uint8Array.of(0), Uint8Array.of(255))) batch.put(key, value);
  await kv.write(batch);
  return openMemoryVolumes({ kv, blocks: memory.blocks });
}

/** Blocks and nodes in use in a copy of the store once `gone` are deleted and all is reclaimed. */
async function inUseWithout(memory: MemoryVolumes, gone: readonly Place[]): Promise<number> {
  const copy = await copyOf(memory);
  for (const { volume, snapshot } of gone) {
    const there = copy.volumes.get(volume.name);
    copy.volumes.deleteSnapshot(there, there.snapshot(snapshot.label.name));
  }
  expect(await copy.check()).toEqual([]);
  const nodes = await copy.kv.range(spaceKey(SPACE.node), spaceKey(SPACE.node, true));
  await copy.volumes.close();
  return copy.volumes.allocatedBlocks + nodes.length;
}

async function measure(memory: MemoryVolumes, masks: readonly number[]): Promise<void> {
  const { forest } = memory.volumes;
  const places = placesOf(memory.volumes);
  const versionsOf = (set: readonly Place[]): Snapshot['version'][] => set.map(({ snapshot }) => snapshot.version);
  const full = await inUseWithout(memory, []);
  for (const mask of masks) {
    const set = places.filter((_, index) => ((mask >>> (index % 30)) & 1) === 1);
    const freed = full - (await inUseWithout(memory, set));
    expect(await rehearseDelete(forest, versionsOf(set))).toBe(freed);
    expect(await rehearse(forest, versionsOf(places), (rehearsal) => rehearsal.freedBy(versionsOf(set)))).toBe(freed);
  }
  const all = memory.volumes.list();
  const used = await snapshotsBlocks(forest, all);
  for (const [index, volume] of all.entries()) {
    const own = places.filter((place) => place.volume === volume);
    expect(used[index]).toBe(full - (await inUseWithout(memory, own)));
    expect(await snapshotsBlocks(forest, [volume])).toEqual([used[index]]);
  }
  // Sets that hold snapshots of several volumes, and leave some out.
  const kinds = [0, 1, 2].map((kind) => versionsOf(places.filter((_, index) => index % 4 === kind)));
  const each = await rehearse(forest, kinds.flat(), (rehearsal) => rehearsal.freedByEach(kinds));
  for (const [kind, versions] of kinds.entries()) expect(each[kind]).toBe(await rehearseDelete(forest, versions));
}

async function runHistory(steps: readonly Step[], settled: boolean): Promise<MemoryVolumes> {
  const memory = await openMemoryVolumes({ cacheBytes: 0 });
  const inos = createFiles(memory.volumes.get('main'));
  for (const [index, step] of steps.entries()) {
    take(step, index, memory.volumes, inos);
    // Lets deleted versions merge into others while the history goes on.
    if (step.length % 7 === 0) await memory.volumes.reclaimed();
  }
  if (settled) expect(await memory.check()).toEqual([]);
  return memory;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(99),
  volume: fc.nat(7),
  which: fc.nat(19),
  at: fc.nat(19),
  length: fc.nat(19),
});
const steps = fc.array(step, { minLength: 20, maxLength: 70, size: 'max' });
const masks = fc.array(fc.nat(2 ** 30 - 1), { minLength: 2, maxLength: 2 });

describe('what deleting snapshots would free', () => {
  it('is what deleting them gives back, for any set and for all of a volume', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, masks, async (history, sets) => {
        const memory = await runHistory(history, true);
        await measure(memory, sets);
        const { forest } = memory.volumes;
        const versions = placesOf(memory.volumes).map(({ snapshot }) => snapshot.version);
        const unique = await uniqueBlocks(forest, versions);
        for (const [index, version] of versions.entries()) {
          const freed = await rehearseDelete(forest, [version]);
          expect(unique[index]).toBe(freed);
          expect(await uniqueBlocks(forest, version)).toBe(freed);
        }
        await memory.volumes.close();
      }),
    );
  });

  it('does not count what other deletions are freeing already', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, masks, async (history, sets) => {
        const memory = await runHistory(history, false);
        // Stops the reclaimer wherever it got to; all that is to be asked stays in memory.
        await memory.volumes.close();
        await measure(memory, sets);
      }),
    );
  });

  it('misses nothing of a dead list that is being moved', async () => {
    const memory = await openMemoryVolumes();
    const main = memory.volumes.get('main');
    const ino = createFiles(main)[0]!;
    const blocks = Array.from({ length: 3000 }, (_, at) => at);
    for (const at of blocks) writeBlock(main, ino, at);
    // Every second one, so that each is a record of its own.
    const rewrite = (parity: number): void => {
      for (const at of blocks) if (at % 2 === parity) writeBlock(main, ino, at);
    };
    for (const [name, parity] of Object.entries({ base: 0, one: 1, two: 0 })) {
      memory.volumes.createSnapshot(main, { name });
      rewrite(parity);
    }
    memory.volumes.deleteSnapshot(main, main.snapshot('one'));
    const isMerging = (): boolean =>
      [...memory.volumes.forest.versions.all()].some(({ state }) => state === VERSION_STATE.merging);
    while (!isMerging()) await new Promise((resolve) => setImmediate(resolve));
    await memory.volumes.close();
    expect(isMerging()).toBe(true);
    await measure(memory, [1, 2]);
  });

  it('finds the oldest that free so much, none of them needless', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(100), async (history, percent) => {
        const memory = await runHistory(history, true);
        const { forest } = memory.volumes;
        const all = memory.volumes.get('main').snapshots();
        const freed = (set: readonly Snapshot[]): Promise<number> =>
          rehearseDelete(
            forest,
            set.map(({ version }) => version),
          );
        const wanted = Math.ceil(((await freed(all)) * percent) / 100);
        const { snapshots, blocks } = await cheapestToFree(forest, all, wanted);
        expect(blocks).toBe(await freed(snapshots));
        expect(blocks).toBeGreaterThanOrEqual(wanted);
        for (const one of snapshots) expect(await freed(snapshots.filter((s) => s !== one))).toBeLessThan(wanted);
        const last = snapshots.at(-1);
        if (last !== undefined) expect(await freed(all.slice(0, all.indexOf(last)))).toBeLessThan(wanted);
        expect((await cheapestToFree(forest, all, (await freed(all)) + 1)).snapshots).toEqual(all);
        await memory.volumes.close();
      }),
    );
  });
});
