// Bytes in and bytes out: what a session needs of whatever carries the protocol (the device, or a fake kernel in tests).

import type { RequestBuffer } from '../wire/request-buffer.ts';

/** Takes requests from a channel. */
export interface RequestSink {
  /** Where the channel puts the next request, from byte 0 on. */
  readonly request: RequestBuffer;
  /** Answers that are being worked on elsewhere. While there are any, a channel gives the event loop its turn without delay. */
  readonly deferredCount: number;
  /** A request of `lengthBytes` stands in `request`. It must be handled on return, for the buffer is used again. Never throws. */
  received(lengthBytes: number): void;
  /** The channel ended: `undefined` if the kernel said so (unmounted, aborted), else what went wrong. Nothing comes after it. */
  ended(error: Error | undefined): void;
}

/** What became of a message to the kernel: a positive errno, or 0. */
export type SendOutcome = number;

export interface Channel {
  /** Begins to deliver requests to `sink`, called once. */
  start(sink: RequestSink): void;
  /**
   * Stops and resumes the delivery of requests. Requests wait in the kernel meanwhile, and so do the processes behind them. Who pauses
   * resumes: with several pauses the last `resume` counts.
   */
  pause(): void;
  resume(): void;
  /** Sends the first `lengthBytes` of `bytes` as one message, at once; gives 0 or the errno. */
  send(bytes: Buffer, lengthBytes: number): SendOutcome;
  /** Sends a message that the kernel may answer only after other requests were served; never from the thread of the event loop. */
  sendLater(bytes: Buffer): Promise<SendOutcome>;
  /**
   * Sends many such messages, one after the other, each beginning with its length; the bytes are the channel's from then on. Resolves when all
   * were sent, with 0 or the first errno other than ENOENT. Rejects if it could not try each; some may have been sent. A channel has
   * it where it is faster than one by one.
   */
  sendManyLater?(messages: Buffer<ArrayBuffer>): Promise<SendOutcome>;
  /** Gives up the channel; `ended` is called if it was not yet. Idempotent. */
  close(): void;
}
