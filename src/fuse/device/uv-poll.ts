// Node has no public way to be told that a descriptor is readable; libuv has one (uv_poll_t), and Node exports libuv's functions.
//
// The handle lives in memory that libuv points into, so it is kept until libuv has closed it, whatever the garbage collector thinks; the
// same holds for the callback. libuv 1.46 (Node 20): on EPOLLERR it stops the handle and calls back with a negative status.

import koffi from 'koffi';
import { AssertionError } from '../../util/index.ts';

const uv = koffi.load(null);
const uvDefaultLoop = uv.func('void *uv_default_loop()');
const uvHandleSize = uv.func('size_t uv_handle_size(int type)');
const uvPollInit = uv.func('int uv_poll_init(void *loop, void *handle, int fd)');
const pollCallback = koffi.pointer(koffi.proto('void', ['int64_t', 'int', 'int']));
const uvPollStart = uv.func('uv_poll_start', 'int', ['void *', 'int', pollCallback]);
const uvPollStop = uv.func('int uv_poll_stop(void *handle)');
const uvClose = uv.func('void uv_close(void *handle, void *callback)');

/** `UV_POLL` of `uv_handle_type`, and `UV_READABLE` of `uv_poll_event`. */
const UV_POLL = 8;
const UV_READABLE = 1;

/** Keeps the memory of handles that libuv still knows. */
const alive = new Set<PollHandle>();

/** Watches one descriptor on the main event loop (not in worker threads, whose loop has no name to ask for). */
export class PollHandle {
  readonly #handle: Buffer;
  readonly #callback: bigint;
  #closed = false;

  /** `onReady` is called from the loop with 0 when there is something to read, with a negative libuv error when polling has ended. */
  constructor(fd: number, onReady: (status: number) => void) {
    this.#handle = Buffer.alloc(uvHandleSize(UV_POLL) as number);
    const status = uvPollInit(uvDefaultLoop(), this.#handle, fd) as number;
    if (status !== 0) throw new AssertionError(`uv_poll_init takes a device descriptor (libuv error ${status})`);
    this.#callback = koffi.register((_handle: number, ready: number) => {
      onReady(ready);
    }, pollCallback);
    alive.add(this);
  }

  /** Begins to watch; keeps the event loop alive. Idempotent. */
  start(): void {
    if (!this.#closed) uvPollStart(this.#handle, UV_READABLE, this.#callback);
  }

  /** Stops watching. Idempotent, and allowed within `onReady`. */
  stop(): void {
    if (!this.#closed) uvPollStop(this.#handle);
  }

  /** Ends it for good; resolves when libuv has let go of the handle, after which the descriptor may be closed. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    uvPollStop(this.#handle);
    uvClose(this.#handle, null);
    // libuv finishes closing at the end of a turn of the loop; setImmediate runs right before that, so two of them are after it.
    return new Promise((resolve) => {
      setImmediate(() =>
        setImmediate(() => {
          koffi.unregister(this.#callback);
          alive.delete(this);
          resolve();
        }),
      );
    });
  }
}
