// Answers that come later. Each has a buffer of its own; large ones are kept for the next deferred read rather than given to the garbage
// collector a megabyte at a time.
//
// INVARIANT: a deferred reply is in the table from `defer` until its answer, and the session sends nothing for its unique in between
// (checked by test/unit/fuse/session.test.ts).

import { assert, type Log } from '../../util/index.ts';
import { AnswerWriter, ReplyBuffer } from './answer-writer.ts';
import type { DeferredReply } from './handlers.ts';

/** Room for every answer of fixed size, the longest being `fuse_statx_out`. */
const SMALL_PAYLOAD_BYTES = 512;
/** Buffers kept for reuse: 16 reads ahead at a time is what one sequential reader keeps under way. */
const SPARE_BUFFERS_MAX = 16;

/** Sends one message; gives nothing back, for a failure is the sender's to log. */
export type SendReply = (buffer: ReplyBuffer, lengthBytes: number, opcode: number) => void;

class Deferred extends AnswerWriter implements DeferredReply {
  readonly #table: DeferredReplies;
  #done = false;
  interrupted = false;
  onInterrupt: (() => void) | undefined = undefined;

  constructor(
    table: DeferredReplies,
    log: Log,
    uniqueHi: number,
    uniqueLo: number,
    opcode: number,
    limitBytes: number,
  ) {
    super(log, new ReplyBuffer(SMALL_PAYLOAD_BYTES));
    this.#table = table;
    this.uniqueHi = uniqueHi;
    this.uniqueLo = uniqueLo;
    this.opcode = opcode;
    this.limitBytes = limitBytes;
  }

  get done(): boolean {
    return this.#done;
  }

  payload(sizeBytes: number): Buffer {
    if (this.#done) this.secondAnswer();
    this.reserve(sizeBytes);
    return this.buffer.payload;
  }

  protected override claim(): void {
    if (this.#done) this.secondAnswer();
    this.#done = true;
  }

  protected override reserve(payloadBytes: number): void {
    if (this.buffer.payload.length < payloadBytes) this.buffer = this.#table.takeBuffer(payloadBytes);
  }

  protected override send(lengthBytes: number): void {
    this.#table.finish(this, this.buffer, lengthBytes, this.opcode);
  }
}

export class DeferredReplies {
  readonly #log: Log;
  readonly #send: SendReply;
  readonly #maxPayloadBytes: number;
  /** By unique. Its single writer is this class. */
  readonly #waiting = new Map<number, Deferred>();
  readonly #spare: ReplyBuffer[] = [];

  constructor(log: Log, maxPayloadBytes: number, send: SendReply) {
    this.#log = log;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#send = send;
  }

  /** How many answers are owed. */
  get count(): number {
    return this.#waiting.size;
  }

  add(uniqueHi: number, uniqueLo: number, opcode: number, limitBytes: number): DeferredReply {
    const reply = new Deferred(this, this.#log, uniqueHi, uniqueLo, opcode, limitBytes);
    this.#waiting.set(key(uniqueHi, uniqueLo), reply);
    return reply;
  }

  /**
   * The kernel asks to give up on a request. One that is not here was answered: the kernel sends an INTERRUPT only after the request
   * itself was read, by the only reader that there is, so there is nothing to wait for and nothing to answer (see PROTOCOL.md).
   */
  interrupt(uniqueHi: number, uniqueLo: number): void {
    const reply = this.#waiting.get(key(uniqueHi, uniqueLo));
    if (reply === undefined || reply.interrupted) return;
    reply.interrupted = true;
    reply.onInterrupt?.();
  }

  /** A buffer for `payloadBytes`, from those that were used before where one is there. For {@link Deferred} alone. */
  takeBuffer(payloadBytes: number): ReplyBuffer {
    assert(payloadBytes <= this.#maxPayloadBytes, 'a payload is no longer than the session allows');
    return this.#spare.pop() ?? new ReplyBuffer(this.#maxPayloadBytes);
  }

  /** Sends an answer and forgets its request. For {@link Deferred} alone. */
  finish(reply: DeferredReply, buffer: ReplyBuffer, lengthBytes: number, opcode: number): void {
    this.#waiting.delete(key(reply.uniqueHi, reply.uniqueLo));
    this.#send(buffer, lengthBytes, opcode);
    if (buffer.payload.length >= this.#maxPayloadBytes && this.#spare.length < SPARE_BUFFERS_MAX)
      this.#spare.push(buffer);
  }
}

/** The kernel counts uniques up from 2 in steps of 2: exact as a number for longer than a machine lasts. */
function key(uniqueHi: number, uniqueLo: number): number {
  return uniqueHi * 0x1_0000_0000 + uniqueLo;
}
