// The ledger: records that are not those of one moment are found at opening, and every batch keeps it.

import { dir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { CorruptionError, FsError, StoreError } from '../../../src/errors/index.ts';
import { SPACE, decodeLedger, recordSum, spaceKey, versionKey } from '../../../src/format/index.ts';
import {
  type Batch,
  type KeyValue,
  type KeyValuePair,
  LEDGER_SPACES,
  initStore,
  openLedger,
  openStore,
} from '../../../src/store/index.ts';
import { openLevel } from '../../../src/store/leveldb.ts';
import { equalBytes } from '../../../src/util/index.ts';
import { readFile, writeFile } from '../../../src/vfs/index.ts';
import { ROOT_INO, checkOpenVolumes } from '../../../src/volume/index.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const LEDGER_KEY = spaceKey(SPACE.ledger);
const MIXED = /^db: some of its records are of an older time than others, or lost .*no record was changed; .*-o rewind/;

const open = (kv: KeyValue, rewind = false): Promise<KeyValue> => openLedger(kv, { database: 'db', rewind });

async function recordsOf(kv: KeyValue, space: number): Promise<KeyValuePair[]> {
  return kv.range(spaceKey(space), spaceKey(space, true));
}

/** Changes an engine behind the back of its ledger, as a disk does. */
async function tamper(kv: MemoryKeyValue, key: Uint8Array, value: Uint8Array | undefined): Promise<void> {
  const batch = kv.newBatch();
  if (value === undefined) batch.delete(key);
  else batch.put(key, value);
  await kv.write(batch);
}

/** What the ledger has to say, worked out anew. */
async function expectedLedger(kv: KeyValue): Promise<Map<number, { records: number; sum: number }>> {
  const ledger = new Map<number, { records: number; sum: number }>();
  for (const space of LEDGER_SPACES) {
    let [records, sum] = [0, 0n];
    for (const [key, value] of await recordsOf(kv, space)) {
      records++;
      sum += BigInt(recordSum(key, value));
    }
    if (records > 0) ledger.set(space, { records, sum: Number(sum % (1n << 48n)) });
  }
  return ledger;
}

function write({ volumes }: MemoryVolumes, name: string, text: string): void {
  const tree = new TreeOf(volumes.get('main').filesystem);
  const { ino } = tree.find(ROOT_INO, name) ?? tree.file(ROOT_INO, name);
  writeFile(tree.fs, ino, 0, Buffer.from(text), 0, text.length, false);
}

function content(fs: MemoryVolumes['volumes'], name: string): string {
  const { filesystem } = fs.get('main');
  const into = Buffer.alloc(4096);
  const { ino } = new TreeOf(filesystem).find(ROOT_INO, name)!;
  return into.toString('utf8', 0, readFile(filesystem, ino, 0, 4096, into, 0, 0, false));
}

interface TwoMoments {
  readonly before: MemoryKeyValue;
  readonly memory: MemoryVolumes;
}

/** A store now and as it was: records of every space were changed, added and, where they can be, removed in between. */
async function twoMoments(): Promise<TwoMoments> {
  const memory = await openMemoryVolumes();
  const { volumes } = memory;
  const main = volumes.get('main');
  for (const name of ['a', 'b', 'c', 'd']) {
    write(memory, 'f', name.repeat(4096));
    volumes.createSnapshot(main, { name });
  }
  volumes.clone(main, main.snapshot('d'), 'gone');
  write(memory, 'g', 'g');
  volumes.deleteSnapshot(main, main.snapshot('b'));
  await volumes.reclaimed();
  await volumes.commit();
  const before = memory.kv.copy();
  write(memory, 'f', 'x'.repeat(9000));
  volumes.createSnapshot(main, { name: 'x' });
  volumes.deleteVolume(volumes.get('gone'));
  volumes.deleteSnapshot(main, main.snapshot('c'));
  await volumes.reclaimed();
  await volumes.commit();
  return { before, memory };
}

/** Every way in which one record of `space` can be of another moment: its key, and what the disk left of it. */
async function rotten(
  { before, memory }: TwoMoments,
  space: number,
): Promise<[how: string, Uint8Array, Uint8Array | undefined][]> {
  const found: [string, Uint8Array, Uint8Array | undefined][] = [];
  for (const [key, value] of await recordsOf(memory.kv, space)) {
    const old = before.get(key);
    found.push(['lost', key, undefined]);
    if (old !== undefined && !equalBytes(old, value)) found.push(['stale', key, old]);
  }
  for (const [key, old] of await recordsOf(before, space)) {
    if (memory.kv.get(key) === undefined) found.push(['resurrected', key, old]);
  }
  return found;
}

/** What each space has to offer between the two moments; an alias, once made, stays as it is. */
const WAYS: Record<string, string[]> = {
  super: ['lost', 'stale'],
  volume: ['lost', 'resurrected', 'stale'],
  version: ['lost', 'resurrected', 'stale'],
  alias: ['lost'],
  region: ['lost', 'stale'],
  journal: ['lost', 'stale'],
  deadTotal: ['lost', 'resurrected', 'stale'],
};

describe('a ledger', () => {
  it('finds every record that is stale, lost or resurrected, in each space', async () => {
    const moments = await twoMoments();
    const { memory } = moments;
    await open(memory.kv.copy());
    for (const [name, ways] of Object.entries(WAYS)) {
      const found = await rotten(moments, SPACE[name as keyof typeof SPACE]);
      expect([...new Set(found.map(([how]) => how))].sort(), name).toEqual(ways);
      for (const [how, key, value] of found) {
        const kv = memory.kv.copy();
        await tamper(kv, key, value);
        await expect(open(kv), `${name} ${Buffer.from(key).toString('hex')} ${how}`).rejects.toThrow(MIXED);
        // The record itself is right: nobody else would complain of it.
        await tamper(kv, LEDGER_KEY, undefined);
        await expect(open(kv)).rejects.toThrow(/it is missing/);
      }
    }
  });

  it('finds the same in every other space that it counts', async () => {
    for (const space of LEDGER_SPACES) {
      const kv = new MemoryKeyValue();
      const engine = await open(kv);
      const key = Uint8Array.of(space, 0, 0, 0, 9);
      const states = [Uint8Array.of(1), Uint8Array.of(2)];
      for (const value of states) {
        const batch = engine.newBatch();
        batch.put(key, value);
        await engine.write(batch, true);
      }
      await open(kv);
      for (const value of [states[0], undefined]) {
        const copy = kv.copy();
        await tamper(copy, key, value);
        await expect(open(copy), `space ${space}`).rejects.toThrow(MIXED);
      }
      await tamper(kv, Uint8Array.of(space, 0, 0, 0, 8), states[0]);
      await expect(open(kv), `space ${space}`).rejects.toThrow(MIXED);
    }
  });

  it('is itself found to be stale, lost or damaged', async () => {
    const { before, memory } = await twoMoments();
    const value = memory.kv.get(LEDGER_KEY)!;
    const cases: [Uint8Array | undefined, RegExp][] = [
      [before.get(LEDGER_KEY), /it counts \d+ \w+ records|another/],
      [undefined, /it is missing, and there are \d+ \w+ records/],
      [value.with(17, value[17]! ^ 1), /ledger: checksum does not match/],
    ];
    for (const [left, why] of cases) {
      const kv = memory.kv.copy();
      await tamper(kv, LEDGER_KEY, left);
      await expect(open(kv)).rejects.toThrow(CorruptionError);
      await expect(open(kv)).rejects.toThrow(why);
    }
  });

  it('is not asked for in a new store, nor where damage is known', async () => {
    const empty = new MemoryKeyValue();
    await open(empty);
    expect(empty.size).toBe(0);
    const { memory } = await twoMoments();
    const damaged: KeyValue = Object.assign(memory.kv.copy(), {
      damage: new CorruptionError('db/000005.ldb', 'rotten'),
    });
    expect(await open(damaged)).toBe(damaged);
  });

  it('is there with the first batch, and only with those that change what it counts', async () => {
    const kv = new MemoryKeyValue();
    const engine = await open(kv);
    await engine.write(engine.newBatch(), true);
    const nodes = engine.newBatch();
    nodes.put(Uint8Array.of(SPACE.node, 1), Uint8Array.of(1));
    await engine.write(nodes, true);
    expect(kv.get(LEDGER_KEY)).toBeUndefined();
    const batch = engine.newBatch();
    batch.put(versionKey(1), Uint8Array.of(1));
    await engine.write(batch, true);
    expect(decodeLedger(kv.get(LEDGER_KEY)!)).toEqual(await expectedLedger(kv));
  });

  it('counts a batch once that is tried again, also where another one came in between', async () => {
    const kv = new FullKeyValue();
    const engine = await open(kv);
    const fill = async (version: number): Promise<void> => {
      const batch = engine.newBatch();
      batch.put(versionKey(version), Uint8Array.of(version));
      await engine.write(batch, true);
    };
    await fill(1);
    const batch = engine.newBatch();
    batch.put(versionKey(1), Uint8Array.of(10));
    batch.put(versionKey(2), Uint8Array.of(2));
    kv.isFull = true;
    for (let attempt = 0; attempt < 3; attempt++) await expect(engine.write(batch, true)).rejects.toThrow('full');
    expect(batch.operations).toBe(3);
    kv.isFull = false;
    await fill(3);
    await engine.write(batch, true);
    await fill(4);
    expect(decodeLedger(kv.get(LEDGER_KEY)!)).toEqual(await expectedLedger(kv));
    await open(kv);
  });

  it('takes one batch after another, and only its own', async () => {
    const engine = await open(new MemoryKeyValue());
    const other = await open(new MemoryKeyValue());
    await expect(engine.write(other.newBatch(), true)).rejects.toThrow(/engine that made it/);
    const first = engine.write(engine.newBatch(), true);
    await expect(engine.write(engine.newBatch(), true)).rejects.toThrow(/one after another/);
    await first;
  });

  it('is that of the records after any history of batches', async () => {
    for (const seed of [1, 2, 3]) {
      const random = seededRandom(seed);
      const kv = new FullKeyValue();
      let engine = await open(kv);
      for (let step = 0; step < 400; step++) {
        const batch = engine.newBatch();
        for (let i = random(6); i > 0; i--) {
          const key = Uint8Array.of(1 + random(13), random(5));
          if (random(3) === 0) batch.delete(key);
          else batch.put(key, Uint8Array.of(random(256), random(256)));
        }
        kv.isFull = random(5) === 0;
        if (kv.isFull) await engine.write(batch, true).catch(() => undefined);
        kv.isFull = false;
        // What was given up is not counted.
        if (random(8) > 0) await engine.write(batch, true);
        const stored = kv.get(LEDGER_KEY);
        const expected = await expectedLedger(kv);
        if (stored !== undefined) expect(decodeLedger(stored), `seed ${seed}, step ${step}`).toEqual(expected);
        else expect(expected.size).toBe(0);
        if (random(10) === 0) engine = await open(kv);
      }
    }
  });
});

describe('a store whose ledger does not match', () => {
  it('is opened for reading only where that is asked for', async () => {
    const { memory } = await twoMoments();
    const { blocks, journal } = memory;
    const rot = async (): Promise<MemoryVolumes['kv']> => {
      const kv = memory.kv.copy();
      await tamper(kv, (await recordsOf(kv, SPACE.alias))[0]![0], undefined);
      return kv;
    };
    await expect(openMemoryVolumes({ kv: await rot(), blocks, journal: journal.copy() })).rejects.toThrow(MIXED);
    const kv = await rot();
    const { volumes } = await openMemoryVolumes({ kv, blocks, journal: journal.copy(), rewind: true });
    expect(content(volumes, 'f')).toBe('x'.repeat(4096));
    expect(() => volumes.createSnapshot(volumes.get('main'), { name: 'y' })).toThrow(
      /takes no changes: db: some of its records/,
    );
    const { problems } = await checkOpenVolumes(volumes, {});
    expect(problems.map(({ text }) => text).join('\n')).toMatch(/records of an older time, or lost ones/);
    await volumes.close();
  });

  it('is named with its database', async () => {
    const { path, cleanup } = await dir({ unsafeCleanup: true });
    try {
      const store = `${path}/store`;
      await initStore(store);
      const opened = await openStore(store);
      const batch = opened.kv.newBatch();
      for (const version of [1, 2, 3]) batch.put(versionKey(version), Uint8Array.of(version));
      await opened.kv.write(batch, true);
      await opened.close();
      await (await openStore(store)).close();
      const level = await openLevel(`${store}/db`);
      const loss = level.newBatch();
      loss.delete(versionKey(2));
      await level.write(loss, true);
      await level.close();
      const refusal: unknown = await openStore(store).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(CorruptionError);
      expect((refusal as CorruptionError).message).toMatch(
        /^\/.*\/store\/db: some of its records .*it counts 3 version records, and there are 2/,
      );
      const rewound = await openStore(store, { rewind: true });
      expect(rewound.kv.damage?.record).toBe((refusal as CorruptionError).record);
      await rewound.close();
    } finally {
      await cleanup();
    }
  });

  it('takes no batch', async () => {
    const kv = new MemoryKeyValue();
    await tamper(kv, versionKey(1), Uint8Array.of(1));
    const engine = await open(kv, true);
    expect(engine.damage?.message).toMatch(/^db: .*it is missing.*nothing can be changed/);
    expect(() => engine.newBatch()).toThrow(StoreError);
    await expect(engine.write(kv.newBatch(), true)).rejects.toThrow(StoreError);
    expect([...engine.get(versionKey(1))!]).toEqual([1]);
    expect(await engine.readView().range(versionKey(0), versionKey(9))).toHaveLength(1);
    expect(kv.size).toBe(1);
  });

  it('is named by a check while it is open', async () => {
    const { before, memory } = await twoMoments();
    expect((await checkOpenVolumes(memory.volumes, {})).problems).toEqual([]);
    await tamper(memory.kv, spaceKey(SPACE.journal), before.get(spaceKey(SPACE.journal)));
    const { problems } = await checkOpenVolumes(memory.volumes, {});
    expect(problems.map(({ text }) => text)).toEqual([
      'records of an older time, or lost ones: of the ledger, the sum over the journal records is another',
    ]);
  });
});

class FullKeyValue extends MemoryKeyValue {
  isFull = false;

  override write(batch: Batch, sync: boolean): Promise<void> {
    if (this.isFull) return Promise.reject(new FsError('ENOSPC', 'test-full', 'the host is full'));
    return super.write(batch, sync);
  }
}
