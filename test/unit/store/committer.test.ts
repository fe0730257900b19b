import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FsError, StoreError } from '../../../src/errors/index.ts';
import { Committer, type Batch, type CommitParticipant, type CommitterOptions } from '../../../src/store/index.ts';
import { assert, noLog } from '../../../src/util/index.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';

const KEY = Uint8Array.of(1);
const NEVER_MS = 3_600_000;
const BLOCK = new Uint8Array(4096).fill(7);
const hostFull = (): FsError => new FsError('ENOSPC', 'test-full', 'full');
const ended = (promise: Promise<void>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => error,
  );

/** Until a commit that was just asked for has captured. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** What happened, in order, in everything below. */
let events: string[];

/** An engine whose writes can be held up and failed. */
class TestKeyValue extends MemoryKeyValue {
  /** What the next writes end with; undefined succeeds. */
  outcomes: (Error | undefined)[] = [];
  #gate: Promise<void> = Promise.resolve();

  /** Holds up writes until the function that it gives is called. */
  shut(): () => void {
    let open = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  override async write(batch: Batch, sync: boolean): Promise<void> {
    await this.#gate;
    const outcome = this.outcomes.shift();
    if (outcome !== undefined) {
      events.push('write failed');
      throw outcome;
    }
    await super.write(batch, sync);
    assert(sync, 'commits are synced');
    events.push(`wrote ${this.value}`);
  }

  get value(): number {
    return this.get(KEY)?.[0] ?? 0;
  }
}

class TestBlockFile extends MemoryBlockFile {
  failure: Error | undefined;

  override async sync(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const before = this.syncs;
    await super.sync();
    if (this.syncs > before) events.push('synced data');
  }
}

/** One number that commits store. It refuses to be captured twice in a row. */
class Counter implements CommitParticipant {
  value = 0;
  durableValue = 0;
  #changed = false;
  #captured: number | undefined;

  add(): void {
    this.value++;
    this.#changed = true;
  }

  capture(batch: Batch): void {
    assert(this.#captured === undefined, 'one capture is in flight');
    this.#captured = this.value;
    if (this.#changed) batch.put(KEY, Uint8Array.of(this.value));
    this.#changed = false;
    events.push(`captured ${this.value}`);
  }

  durable(): void {
    assert(this.#captured !== undefined, 'a capture is in flight');
    this.durableValue = this.#captured;
    this.#captured = undefined;
    events.push(`durable ${this.durableValue}`);
  }
}

let kv: TestKeyValue;
let blocks: TestBlockFile;
let counter: Counter;
let committer: Committer | undefined;

beforeEach(() => {
  events = [];
  kv = new TestKeyValue();
  blocks = new TestBlockFile();
  counter = new Counter();
});
afterEach(async () => {
  // Stops its timer; how it ends is each test's own matter.
  await committer?.close().catch(() => undefined);
  committer = undefined;
});

function start(options: CommitterOptions = {}, participants: CommitParticipant[] = [counter]): Committer {
  committer = new Committer(kv, blocks, participants, { intervalMs: NEVER_MS, ...options });
  return committer;
}

function change(target: Committer, bytes = 0): void {
  counter.add();
  target.markDirty(bytes);
}

describe('Committer', () => {
  it('captures, syncs the data, writes, then says so, each once', async () => {
    const target = start();
    change(target);
    blocks.writeSync(BLOCK, 0, BLOCK.length, 0);
    await target.commit();
    expect(events).toEqual(['captured 1', 'synced data', 'wrote 1', 'durable 1']);
  });

  it('captures its participants in order, into one batch', async () => {
    const order: string[] = [];
    const batches = new Set<Batch>();
    const participant = (name: string): CommitParticipant => ({
      capture: (batch) => {
        order.push(`capture ${name}`);
        batches.add(batch);
      },
      durable: () => order.push(`durable ${name}`),
    });
    await start({}, [participant('a'), participant('b'), participant('c')]).commit();
    expect(order).toEqual(['capture a', 'capture b', 'capture c', 'durable a', 'durable b', 'durable c']);
    expect(batches.size).toBe(1);
  });

  it('writes nothing where nothing changed, but syncs data', async () => {
    const target = start();
    await target.commit();
    blocks.writeSync(BLOCK, 0, BLOCK.length, 0);
    await target.commit();
    expect(events).toEqual(['captured 0', 'durable 0', 'captured 0', 'synced data', 'durable 0']);
  });

  it('shares a commit among those who ask together', async () => {
    const target = start();
    change(target);
    await Promise.all([target.commit(), target.commit(), target.commit()]);
    expect(events.filter((event) => event.startsWith('wrote'))).toEqual(['wrote 1']);
  });

  it('lets an operation that asks in its midst become whole', async () => {
    const target = start();
    const commit = target.commit();
    change(target);
    change(target);
    await commit;
    expect(kv.value).toBe(2);
  });

  it('gives who comes during a commit the next one, together', async () => {
    const target = start();
    const open = kv.shut();
    change(target);
    const first = target.commit();
    await nextTurn();
    change(target);
    const second = target.commit();
    change(target);
    const third = target.commit();
    expect(counter.durableValue).toBe(0);
    open();
    await first;
    expect(counter.durableValue).toBe(1);
    await Promise.all([second, third]);
    expect(events).toEqual(['captured 1', 'wrote 1', 'durable 1', 'captured 3', 'wrote 3', 'durable 3']);
  });

  it('makes every change durable that was made before commit was called, whatever the order', async () => {
    const target = start();
    const waits: Promise<void>[] = [];
    for (let i = 1; i <= 50; i++) {
      change(target);
      const expected = i;
      waits.push(
        target.commit().then(() => {
          expect(kv.value).toBeGreaterThanOrEqual(expected);
        }),
      );
      for (let turn = 0; turn < i % 7; turn++) await Promise.resolve();
    }
    await Promise.all(waits);
    expect(kv.value).toBe(50);
  });

  it('commits by itself within the interval, and only after a change', async () => {
    const target = start({ intervalMs: 10 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(events).toEqual([]);
    change(target);
    expect(kv.value).toBe(0);
    await expect.poll(() => kv.value).toBe(1);
    change(target);
    await expect.poll(() => kv.value).toBe(2);
  });

  it('commits at once when much has changed', async () => {
    const target = start({ maxDirtyBytes: 1000 });
    change(target, 600);
    await target.idle();
    expect(kv.value).toBe(0);
    change(target, 600);
    // Much waits, but nothing is wrong: it is on its way.
    target.assertWritable();
    await target.idle();
    expect(kv.value).toBe(2);
    // Counted anew after the capture.
    change(target, 600);
    await target.idle();
    expect(kv.value).toBe(2);
  });
});

describe('Committer on a full host', () => {
  it('keeps the batch, tries it again before anything newer, and is not poisoned', async () => {
    const target = start();
    change(target);
    kv.outcomes = [hostFull(), hostFull()];
    expect(await ended(target.commit())).toMatchObject({ code: 'ENOSPC' });
    change(target);
    expect(await ended(target.commit())).toMatchObject({ code: 'ENOSPC' });
    expect(target.poisoned).toBeUndefined();
    expect(kv.value).toBe(0);
    change(target);
    await target.commit();
    expect(events).toEqual([
      'captured 1',
      'write failed',
      'write failed',
      'wrote 1',
      'durable 1',
      'captured 3',
      'wrote 3',
      'durable 3',
    ]);
  });

  it('tries again by itself and logs once each way', async () => {
    const lines: string[] = [];
    const log = { ...noLog, error: (line: string) => lines.push(line), info: (line: string) => lines.push(line) };
    const target = start({ intervalMs: 5, log });
    kv.outcomes = [hostFull(), hostFull(), hostFull()];
    change(target);
    await expect.poll(() => kv.value).toBe(1);
    await target.idle();
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/wait in memory.*full/);
    expect(lines[1]).toMatch(/durable/);
  });

  it('refuses changes when too much waits, until there is room', async () => {
    const target = start({ maxDirtyBytes: 1000 });
    kv.outcomes = [hostFull()];
    change(target, 10);
    await ended(target.commit());
    target.assertWritable();
    change(target, 1000);
    expect(() => {
      target.assertWritable();
    }).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    await target.commit();
    target.assertWritable();
  });

  it('says at close that changes are lost', async () => {
    const target = start();
    change(target);
    kv.outcomes = [hostFull(), hostFull()];
    await ended(target.commit());
    expect(await ended(target.close())).toMatchObject({ code: 'ENOSPC' });
  });

  it('tries again where data, not the batch, finds no room', async () => {
    const target = start();
    change(target);
    blocks.failure = hostFull();
    expect(await ended(target.commit())).toBe(blocks.failure);
    expect([target.poisoned, kv.value]).toEqual([undefined, 0]);
    blocks.failure = undefined;
    await target.commit();
    expect(kv.value).toBeGreaterThan(0);
  });
});

describe('Committer after a failure', () => {
  const broken = new StoreError('broken');

  it('that is heard of some asynchronous functions later captures nothing of it', async () => {
    const target = start();
    let commit: Promise<unknown> | undefined;
    const half = async (): Promise<void> => {
      commit = ended(target.commit());
      change(target);
      await Promise.reject(broken);
    };
    const deeper = async (levels: number): Promise<void> => {
      await (levels === 0 ? half() : deeper(levels - 1));
    };
    await deeper(20).catch((error: unknown) => target.poison(error));
    expect(await commit).toBe(broken);
    expect(kv.value).toBe(0);
  });

  it('that comes while a held batch is tried again captures nothing newer', async () => {
    const target = start();
    kv.outcomes = [hostFull()];
    change(target);
    await ended(target.commit());
    const open = kv.shut();
    const again = target.commit();
    await nextTurn();
    // Half of an operation.
    counter.add();
    target.poison(broken);
    open();
    expect(await ended(again)).toBe(broken);
    expect(kv.value).toBe(1);
  });

  const isPoisoned = async (target: Committer, error: Error): Promise<void> => {
    expect(target.poisoned).toBe(error);
    expect(() => {
      target.assertWritable();
    }).toThrow(expect.objectContaining({ code: 'EROFS', cause: error }));
    const before = events.length;
    // A change that was under way; whoever made it finds out at its commit.
    change(target);
    expect(await ended(target.commit())).toBe(error);
    expect(await ended(target.close())).toBe(error);
    expect(events).toHaveLength(before);
  };

  it('of the engine takes nothing more', async () => {
    const told: Error[] = [];
    const target = start({ onPoison: (error) => told.push(error) });
    kv.outcomes = [broken];
    change(target);
    const first = target.commit();
    await Promise.resolve();
    const second = target.commit();
    expect(await ended(first)).toBe(broken);
    expect(await ended(second)).toBe(broken);
    await isPoisoned(target, broken);
    expect(told).toEqual([broken]);
    expect(kv.value).toBe(0);
  });

  it('of the data file writes no batch', async () => {
    const target = start();
    blocks.failure = broken;
    change(target);
    expect(await ended(target.commit())).toBe(broken);
    expect(events).toEqual(['captured 1']);
    await isPoisoned(target, broken);
  });

  it('in a capture or at its end takes nothing more', async () => {
    for (const step of ['capture', 'durable'] as const) {
      const participant: CommitParticipant = { capture: () => undefined, durable: () => undefined };
      participant[step] = () => {
        throw broken;
      };
      const target = start({}, [participant]);
      expect(await ended(target.commit())).toBe(broken);
      await isPoisoned(target, broken);
    }
  });

  it('of the timer is told to onPoison, and nobody else', async () => {
    const told: Error[] = [];
    const target = start({ intervalMs: 5, onPoison: (error) => told.push(error) });
    kv.outcomes = [broken];
    change(target);
    await expect.poll(() => told).toEqual([broken]);
    await isPoisoned(target, broken);
  });
});

describe('Committer at its end', () => {
  it('commits what is left, after what is under way', async () => {
    const target = start();
    const open = kv.shut();
    change(target);
    const first = target.commit();
    await Promise.resolve();
    change(target);
    const closed = target.close();
    open();
    await Promise.all([first, closed]);
    expect(kv.value).toBe(2);
    await target.close();
  });

  it('takes no change and no commit afterwards', async () => {
    const target = start({ intervalMs: 5 });
    change(target);
    await target.close();
    const before = [...events];
    await expect(target.commit()).rejects.toThrow(/closed/);
    expect(() => {
      target.markDirty();
    }).toThrow(/closed/);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(events).toEqual(before);
  });

  it('is idle when no commit is under way, however it ended', async () => {
    const target = start();
    await target.idle();
    kv.outcomes = [hostFull()];
    const open = kv.shut();
    change(target);
    const commit = ended(target.commit());
    let idle = false;
    const waiting = target.idle().then(() => {
      idle = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(idle).toBe(false);
    open();
    await waiting;
    expect(await commit).toMatchObject({ code: 'ENOSPC' });
  });
});
