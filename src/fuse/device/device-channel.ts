// The channel over an open /dev/fuse descriptor: read(2) one request, have it handled, write(2) its answer, and on.
//
// libuv wakes us when the device is readable; requests are then read until EAGAIN, but no more than a burst of them per wake-up: polling is
// level-triggered, so returning gives timers, sockets and finished thread-pool work their turn and we are called again at once.
//
// INVARIANT: nothing touches the descriptor after it was closed, since its number may be another file by then
// (checked by test/mount/fuse-smoke.test.ts).

import { closeSync, write as writeCallback } from 'node:fs';
import { ERRNO } from '../../errors/index.ts';
import { assert, type Log } from '../../util/index.ts';
import type { Channel, RequestSink, SendOutcome } from '../session/channel.ts';
import { errno, read, write } from './libc.ts';
import { sendInLane } from './notification-lane.ts';
import { notificationThread } from './notification-thread.ts';
import { SPIN_READS, SpinBudget } from './spin-budget.ts';
import { PollHandle } from './uv-poll.ts';

/** Requests served per wake-up at most. At 10 us each, others wait for less than a millisecond; large transfers take longer. */
const BURST_REQUESTS = 64;
/** And bytes of them, so that a burst of 1 MiB writes does not hold the loop for long. */
const BURST_BYTES = 8 * 1024 * 1024;

/** Unexpected results of reading, in a row of one wake-up, that end the channel. */
const FAILURES_MAX = 3;

const ECONNABORTED = 103;

export class DeviceChannel implements Channel {
  readonly #fd: number;
  readonly #log: Log;
  readonly #poll: PollHandle;
  readonly #spin = new SpinBudget();
  #sink: RequestSink | undefined;
  /** Pauses that were not resumed yet. */
  #pauses = 0;
  #closed = false;
  /** Notifications, or batches of them, that wait for another thread or are being written by it. */
  #writing = 0;
  /** Shared with the notification thread: not 0 once the channel is closed. */
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #closeWhenWritten: (() => void) | undefined;

  /** Takes over `fd`, an open /dev/fuse with O_NONBLOCK, and closes it at the end. */
  constructor(fd: number, log: Log) {
    this.#fd = fd;
    this.#log = log;
    this.#poll = new PollHandle(fd, (status) => {
      this.#ready(status);
    });
  }

  start(sink: RequestSink): void {
    assert(this.#sink === undefined, 'a channel is started once');
    this.#sink = sink;
    this.#poll.start();
  }

  pause(): void {
    this.#pauses++;
    this.#poll.stop();
  }

  resume(): void {
    assert(this.#pauses > 0, 'a channel is resumed once for each pause');
    this.#pauses--;
    if (this.#pauses === 0 && !this.#closed) this.#poll.start();
  }

  send(bytes: Buffer, lengthBytes: number): SendOutcome {
    if (this.#closed) return ERRNO.EBADF;
    return write(this.#fd, bytes, lengthBytes) < 0 ? errno() : 0;
  }

  sendLater(bytes: Buffer): Promise<SendOutcome> {
    return this.#elsewhere(() => this.#writeOnce(bytes));
  }

  sendManyLater(messages: Buffer<ArrayBuffer>): Promise<SendOutcome> {
    return this.#elsewhere(() => notificationThread.write({ fd: this.#fd, messages, stop: this.#stop }));
  }

  close(): void {
    this.#end(undefined);
  }

  /** Has another thread write when its turn comes; the descriptor stays open until it has. */
  async #elsewhere(task: () => Promise<SendOutcome>): Promise<SendOutcome> {
    if (this.#closed) return ERRNO.EBADF;
    this.#writing++;
    try {
      return await sendInLane(() => (this.#closed ? Promise.resolve(ERRNO.EBADF) : task()));
    } finally {
      this.#writing--;
      if (this.#writing === 0) this.#closeWhenWritten?.();
    }
  }

  #writeOnce(bytes: Buffer): Promise<SendOutcome> {
    return new Promise((resolve) => {
      writeCallback(this.#fd, bytes, 0, bytes.length, null, (error) => {
        // libuv has the errno negated; an error without one does not come from the kernel.
        resolve(error === null ? 0 : -(error.errno ?? -ERRNO.EIO));
      });
    });
  }

  /** Called by libuv. Nothing may be thrown into it. */
  #ready(status: number): void {
    if (this.#stopped()) return;
    try {
      const goesOn = this.#drain();
      // After an error libuv has stopped the handle; if reading did not find the end, polling goes on.
      if (goesOn && status < 0) this.#poll.start();
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Whether a request that was just served paused or closed the channel. */
  #stopped(): boolean {
    return this.#pauses > 0 || this.#closed;
  }

  /** Serves what is there, up to a burst; false when the device has ended or was paused. */
  #drain(): boolean {
    const sink = this.#sink!;
    const { bytes } = sink.request;
    const capacity = bytes.length;
    let served = 0;
    let failures = 0;
    for (let i = 0; i < BURST_REQUESTS && served < BURST_BYTES; i++) {
      let length = read(this.#fd, bytes, capacity);
      if (length < 0 && errno() === ERRNO.EAGAIN) length = this.#readPatiently(sink, capacity);
      if (length > 0) {
        served += length;
        sink.received(length);
        if (this.#stopped()) return false;
        continue;
      }
      const code = length === 0 ? ERRNO.ENODEV : errno();
      if (code === ERRNO.EAGAIN) return true;
      // EINTR: a signal. ENOENT: the request was interrupted while it was being read (fs/fuse/dev.c); the next one is as good.
      if (code === ERRNO.EINTR || code === ERRNO.ENOENT) continue;
      // The engine may run between the call and the look at its errno, and leave another one. The end is reported again and again.
      if (++failures < FAILURES_MAX) continue;
      this.#end(endOf(code));
      return false;
    }
    return true;
  }

  /** Looks on for a request for some microseconds, if that has paid of late. Gives what read(2) gives. */
  #readPatiently(sink: RequestSink, capacity: number): number {
    const { bytes } = sink.request;
    let length = -1;
    // Deferred answers are given by promises and timers, which run when this returns.
    if (sink.deferredCount > 0 || !this.#spin.allows()) return length;
    for (let i = 0; i < SPIN_READS; i++) {
      length = read(this.#fd, bytes, capacity);
      if (length < 0 && errno() === ERRNO.EAGAIN) continue;
      this.#spin.succeeded();
      return length;
    }
    this.#spin.failed();
    return length;
  }

  #end(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    Atomics.store(this.#stop, 0, 1);
    void this.#poll.close().then(() => {
      if (this.#writing === 0) this.#closeDescriptor();
      else this.#closeWhenWritten = () => this.#closeDescriptor();
    });
    this.#sink?.ended(error);
  }

  #closeDescriptor(): void {
    this.#closeWhenWritten = undefined;
    try {
      closeSync(this.#fd);
    } catch (error) {
      this.#log.error(`the FUSE device could not be closed: ${String(error)}`);
    }
  }
}

/** ENODEV: unmounted. ECONNABORTED: aborted through /sys/fs/fuse/connections, or while a request was being read. */
function endOf(code: number): Error | undefined {
  if (code === ERRNO.ENODEV || code === ECONNABORTED) return undefined;
  return new Error(`reading the FUSE device failed with errno ${code}`);
}
