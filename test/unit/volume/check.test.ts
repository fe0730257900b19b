// The full check: what it finds, that it can be done while the store is in use, and that it lets others have their turn.

import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, SPACE, keyAfter, spaceKey } from '../../../src/format/index.ts';
import { readFile, writeFile } from '../../../src/vfs/index.ts';
import { isCurrentExtent } from '../../../src/volume/check-data.ts';
import { ROOT_INO, checkOpenVolumes } from '../../../src/volume/index.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

/** Large enough to go to the data file at once. */
const LARGE = 20 * BLOCK_BYTES;

function fill({ volumes }: MemoryVolumes, name: string, bytes: number): number {
  const fs = volumes.get('main').filesystem;
  const tree = new TreeOf(fs);
  const { ino } = tree.find(ROOT_INO, name) ?? tree.file(ROOT_INO, name);
  writeFile(fs, ino, 0, Buffer.alloc(bytes, name), 0, bytes, false);
  volumes.record();
  return ino;
}

/** Changes each block of the data file that is filled with `fill`. */
function damageData({ blocks }: MemoryVolumes, filled: string): void {
  const bytes = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < blocks.sizeBytes; at += BLOCK_BYTES) {
    blocks.readSync(bytes, 0, BLOCK_BYTES, at);
    if (bytes.every((byte) => byte === filled.charCodeAt(0)))
      blocks.writeSync(Uint8Array.of(1), 0, 1, at + BLOCK_BYTES / 2);
  }
}

describe('a check', () => {
  it('finds nothing wrong in a store that changes all the while', async () => {
    const memory = await openMemoryVolumes();
    const { volumes } = memory;
    const main = volumes.get('main');
    for (let i = 0; i < 40; i++) fill(memory, `f${i}`, LARGE);
    volumes.createSnapshot(main, { name: 'a' });
    let turns = 0;
    let steps = 0;
    const change = async (): Promise<void> => {
      // The check has its turn again at once; what is done here overtakes it.
      if (turns++ % 4 !== 0 || steps === 60) return;
      const step = steps++;
      fill(memory, `f${step % 40}`, LARGE + step);
      if (step % 10 === 5) volumes.createSnapshot(main, { name: `s${step}` });
      if (step % 20 === 15) volumes.deleteSnapshot(main, main.snapshot(`s${step}`));
      await volumes.commit();
    };
    for (let round = 0; round < 5; round++) {
      const report = await checkOpenVolumes(volumes, { data: true, breathe: change });
      expect(report.problems).toEqual([]);
      expect(report.inodes).toBeGreaterThan(0);
      // As much goes on while nobody breathes: a check of a small store takes no pause.
      await change();
    }
    expect(await memory.check()).toEqual([]);
  });

  it('names the file that damaged data belongs to, in the live files and in each snapshot', async () => {
    const memory = await openMemoryVolumes();
    const { volumes } = memory;
    const ino = fill(memory, 'a', LARGE);
    fill(memory, 'b', LARGE);
    volumes.createSnapshot(volumes.get('main'), { name: 'first' });
    await volumes.commit();
    damageData(memory, 'a');
    const { problems } = await checkOpenVolumes(volumes, { data: true });
    expect(problems).toContainEqual({
      text: `volume main, snapshot main@first: inode ${ino}: file block 3 is damaged`,
      path: '/a',
    });
    expect(problems.every(({ path }) => path === '/a')).toBe(true);
    expect(problems).toHaveLength(20);
    expect((await checkOpenVolumes(volumes, {})).problems).toEqual([]);
  });

  it('names each record that is damaged, and looks at the rest', async () => {
    for (const space of [SPACE.node, SPACE.version, SPACE.volume, SPACE.region, SPACE.super]) {
      const memory = await openMemoryVolumes();
      fill(memory, 'a', LARGE);
      await memory.volumes.commit();
      const [record] = await memory.kv.range(spaceKey(space), spaceKey(space, true), 1);
      const [key, value] = record!;
      const batch = memory.kv.newBatch();
      batch.put(key, value.with(value.length - 1, value.at(-1)! ^ 1));
      batch.put(keyAfter(Uint8Array.of(0x7f)), Uint8Array.of(1));
      await memory.kv.write(batch);
      const { problems, records } = await checkOpenVolumes(memory.volumes, {});
      expect(records, `space ${space}`).toBeGreaterThan(3);
      expect(problems.map(({ text }) => text).join('\n'), `space ${space}`).toMatch(/checksum/);
    }
  });

  it('finds bytes behind the end of a file, and reads what is intact', async () => {
    const memory = await openMemoryVolumes();
    const ino = fill(memory, 'a', LARGE);
    const fs = memory.volumes.get('main').filesystem;
    const into = Buffer.alloc(LARGE);
    expect(readFile(fs, ino, 0, LARGE, into, 0, 0, false)).toBe(LARGE);
    expect((await checkOpenVolumes(memory.volumes, { data: true })).comparedBlocks).toBe(20);
  });

  it('looks for the file of a block in no version that is being given up', async () => {
    const memory = await openMemoryVolumes({ cacheBytes: 0 });
    const { volumes } = memory;
    const main = volumes.get('main');
    const names = Array.from({ length: 600 }, (_, i) => `f${i}`);
    const inos = names.map((name) => fill(memory, name, BLOCK_BYTES));
    const origin = volumes.createSnapshot(main, { name: 'origin' });
    const clone = volumes.clone(main, origin, 'clone').filesystem;
    await volumes.commit();
    for (const fs of [clone, main.filesystem])
      for (const ino of inos) writeFile(fs, ino, 0, Buffer.alloc(BLOCK_BYTES, 99), 0, BLOCK_BYTES, false);
    const { id } = origin.version;
    volumes.deleteSnapshot(main, origin);
    await volumes.reclaimed();
    for (let i = 0; i < 2; i++) await volumes.commit();
    // A branching point: its nodes went, since neither child uses them.
    expect(volumes.forest.versions.has(id)).toBe(true);
    const extent = { ino: inos[5]!, first: 0, start: 5, birth: id, sums: [1] };
    expect(isCurrentExtent(volumes.forest, id, extent)).toBe(false);
  });

  it('ends where it is told to', async () => {
    const memory = await openMemoryVolumes();
    for (let i = 0; i < 3000; i++) new TreeOf(memory.volumes.get('main').filesystem).file(ROOT_INO, `file ${i}`);
    let longestMs = 0;
    let sinceMs = performance.now();
    const breathe = (): Promise<void> => {
      longestMs = Math.max(longestMs, performance.now() - sinceMs);
      sinceMs = performance.now();
      return Promise.reject(new Error('enough'));
    };
    await expect(
      (async () => {
        for (;;) await checkOpenVolumes(memory.volumes, { data: true, breathe });
      })(),
    ).rejects.toThrow('enough');
    expect(longestMs).toBeGreaterThan(0);
  });
});
