// Scrubbing: each block is read once however many versions share it, damage is named with all places, and it goes on after a pause and after
// the end of the process.

import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import { writeFile } from '../../../src/vfs/index.ts';
import { ROOT_INO, Scrubber, type Volume } from '../../../src/volume/index.ts';
import { noLog } from '../../../src/util/index.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const LARGE = 20 * BLOCK_BYTES;

function fill({ volumes }: MemoryVolumes, volume: Volume, name: string, filling: string, bytes = LARGE): void {
  const fs = volume.filesystem;
  const tree = new TreeOf(fs);
  const { ino } = tree.find(ROOT_INO, name) ?? tree.file(ROOT_INO, name);
  writeFile(fs, ino, 0, Buffer.alloc(bytes, filling), 0, bytes, false);
  volumes.record();
}

/** Damages one block that is filled with `filling`. */
function damageData({ blocks }: MemoryVolumes, filling: string): void {
  const bytes = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < blocks.sizeBytes; at += BLOCK_BYTES) {
    blocks.readSync(bytes, 0, BLOCK_BYTES, at);
    if (!bytes.every((byte) => byte === filling.charCodeAt(0))) continue;
    blocks.writeSync(Uint8Array.of(1), 0, 1, at);
    return;
  }
  throw new Error(`no block is filled with ${filling}`);
}

class Storage {
  text: string | undefined;
  read(): string | undefined {
    return this.text;
  }
  write(text: string): void {
    this.text = text;
  }
}

async function end(scrubber: Scrubber): Promise<void> {
  while (scrubber.state?.phase === 'running') await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A volume with a snapshot after each of some files, a clone of the second one, and a snapshot less. */
async function sample(): Promise<MemoryVolumes> {
  const memory = await openMemoryVolumes();
  const { volumes } = memory;
  const main = volumes.get('main');
  for (const name of ['a', 'b', 'c', 'd']) {
    fill(memory, main, name, name);
    volumes.createSnapshot(main, { name: `with-${name}` });
  }
  const clone = volumes.clone(main, main.snapshot('with-b'), 'other');
  fill(memory, clone, 'e', 'e');
  fill(memory, main, 'a', 'f', BLOCK_BYTES * 3);
  volumes.deleteSnapshot(main, main.snapshot('with-b'));
  await volumes.commit();
  await volumes.reclaimed();
  await volumes.commit();
  return memory;
}

describe('a scrub', () => {
  it('reads each block once', async () => {
    const memory = await sample();
    const scrubber = new Scrubber(memory.volumes, new Storage(), noLog);
    scrubber.start(null);
    await end(scrubber);
    expect(scrubber.state).toMatchObject({ phase: 'finished', damage: [], unlisted: 0 });
    expect(scrubber.state!.readBytes).toBe(memory.volumes.allocatedBlocks * BLOCK_BYTES);
    expect(scrubber.state!.totalBytes).toBe(scrubber.state!.readBytes);
    expect(scrubber.state!.records).toBeGreaterThan(10);
  });

  it('names every file that has a damaged block, in all volumes and snapshots', async () => {
    const memory = await sample();
    damageData(memory, 'b');
    damageData(memory, 'a');
    const scrubber = new Scrubber(memory.volumes, new Storage(), noLog);
    scrubber.start(null);
    await end(scrubber);
    const places = scrubber.state!.damage.map((damage) => damage.places.toSorted());
    expect(places).toEqual([
      // Its first blocks were overwritten in the live files since.
      ['main@with-a:/a', 'main@with-c:/a', 'main@with-d:/a', 'other:/a'],
      ['main:/b', 'main@with-c:/b', 'main@with-d:/b', 'other:/b'],
    ]);
    expect(scrubber.state!.phase).toBe('finished');
  });

  it('goes on where it was after a pause and after the end of the process', async () => {
    const memory = await sample();
    const storage = new Storage();
    const first = new Scrubber(memory.volumes, storage, noLog);
    // Slow enough to be stopped in its midst.
    first.start(BLOCK_BYTES * 100);
    while (first.state!.readBytes === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await first.pause();
    const { readBytes, totalBytes } = first.state!;
    expect(first.state!.phase).toBe('paused');
    expect(readBytes).toBeLessThan(totalBytes);
    expect(() => {
      first.start(null);
    }).toThrow(/paused/);
    await first.close();

    const second = new Scrubber(memory.volumes, storage, noLog);
    second.resumeInterrupted();
    expect(second.state).toMatchObject({ phase: 'paused', readBytes });
    second.resume();
    await second.close();
    expect(second.state!.phase).toBe('running');

    const text = storage.text!.replace(/"rateBytes": \d+/, '"rateBytes": null');
    const third = new Scrubber(memory.volumes, { read: () => text, write: () => undefined }, noLog);
    third.resumeInterrupted();
    await end(third);
    expect(third.state).toMatchObject({ phase: 'finished', readBytes: totalBytes, totalBytes });
  });

  it('is not misled by files that change under it', async () => {
    const memory = await sample();
    const { volumes } = memory;
    const main = volumes.get('main');
    const scrubber = new Scrubber(volumes, new Storage(), noLog);
    for (let round = 0; round < 10; round++) {
      scrubber.start(null);
      for (let step = 0; scrubber.state!.phase === 'running'; step++) {
        fill(memory, main, 'a', 'xyz'[step % 3]!, LARGE);
        fill(memory, main, 'new', 'small'[step % 5]!, 100);
        if (step % 5 === 0) volumes.createSnapshot(main, { name: `${round}-${step}` });
        if (step % 10 === 9) volumes.deleteSnapshot(main, main.newest!);
        await volumes.commit();
        await new Promise((resolve) => setImmediate(resolve));
        if (step > 200) break;
      }
      await end(scrubber);
      expect(scrubber.state).toMatchObject({ phase: 'finished', damage: [] });
    }
    expect(await memory.check()).toEqual([]);
  });

  it('takes a stored state that is none for none', async () => {
    const { volumes } = await openMemoryVolumes();
    for (const text of ['', '{', 'null', '{"phase":"running"}']) {
      expect(new Scrubber(volumes, { read: () => text, write: () => undefined }, noLog).state).toBeUndefined();
    }
  });
});
