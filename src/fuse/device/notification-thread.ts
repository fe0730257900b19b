// A thread that writes many notifications in a row: some 3 us each, where one that goes through the thread pool takes 20 to 30, nearly all of
// it for waking that thread and being woken by it. Starting the thread takes some 30 ms and it holds some 7 MiB, so it is there only
// while it is needed, and some seconds longer.
//
// It is never ended while it writes: it may wait in the kernel then, and whoever ends a thread waits for it.

import { Worker } from 'node:worker_threads';
import { assert } from '../../util/index.ts';
import type { SendOutcome } from '../session/channel.ts';
import type { NotificationBatch } from './write-batch.ts';

/** How long the thread waits for more. */
const IDLE_MS = 5_000;

/** It copies nothing and keeps nothing; the default would let it grow with the size of the machine. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 };

/** Whoever waits for a batch. */
interface Waiting {
  readonly resolve: (outcome: SendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

export class NotificationThread {
  readonly #script: URL;
  readonly #idleMs: number;
  #worker: Worker | undefined;
  /** The batch that is being written. */
  #waiting: Waiting | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** Starts nothing yet. `script` is the built notification-worker.ts. */
  constructor(script = new URL('./notification-worker.js', import.meta.url), idleMs = IDLE_MS) {
    this.#script = script;
    this.#idleMs = idleMs;
  }

  /** Whether there is a thread at the moment. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * Writes a batch, one at a time; its bytes are the thread's from then on. Resolves when all is written, with the first errno other than
   * ENOENT, or 0; with EBADF if it was stopped. Rejects if there is no thread to be had, or it failed: some messages may have been
   * written then. The process does not end meanwhile by itself.
   */
  write(batch: NotificationBatch): Promise<SendOutcome> {
    assert(this.#waiting === undefined, 'the notification thread writes one batch at a time');
    clearTimeout(this.#idle);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      try {
        this.#worker ??= this.#start();
        this.#worker.ref();
        this.#worker.postMessage(batch, [batch.messages.buffer]);
      } catch (error) {
        this.#finish()?.reject(error);
      }
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#script, { name: 'notifications', execArgv: [], resourceLimits: RESOURCE_LIMITS });
    let failure: unknown = new Error('the notification thread ended');
    worker.on('message', (outcome: SendOutcome) => this.#finish()?.resolve(outcome));
    worker.on('error', (error) => {
      failure = error;
    });
    // Only now is it certain that it does not touch the descriptor any more.
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#finish()?.reject(failure);
    });
    return worker;
  }

  /** Gives whom to tell that the batch is over, and has the thread end if no other one comes. */
  #finish(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#worker?.unref();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#end(), this.#idleMs);
    this.#idle.unref();
    return waiting;
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }
}

/** The one of this process: notifications leave in one lane, so one thread is enough. */
export const notificationThread = new NotificationThread();
