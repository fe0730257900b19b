// One FUSE session: takes requests from a channel, has them handled and sees to it that each is answered once.
//
// INVARIANT: a request whose header can be read is answered or deferred when `received` returns, FORGET, BATCH_FORGET and INTERRUPT
// excepted, whatever a handler does
// (checked by test/unit/fuse/session.test.ts).
// Nothing of a request reaches a handler before INIT was agreed (the kernel sends nothing else before).

import { ERRNO, ProtocolError } from '../../errors/index.ts';
import type { Log } from '../../util/index.ts';
import { FUSE_SETXATTR_EXT } from '../wire/constants.ts';
import { putInitOut } from '../wire/encode-init.ts';
import {
  InitIn,
  InterruptIn,
  decodeBatchForget,
  decodeForget,
  decodeInit,
  decodeInterrupt,
  type Forget,
} from '../wire/decode-session.ts';
import { FUSE_IN_HEADER, FUSE_INIT_OUT, FUSE_OUT_HEADER } from '../wire/layout.ts';
import { OPCODE, opcodeName } from '../wire/opcodes.ts';
import { RequestBuffer } from '../wire/request-buffer.ts';
import { RequestHeader } from '../wire/request-header.ts';
import type { ReplyBuffer } from './answer-writer.ts';
import type { Channel, RequestSink } from './channel.ts';
import { CurrentReply } from './current-reply.ts';
import { DeferredReplies } from './deferred-replies.ts';
import { Dispatch } from './dispatch.ts';
import type { FuseHandlers, SessionLimits } from './handlers.ts';
import { negotiate, transferBytes, type InitOptions } from './init.ts';
import { SessionNotifier, type Notifier } from './notifier.ts';
import { SessionStatistics } from './statistics.ts';

/** Room for header and fixed part of the largest request beside its data. The kernel insists on 8 KiB in all at least. */
const REQUEST_EXTRA_BYTES = 64 * 1024;

/** Why a session ended: `undefined` as `error` means that it was unmounted or aborted, which is no fault. */
export interface SessionEnd {
  readonly error: Error | undefined;
}

export class ProtocolSession implements RequestSink {
  readonly request: RequestBuffer;
  readonly statistics = new SessionStatistics();
  /** Resolves with what INIT agreed on, or rejects if the session ends before. */
  readonly ready: Promise<SessionLimits>;
  /** Resolves when the kernel has ended the session. Never rejects. */
  readonly closed: Promise<SessionEnd>;

  readonly #channel: Channel;
  readonly #handlers: FuseHandlers;
  readonly #options: InitOptions;
  readonly #log: Log;
  readonly #header = new RequestHeader();
  readonly #reply: CurrentReply;
  readonly #deferred: DeferredReplies;
  readonly #notifier: SessionNotifier;
  readonly #forget: Forget;
  readonly #interrupt = new InterruptIn();
  #dispatch: Dispatch | undefined;
  #destroyed = false;
  #settleReady: (limits: SessionLimits) => void = () => undefined;
  #failReady: (error: Error) => void = () => undefined;
  #settleClosed: (end: SessionEnd) => void = () => undefined;

  /** Serves `handlers` over `channel`; begins at once. */
  constructor(channel: Channel, handlers: FuseHandlers, options: InitOptions, log: Log) {
    this.#channel = channel;
    this.#handlers = handlers;
    this.#options = options;
    this.#log = log;
    const maxPayloadBytes = transferBytes(options);
    this.request = new RequestBuffer(maxPayloadBytes + REQUEST_EXTRA_BYTES);
    const send = (buffer: ReplyBuffer, lengthBytes: number, opcode: number): void => {
      this.#send(buffer, lengthBytes, opcode);
    };
    this.#deferred = new DeferredReplies(log, maxPayloadBytes, send, channel);
    this.#reply = new CurrentReply(log, maxPayloadBytes, this.#deferred, send);
    this.#notifier = new SessionNotifier(channel, log);
    this.#forget = (nodeHi, nodeLo, nlookup) => handlers.forget?.(nodeHi, nodeLo, nlookup);
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = resolve;
      this.#failReady = reject;
    });
    // Whoever does not wait for it hears of the end through `closed`.
    this.ready.catch(() => undefined);
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    channel.start(this);
  }

  get notify(): Notifier {
    return this.#notifier;
  }

  /** Answers that handlers still owe. */
  get deferredCount(): number {
    return this.#deferred.count;
  }

  received(lengthBytes: number): void {
    const header = this.#header;
    const { request } = this;
    try {
      request.accept(lengthBytes);
    } catch (error) {
      this.#refuseUnreadable(error, lengthBytes);
      return;
    }
    header.decode(request);
    this.statistics.countRequest(header.opcode, lengthBytes);
    this.#serve(lengthBytes, true);
  }

  /** Has the request that stands in the buffer handled, its header decoded. `mayRetry`: for the first time. */
  #serve(lengthBytes: number, mayRetry: boolean): void {
    const header = this.#header;
    const { request } = this;
    const reply = this.#reply;
    reply.begin(header);
    try {
      const step = this.#dispatch?.step(header.opcode);
      if (step !== undefined) step(header, request, reply);
      else this.#serveOther(header, reply);
    } catch (error) {
      const wait = mayRetry && reply.open ? this.#handlers.retryAfter?.(error) : undefined;
      if (wait === undefined) this.#failed(error, reply);
      else void this.#retryAfter(wait, lengthBytes, reply);
    }
    if (reply.open) this.#unanswered(reply);
  }

  /** Handles the request at hand anew when `wait` has resolved; until then its answer is a deferred one. Never rejects. */
  async #retryAfter(wait: Promise<void>, lengthBytes: number, reply: CurrentReply): Promise<void> {
    const later = reply.defer();
    const message = later.scratch(lengthBytes);
    message.set(this.request.bytes.subarray(0, lengthBytes));
    await wait;
    this.#deferred.withdraw(later);
    if (this.#destroyed) return;
    this.request.bytes.set(message);
    this.request.accept(lengthBytes);
    this.#header.decode(this.request);
    this.#serve(lengthBytes, false);
  }

  ended(error: Error | undefined): void {
    this.#notifier.close();
    this.#failReady(error ?? new ProtocolError('the mount went away before INIT'));
    this.#destroy();
    this.#settleClosed({ error });
  }

  /** Opcodes that belong to the session, and those that nobody knows. */
  #serveOther(header: RequestHeader, reply: CurrentReply): void {
    switch (header.opcode) {
      case OPCODE.FUSE_FORGET:
        reply.drop();
        decodeForget(header, this.request, this.#forget);
        return;
      case OPCODE.FUSE_BATCH_FORGET:
        reply.drop();
        decodeBatchForget(this.request, this.#forget);
        return;
      case OPCODE.FUSE_INTERRUPT:
        reply.drop();
        decodeInterrupt(this.#interrupt, this.request);
        this.#deferred.interrupt(this.#interrupt.uniqueHi, this.#interrupt.uniqueLo);
        return;
      case OPCODE.FUSE_INIT:
        // The kernel asks once; what was agreed is not agreed anew under a running session.
        if (this.#dispatch === undefined) this.#init(reply);
        else reply.error(ERRNO.EIO);
        return;
      case OPCODE.FUSE_DESTROY:
        this.#destroy();
        reply.ok();
        return;
      default:
        // The kernel takes ENOSYS as "never send this again" where it can do without.
        reply.error(this.#dispatch === undefined ? ERRNO.EIO : ERRNO.ENOSYS);
    }
  }

  #init(reply: CurrentReply): void {
    const offer = new InitIn();
    decodeInit(offer, this.request);
    const result = negotiate(offer, this.#options);
    const words = new Uint32Array(FUSE_INIT_OUT.SIZE / 4);
    if (result.kind === 'refused') {
      this.#log.error(result.why);
      this.#failReady(new ProtocolError(result.why));
      reply.error(ERRNO.EPROTO);
      return;
    }
    if (result.kind === 'again') {
      // Version alone; the kernel asks once more with a major version that both know (linux/fuse.h, "Version negotiation").
      const none = { maxReadaheadBytes: 0, flags: 0, flags2: 0, maxBackground: 0, congestionThreshold: 0 };
      putInitOut(words, 0, { ...none, minor: 0, maxWriteBytes: 0, timeGran: 0, maxPages: 0 });
      reply.bytes(new Uint8Array(words.buffer));
      return;
    }
    const { limits } = result;
    putInitOut(words, 0, result.out);
    this.#dispatch = new Dispatch(this.#handlers, (limits.flags & FUSE_SETXATTR_EXT) !== 0);
    this.#notifier.open(limits);
    this.#handlers.init?.(limits);
    reply.bytes(new Uint8Array(words.buffer));
    this.#settleReady(limits);
  }

  #destroy(): void {
    if (this.#destroyed || this.#dispatch === undefined) return;
    this.#destroyed = true;
    try {
      this.#handlers.destroy?.();
    } catch (error) {
      this.#log.error(`FUSE_DESTROY failed: ${describe(error)}`);
    }
  }

  /** Sends an answer. What the kernel says to it concerns nobody but the log. */
  #send(buffer: ReplyBuffer, answerBytes: number, opcode: number): void {
    const lengthBytes = this.#mayAnswer(opcode) ? answerBytes : buffer.putError(ERRNO.EIO);
    const error = buffer.words[FUSE_OUT_HEADER.error / 4] !== 0;
    this.statistics.countReply(opcode, lengthBytes, error);
    const outcome = this.#channel.send(buffer.bytes, lengthBytes);
    if (outcome === 0) return;
    // ENOENT: the request was interrupted or aborted and nobody waits any more. ENODEV and its like: the mount is gone.
    if (outcome === ERRNO.ENOENT || outcome === ERRNO.ENODEV || outcome === ERRNO.ENOTCONN || outcome === ERRNO.EBADF) {
      this.statistics.late++;
      return;
    }
    this.#log.error(`the kernel refused the answer to ${opcodeName(opcode)} with errno ${outcome}`);
  }

  /** Whether what an answer would acknowledge can be acknowledged. */
  #mayAnswer(opcode: number): boolean {
    try {
      this.#handlers.beforeAnswer?.();
      return true;
    } catch (error) {
      this.#log.error(`${opcodeName(opcode)} can't be acknowledged: ${describe(error)}`);
      return false;
    }
  }

  #failed(error: unknown, reply: CurrentReply): void {
    if (this.#header.opcode === OPCODE.FUSE_INIT) {
      this.#dispatch = undefined;
      this.#failReady(error instanceof Error ? error : new ProtocolError(describe(error)));
    }
    if (!reply.open) {
      this.#log.error(`${opcodeName(this.#header.opcode)} failed where no answer is due: ${describe(error)}`);
      return;
    }
    if (error instanceof ProtocolError) {
      this.#log.error(`malformed ${opcodeName(this.#header.opcode)}: ${error.message}`);
      reply.error(ERRNO.EIO);
      return;
    }
    reply.fail(error);
  }

  #unanswered(reply: CurrentReply): void {
    this.#log.error(`the handler of ${opcodeName(this.#header.opcode)} neither answered nor deferred`);
    reply.error(ERRNO.EIO);
  }

  /** A message whose length contradicts itself. Its unique is in it if the header is: whoever waits gets EIO rather than nothing. */
  #refuseUnreadable(error: unknown, lengthBytes: number): void {
    this.#log.error(`a request can't be read: ${describe(error)}`);
    if (lengthBytes < FUSE_IN_HEADER.SIZE) return;
    this.#header.decode(this.request);
    const { opcode } = this.#header;
    if (opcode === OPCODE.FUSE_FORGET || opcode === OPCODE.FUSE_BATCH_FORGET || opcode === OPCODE.FUSE_INTERRUPT)
      return;
    this.#reply.begin(this.#header);
    this.#reply.error(ERRNO.EIO);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
