// Volumes of a store of which some records can't be read: everything else is shown, and nothing wrong.

import { expect, it } from 'vitest';
import { CorruptionError, FsError } from '../../../src/errors/index.ts';
import { SPACE, spaceKey, versionKey, volumeKey } from '../../../src/format/index.ts';
import type { Batch, KeyValuePair } from '../../../src/store/index.ts';
import { readFile, writeFile } from '../../../src/vfs/index.ts';
import { type Filesystem, ROOT_INO, type Volumes } from '../../../src/volume/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

/** Keys that begin with one of `lost` can't be read. */
class DamagedKeyValue extends MemoryKeyValue {
  override readonly damage = new CorruptionError('db/000005.ldb', 'the block at 0 does not match its checksum');
  readonly #lost: readonly Uint8Array[];

  constructor(lost: readonly Uint8Array[]) {
    super();
    this.#lost = lost;
  }

  #isLost(key: Uint8Array): boolean {
    return this.#lost.some((prefix) => Buffer.compare(key.subarray(0, prefix.length), prefix) === 0);
  }

  override get(key: Uint8Array): Uint8Array | undefined {
    if (this.#isLost(key)) throw this.damage;
    return super.get(key);
  }

  override async range(from: Uint8Array, to: Uint8Array, limit?: number): Promise<KeyValuePair[]> {
    const pairs = await super.range(from, to, limit);
    if (pairs.some(([key]) => this.#isLost(key))) throw this.damage;
    return pairs;
  }

  override write(batch: Batch): Promise<void> {
    return Promise.reject(new Error(`${batch.operations} operations are written to a damaged database`));
  }
}

const SNAPSHOTS = 12;

function write(tree: TreeOf, name: string, text: string): void {
  writeFile(tree.fs, tree.file(ROOT_INO, name).ino, 0, Buffer.from(text), 0, text.length, false);
}

/** Snapshots, some deleted and merged, a clone, and operations that only the journal holds. */
async function fill(): Promise<MemoryVolumes> {
  const memory = await openMemoryVolumes();
  const { volumes } = memory;
  const main = volumes.get('main');
  const tree = new TreeOf(main.filesystem);
  for (let i = 0; i < SNAPSHOTS; i++) {
    write(tree, `file ${i}`, `content ${i}`);
    volumes.createSnapshot(main, { name: `s${i}` });
  }
  volumes.clone(main, main.snapshot('s5'), 'other');
  for (const i of [2, 3, 7]) volumes.deleteSnapshot(main, main.snapshot(`s${i}`));
  await volumes.reclaimed();
  await volumes.commit();
  write(tree, 'late', 'late');
  volumes.record();
  return memory;
}

function reopen(
  { kv, blocks, journal }: MemoryVolumes,
  lost: readonly Uint8Array[],
  rewind = false,
): Promise<MemoryVolumes> {
  return openMemoryVolumes({ kv: kv.copyInto(new DamagedKeyValue(lost)), blocks, journal: journal.copy(), rewind });
}

function contentOf(fs: Filesystem, name: string): string {
  const { ino } = new TreeOf(fs).find(ROOT_INO, name)!;
  const into = Buffer.alloc(4096);
  return into.toString('utf8', 0, readFile(fs, ino, 0, 4096, into, 0, 0, false));
}

const names = (volumes: Volumes): string[] => volumes.list().map(({ name }) => name);

it('shows everything where nothing that is needed is lost: aliases, bitmaps, books, the place in the journal', async () => {
  const memory = await fill();
  for (const space of [SPACE.alias, SPACE.region, SPACE.dead, SPACE.deadSum]) {
    const { volumes } = await reopen(memory, [spaceKey(space)]);
    expect(names(volumes)).toEqual(['main', 'other']);
    const main = volumes.get('main');
    expect(main.snapshotCount).toBe(SNAPSHOTS - 3);
    expect(contentOf(main.filesystem, 'file 9')).toBe('content 9');
    expect(contentOf(main.snapshot('s4').filesystem, 'file 4')).toBe('content 4');
    expect(contentOf(volumes.get('other').filesystem, 'file 5')).toBe('content 5');
    expect(() => volumes.createSnapshot(main, { name: 'x' })).toThrow(/takes no changes: db\/000005\.ldb/);
    await volumes.flush();
    await volumes.close();
  }
});

it('shows what the journal holds, if it can be done again, else the last commit', async () => {
  const memory = await fill();
  const whole = await reopen(memory, [Buffer.from('no such key')]);
  expect(contentOf(whole.volumes.get('main').filesystem, 'late')).toBe('late');
  await whole.volumes.close();
  // Without its mark the journal's place is not known.
  const lost = await reopen(memory, [spaceKey(SPACE.journal)]);
  expect(new TreeOf(lost.volumes.get('main').filesystem).find(ROOT_INO, 'late')).toBeUndefined();
  expect(contentOf(lost.volumes.get('main').filesystem, 'file 9')).toBe('content 9');
  await lost.volumes.close();
});

it('is refused where what can be read is not of one moment, and shown with rewind', async () => {
  const memory = await fill();
  const [[key, value]] = (await memory.kv.range(spaceKey(SPACE.volume), spaceKey(SPACE.volume, true))) as [
    KeyValuePair,
  ];
  const moved = memory.kv.newBatch();
  moved.delete(key);
  moved.put(volumeKey('nain'), value);
  await memory.kv.write(moved);
  for (const lost of [SPACE.node, SPACE.version]) {
    await expect(reopen(memory, [spaceKey(lost)])).rejects.toThrow(/of the ledger, the sum over the volume records/);
    const { volumes } = await reopen(memory, [spaceKey(lost)], true);
    expect(volumes.failure?.message).toMatch(/of an older time in parts/);
    await volumes.close();
  }
});

it('tells that it can not tell, where some of what is compared can not be read', async () => {
  const memory = await fill();
  const damages = await Promise.all(
    [SPACE.node, SPACE.version, SPACE.ledger].map(async (space) => {
      const { volumes } = await reopen(memory, [Uint8Array.of(space)]);
      const { message } = volumes.failure!;
      await volumes.close();
      return /can not be told whether they are of the same time/.test(message);
    }),
  );
  expect(damages).toEqual([false, true, true]);
});

it('leaves out what can not be read, and says of a volume why', async () => {
  const memory = await fill();
  const { volumes: before } = memory;
  const head = before.get('other').head.id;
  const snapshot = before.get('main').snapshot('s4').version.id;
  const { volumes } = await reopen(memory, [versionKey(head), versionKey(snapshot)]);
  expect(names(volumes)).toEqual(['main']);
  const refusal = (() => {
    try {
      return volumes.get('other');
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toBeInstanceOf(FsError);
  expect((refusal as FsError).message).toMatch(/volume "other" can't be shown/);
  const main = volumes.get('main');
  expect(main.snapshots().map(({ label }) => label.name)).toEqual(['s0', 's1', 's5', 's6', 's8', 's9', 's10', 's11']);
  expect(contentOf(main.snapshot('s11').filesystem, 'file 4')).toBe('content 4');
  await volumes.close();
});

it('is refused where what everything needs is lost, with what to do', async () => {
  const memory = await fill();
  for (const space of [SPACE.super, SPACE.volume])
    await expect(reopen(memory, [spaceKey(space)])).rejects.toThrow(
      /nothing can be shown without that; restore the store/,
    );
});
