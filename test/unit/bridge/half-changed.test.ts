/** Where a change meets damaged metadata in its midst, nobody is shown what is left of it: what was there before, or EIO. */
import { beforeAll, expect, test } from 'vitest';
import { ERRNO } from '../../../src/errors/index.ts';
import { ROOT, errnoOf, listAll, openBridged, takeSnapshot, type BridgedMount } from '../../support/bridged-mount.ts';
import type { FakeMount } from '../../support/fake-mount.ts';
import { diffFilesystems } from '../../../src/volume/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import type { MemoryVolumes } from '../../support/memory-volumes.ts';
import { RottingKeyValue } from '../../support/rotting-key-value.ts';

const BLOCK = 4096;
/** Every other block is data: so many extents that the tree has several leaves. */
const EXTENTS = 800;

/** So many names that listing them reads several leaves. */
const FILES = 100;

/** A store with a file whose data blocks are full of 1, and a snapshot of it. */
let whole: MemoryVolumes;

beforeAll(async () => {
  const { mount, memory } = await openBridged();
  const file = mount.create(ROOT, 'f').entry.node;
  const write = (block: number): number => mount.write(file, 0, block * BLOCK, Buffer.alloc(BLOCK, 1));
  for (let i = 0; i < EXTENTS; i++) write(2 * i);
  for (let i = 0; i < FILES; i++) mount.create(ROOT, String(i).padStart(100, '0'));
  await takeSnapshot(mount, 's');
  // The volume owns some nodes again, and shares others with the snapshot.
  for (let i = 0; i < EXTENTS; i += 200) write(2 * i);
  await memory.volumes.commit();
  await memory.volumes.close();
  whole = memory;
});

/** Mounts a copy, of which nothing is in memory. */
function mountCopy(): Promise<BridgedMount & { kv: RottingKeyValue }> {
  const kv = whole.kv.copyInto(new RottingKeyValue());
  const volumes = { kv, blocks: whole.blocks.copy(), journal: whole.journal.copy() };
  return openBridged({ volumes }).then((bridged) => ({ ...bridged, kv }));
}

/** What reading finds in the data blocks of the file: their bytes, or EIO. */
function foundIn(mount: FakeMount, file: bigint): (number | string)[] {
  const found = new Set<number | string>();
  for (let i = 0; i < EXTENTS; i++) {
    const error = errnoOf(() => {
      for (const byte of mount.read(file, 0, 2 * i * BLOCK, BLOCK)) found.add(byte);
    });
    if (error !== 0) found.add(error === ERRNO.EIO ? 'EIO' : `errno ${error}`);
  }
  return [...found];
}

const CHANGES: [what: string, change: (mount: FakeMount, file: bigint) => unknown][] = [
  ['a truncation', (mount, file) => mount.setattr(file, { size: 100 })],
  ['a large write', (mount, file) => mount.write(file, 0, 300 * BLOCK, Buffer.alloc(250 * BLOCK, 2))],
];

test.each(CHANGES)('%s, at every node that it reads', async (_what, change) => {
  let halves = 0;
  for (let nodesLeft = 0; ; nodesLeft++) {
    const { mount, memory, kv } = await mountCopy();
    const file = mount.lookup(ROOT, 'f').node;
    kv.nodesLeft = nodesLeft;
    const error = errnoOf(() => change(mount, file));
    kv.nodesLeft = Infinity;
    if (error === 0) break;
    expect([error, memory.volumes.failure?.message]).toEqual([ERRNO.EIO, expect.stringMatching(/node \d+/)]);
    const found = foundIn(mount, file);
    expect([[1], ['EIO']]).toContainEqual(found);
    if (found[0] === 'EIO') {
      halves++;
      expect(errnoOf(() => mount.getattr(ROOT))).toBe(ERRNO.EIO);
      const main = memory.volumes.get('main');
      const sides = [main.snapshot('s').filesystem, main.filesystem] as const;
      await expect(diffFilesystems(...sides, { breathe: () => Promise.resolve() })).rejects.toThrow(/ended half-way/);
      const snapshot = mount.lookup(mount.lookup(mount.lookup(ROOT, '.snapshots').node, 's').node, 'f').node;
      expect(foundIn(mount, snapshot)).toEqual([1]);
    }
    const { blocks, journal } = memory;
    const again = await openBridged({ volumes: { kv: kv.copy(), blocks: blocks.copy(), journal: journal.copy() } });
    expect(foundIn(again.mount, again.mount.lookup(ROOT, 'f').node)).toEqual([1]);
    expect(await again.memory.check()).toEqual([]);
  }
  expect(halves).toBeGreaterThan(0);
});

test('what is only read stays readable, though reading moves a time of access', async () => {
  for (let nodesLeft = 0, met = 0; met < 3; nodesLeft++) {
    const { mount, memory, kv } = await mountCopy();
    memory.clock.advance(100_000);
    const file = mount.lookup(ROOT, 'f').node;
    kv.nodesLeft = nodesLeft;
    const error = errnoOf(() => listAll(mount, ROOT, true));
    for (let i = 0; i < EXTENTS; i++) errnoOf(() => mount.read(file, 0, 2 * i * BLOCK, BLOCK));
    kv.nodesLeft = Infinity;
    if (memory.volumes.failure !== undefined) met++;
    expect([0, ERRNO.EIO]).toContain(error);
    expect(foundIn(mount, file)).toEqual([1]);
  }
});

/** Fails in a way that nobody foresaw. */
class FaultyBlockFile extends MemoryBlockFile {
  isFaulty = false;

  override writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    if (this.isFaulty) throw new TypeError('a fault of a test');
    super.writeSync(from, fromOffset, length, byteOffset);
  }
}

test.each([0, 100])('by a fault of the program, in a write from byte %i on', async (offset) => {
  const blocks = new FaultyBlockFile();
  const { mount, memory } = await openBridged({ volumes: { blocks } });
  const file = mount.create(ROOT, 'f').entry.node;
  const before = Buffer.alloc(256 * BLOCK, 1);
  mount.write(file, 0, 0, before);
  blocks.isFaulty = true;
  // The rest of a block is kept in memory, and has changed when the blocks behind it are written.
  expect(errnoOf(() => mount.write(file, 0, offset, Buffer.alloc(60 * BLOCK, 2)))).toBe(ERRNO.EIO);
  blocks.isFaulty = false;
  const { failure } = memory.volumes;
  const again = await openBridged({
    volumes: { kv: memory.kv.copy(), blocks: blocks.copy(), journal: memory.journal.copy() },
  });
  expect(again.mount.read(again.mount.lookup(ROOT, 'f').node, 0, 0, before.length).equals(before)).toBe(true);
  expect(await again.memory.check()).toEqual([]);
  if (offset > 0) {
    expect(failure?.message).toMatch(/a fault of amberfs ended a change half-way: a fault of a test/);
    expect(errnoOf(() => mount.getattr(file))).toBe(ERRNO.EIO);
  } else {
    expect(failure).toBeUndefined();
    expect(mount.write(file, 0, 0, before)).toBe(before.length);
  }
});
