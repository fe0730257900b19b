// The one committer of a store: makes changes durable in groups.
//
// A commit takes the changes of all participants in one synchronous stretch, brings the data that they refer to to stable storage,
// then writes their batch atomically and synced, then tells the participants. Operations go on meanwhile; their changes are for the
// next commit. A stretch starts from the event loop only, never within an operation: what is captured is always whole.
//
// When the host is full, the batch is kept as it was captured and is tried again before anything newer is captured: participants
// see one capture in flight for as long as that takes, and nobody has to take a capture back. Any other failure poisons the
// committer: it is not known what reached the disk, so nothing may follow until the store is opened again.
//
// INVARIANT: `durable` follows each `capture` before the next one; batches reach the engine in the order of their captures, each
// after its data (checked by test/unit/store/committer.test.ts).

import { setImmediate as nextTurn } from 'node:timers/promises';
import { CorruptionError, FsError } from '../errors/index.ts';
import { AssertionError, assert, noLog, systemClock, type Clock, type Log } from '../util/index.ts';
import type { BlockFile } from './block-file.ts';
import type { Batch, KeyValue } from './kv.ts';

/** Holds changes in memory that commits make durable. */
export interface CommitParticipant {
  /** Puts all changes since the last capture into `batch`. Called with no capture in flight. Must not call the committer. */
  capture(batch: Batch): void;
  /** What was captured last is durable. */
  durable(): void;
}

export interface CommitterOptions {
  /** A change is committed within this time. */
  intervalMs?: number;
  /** A commit starts at once when changes of so many bytes wait. */
  maxDirtyBytes?: number;
  /** Called once, with what made further commits impossible. */
  onPoison?: (error: Error) => void;
  log?: Log;
  clock?: Clock;
}

const INTERVAL_MS = 2000;
const DIRTY_BYTES_MAX = 32 * 1024 * 1024;
/** A commit that takes longer is worth a line in the log. */
const SLOW_MS = 10_000;

export class Committer {
  readonly #kv: KeyValue;
  readonly #blocks: Pick<BlockFile, 'sync'>;
  readonly #participants: readonly CommitParticipant[];
  readonly #options: Required<CommitterOptions>;
  #timer: NodeJS.Timeout | undefined;
  /** Waiting to be captured, as far as markDirty was told. */
  #dirtyBytes = 0;
  /** The commit that has captured. */
  #running: Promise<void> | undefined;
  /** The commit that will capture when that one ends; shared by all who came since. */
  #next: Promise<void> | undefined;
  /** Captured, not written yet: being written, or waiting for room on the host. */
  #held: Batch | undefined;
  #hostFull = false;
  #poison: Error | undefined;
  #closed = false;

  /** `participants` capture in the given order, into one batch. */
  constructor(
    kv: KeyValue,
    blocks: Pick<BlockFile, 'sync'>,
    participants: readonly CommitParticipant[],
    options: CommitterOptions = {},
  ) {
    this.#kv = kv;
    this.#blocks = blocks;
    this.#participants = participants;
    this.#options = {
      intervalMs: INTERVAL_MS,
      maxDirtyBytes: DIRTY_BYTES_MAX,
      onPoison: () => undefined,
      log: noLog,
      clock: systemClock,
      ...options,
    };
  }

  /** Why no commit is possible any more, if so. */
  get poisoned(): Error | undefined {
    return this.#poison;
  }

  /**
   * To be called before a change. Throws FsError EROFS when commits have become impossible, FsError ENOSPC when the host is full and
   * as much waits in memory as may; what frees memory need not ask.
   */
  assertWritable(): void {
    if (this.#poison instanceof CorruptionError) {
      throw new FsError('EROFS', 'store-damaged', `the store takes no changes: ${this.#poison.message}`, {
        cause: this.#poison,
      });
    }
    if (this.#poison !== undefined) {
      throw new FsError(
        'EROFS',
        'store-poisoned',
        `the store takes no changes since it failed (${this.#poison.message}); fix the cause, then stop and start amberfs`,
        { cause: this.#poison },
      );
    }
    if (this.#hostFull && this.#dirtyBytes >= this.#options.maxDirtyBytes) {
      throw new FsError(
        'ENOSPC',
        'commit-waits-for-host',
        "a commit waits for room on the host's filesystem, and no more changes fit in memory; free space on the host",
      );
    }
  }

  /** Something changed, of about `bytes` in memory: a commit follows within the interval. */
  markDirty(bytes = 0): void {
    assert(!this.#closed, 'nothing changes after the committer was closed');
    this.#dirtyBytes += bytes;
    if (this.#poison !== undefined) return;
    this.#timer ??= this.#schedule();
    if (this.#dirtyBytes >= this.#options.maxDirtyBytes && this.#next === undefined && !this.#hostFull) {
      this.commit().catch(reported);
    }
  }

  /**
   * Everything changed before this call is durable when the promise resolves. Callers share a commit; one that comes while a commit
   * is under way gets the next. Rejects with FsError ENOSPC while the host is full (nothing is lost, and it is tried again by
   * itself), and with what poisoned the committer.
   */
  commit(): Promise<void> {
    if (this.#closed)
      return Promise.reject(new AssertionError('no commit is asked for after the committer was closed'));
    return this.#request();
  }

  #request(): Promise<void> {
    this.#next ??= this.#follow(this.#running);
    return this.#next;
  }

  async #follow(previous: Promise<void> | undefined): Promise<void> {
    await previous?.catch(reported);
    await operationsEnded();
    this.#running = this.#next;
    this.#next = undefined;
    try {
      await this.#run();
    } finally {
      this.#running = undefined;
    }
  }

  #assertNotPoisoned(): void {
    if (this.#poison !== undefined) throw this.#poison;
  }

  async #run(): Promise<void> {
    this.#assertNotPoisoned();
    const startMs = this.#options.clock.nowMs();
    try {
      if (this.#held !== undefined) {
        await this.#writeHeld(this.#held);
        await operationsEnded();
        // Meanwhile an operation may have failed half-way: what is in memory is not to be captured then.
        this.#assertNotPoisoned();
      }
      this.#stopTimer();
      this.#dirtyBytes = 0;
      const batch = this.#kv.newBatch();
      for (const participant of this.#participants) participant.capture(batch);
      this.#held = batch;
      await this.#writeHeld(batch);
    } catch (error) {
      if (!isHostFull(error) || this.#held === undefined) throw this.poison(error);
      this.#waitForHost(error);
      throw error;
    }
    const tookMs = this.#options.clock.nowMs() - startMs;
    if (tookMs >= SLOW_MS)
      this.#options.log.warn(`a commit took ${Math.round(tookMs / 1000)} s: the host's disk is slow`);
  }

  async #writeHeld(batch: Batch): Promise<void> {
    await this.#blocks.sync();
    if (batch.operations > 0) await this.#kv.write(batch, true);
    this.#held = undefined;
    for (const participant of this.#participants) participant.durable();
    if (!this.#hostFull) return;
    this.#hostFull = false;
    this.#options.log.info('the host has room again: changes are durable');
  }

  #waitForHost(error: FsError): void {
    if (!this.#hostFull) this.#options.log.error(`changes wait in memory: ${error.message}`);
    this.#hostFull = true;
    this.#timer ??= this.#schedule();
  }

  /** Makes further commits impossible: what is in memory must not become durable. Gives the error that says so. */
  poison(error: unknown): Error {
    if (this.#poison !== undefined) return this.#poison;
    const poison = error instanceof Error ? error : new Error(String(error));
    this.#poison = poison;
    this.#held = undefined;
    this.#stopTimer();
    this.#options.log.error(`the store takes no more changes: ${poison.message}`);
    this.#options.onPoison(poison);
    return poison;
  }

  #schedule(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      this.#request().catch(reported);
    }, this.#options.intervalMs);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Resolves when no commit is under way or asked for, however those end. */
  async idle(): Promise<void> {
    for (;;) {
      const last = this.#next ?? this.#running;
      if (last === undefined) return;
      await last.catch(reported);
    }
  }

  /** Commits what is left and stops. Rejects like `commit`; the committer is closed all the same. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#assertNotPoisoned();
      await this.#request();
    } finally {
      this.#stopTimer();
    }
  }
}

function isHostFull(error: unknown): error is FsError {
  return error instanceof FsError && error.code === 'ENOSPC';
}

/**
 * A turn of the event loop. An operation that asks for a commit in its midst is whole by then; and of one that failed half-way, in whatever
 * asynchronous function, whoever poisons the committer for it has heard.
 */
function operationsEnded(): Promise<void> {
  return nextTurn();
}

/** A rejection that the log and `onPoison` have told of already. */
function reported(): void {
  return undefined;
}
