import { AssertionError, type Log } from '../../util/index.ts';
import type { RequestHeader } from '../wire/request-header.ts';
import { AnswerWriter, ReplyBuffer } from './answer-writer.ts';
import type { Deferred, DeferredReplies, SendReply } from './deferred-replies.ts';
import type { Reply } from './handlers.ts';

/** The answer to the request at hand: one object and one buffer for the whole session. */
export class CurrentReply extends AnswerWriter implements Reply {
  readonly payload: Buffer;
  readonly #deferred: DeferredReplies;
  readonly #send: SendReply;
  /** Whether the request at hand is still owed an answer. */
  #open = false;

  constructor(log: Log, maxPayloadBytes: number, deferred: DeferredReplies, send: SendReply) {
    super(log, new ReplyBuffer(maxPayloadBytes));
    this.payload = this.buffer.payload;
    this.#deferred = deferred;
    this.#send = send;
  }

  /** Takes over a request: from here on it is owed an answer. */
  begin(header: RequestHeader): void {
    this.uniqueHi = header.uniqueHi;
    this.uniqueLo = header.uniqueLo;
    this.opcode = header.opcode;
    this.limitBytes = this.payload.length;
    this.packedBytes = 0;
    this.#open = true;
  }

  /** Narrows the payload to what the kernel has room for. */
  limit(sizeBytes: number): void {
    this.limitBytes = Math.min(sizeBytes, this.payload.length);
  }

  /** Whether the request at hand was neither answered nor deferred. */
  get open(): boolean {
    return this.#open;
  }

  /** For a request that gets no answer. */
  drop(): void {
    this.#open = false;
  }

  defer(): Deferred {
    this.claim();
    return this.#deferred.add(this.uniqueHi, this.uniqueLo, this.opcode, this.limitBytes);
  }

  protected override claim(): void {
    if (!this.#open) this.secondAnswer();
    this.#open = false;
  }

  protected override reserve(payloadBytes: number): void {
    if (payloadBytes > this.payload.length) throw new AssertionError('a payload is no longer than the session allows');
  }

  protected override send(lengthBytes: number): void {
    this.#send(this.buffer, lengthBytes, this.opcode);
  }
}
