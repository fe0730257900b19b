// Answers that come later. Each has a buffer of its own; large ones are kept for the next deferred read rather than given to the garbage
// collector a megabyte at a time.
//
// What all of them hold in memory is counted. With too much of it the session takes in nothing more until a good part was answered: who asks
// faster than the host's disk answers waits in the kernel, however many they are. No answer that is owed waits for another request, so
// this can't last for ever.
//
// INVARIANT: a deferred reply is in the table from `defer` until its answer, and the session sends nothing for its unique in between
// (checked by test/unit/fuse/session.test.ts).

import { assert, type Log } from '../../util/index.ts';
import { AnswerWriter, ReplyBuffer } from './answer-writer.ts';
import type { DeferredReply } from './handlers.ts';

/** Room for every answer of fixed size, the longest being `fuse_statx_out`. */
const SMALL_PAYLOAD_BYTES = 512;
/** Shorter payloads get a buffer of their own length. */
const LARGE_PAYLOAD_BYTES = 64 * 1024;
/** With so much memory in answers that are owed nothing more is taken in, until half of it is free again. */
const OWED_BYTES_MAX = 64 * 1024 * 1024;
/** What an answer takes beside its buffer, roughly. */
const REPLY_BYTES = 512;
/** Buffers kept for reuse: 16 reads ahead at a time is what one sequential reader keeps under way. */
const SPARE_BUFFERS_MAX = 16;

/** Sends one message; gives nothing back, for a failure is the sender's to log. */
export type SendReply = (buffer: ReplyBuffer, lengthBytes: number, opcode: number) => void;

/** Stops and resumes the delivery of requests; see Channel. */
export interface Intake {
  pause(): void;
  resume(): void;
}

/** An answer that is owed. */
export class Deferred extends AnswerWriter implements DeferredReply {
  readonly #table: DeferredReplies;
  #done = false;
  interrupted = false;
  onInterrupt: (() => void) | undefined = undefined;
  /** Memory that is held until the answer, as far as it was counted. */
  heldBytes = 0;

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
    table.hold(this, REPLY_BYTES + SMALL_PAYLOAD_BYTES);
  }

  get done(): boolean {
    return this.#done;
  }

  payload(sizeBytes: number): Buffer {
    if (this.#done) this.secondAnswer();
    this.reserve(sizeBytes);
    return this.buffer.payload;
  }

  scratch(sizeBytes: number): Uint8Array {
    if (this.#done) this.secondAnswer();
    this.#table.hold(this, sizeBytes);
    return new Uint8Array(sizeBytes);
  }

  protected override claim(): void {
    if (this.#done) this.secondAnswer();
    this.#done = true;
  }

  protected override reserve(payloadBytes: number): void {
    if (this.buffer.payload.length < payloadBytes) this.buffer = this.#table.takeBuffer(this, payloadBytes);
  }

  protected override send(lengthBytes: number): void {
    this.#table.finish(this, this.buffer, lengthBytes, this.opcode);
  }
}

export class DeferredReplies {
  readonly #log: Log;
  readonly #send: SendReply;
  readonly #maxPayloadBytes: number;
  readonly #intake: Intake;
  /** What all that are owed hold. */
  #heldBytes = 0;
  #paused = false;
  /** By unique. Its single writer is this class. */
  readonly #waiting = new Map<number, Deferred>();
  readonly #spare: ReplyBuffer[] = [];

  /** `intake` is paused while the answers that are owed hold too much memory. */
  constructor(log: Log, maxPayloadBytes: number, send: SendReply, intake: Intake) {
    this.#log = log;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#send = send;
    this.#intake = intake;
  }

  /** How many answers are owed. */
  get count(): number {
    return this.#waiting.size;
  }

  add(uniqueHi: number, uniqueLo: number, opcode: number, limitBytes: number): Deferred {
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

  /** `reply` holds so much more memory until it is answered. For {@link Deferred} alone. */
  hold(reply: Deferred, bytes: number): void {
    reply.heldBytes += bytes;
    this.#heldBytes += bytes;
    if (this.#paused || this.#heldBytes <= OWED_BYTES_MAX) return;
    this.#paused = true;
    this.#intake.pause();
  }

  #release(reply: Deferred): void {
    this.#heldBytes -= reply.heldBytes;
    reply.heldBytes = 0;
    if (!this.#paused || this.#heldBytes > OWED_BYTES_MAX / 2) return;
    this.#paused = false;
    this.#intake.resume();
  }

  /** A buffer for `payloadBytes`, from those that were used before where one is there. For {@link Deferred} alone. */
  takeBuffer(reply: Deferred, payloadBytes: number): ReplyBuffer {
    assert(payloadBytes <= this.#maxPayloadBytes, 'a payload is no longer than the session allows');
    const bufferBytes = payloadBytes < LARGE_PAYLOAD_BYTES ? payloadBytes : this.#maxPayloadBytes;
    this.hold(reply, bufferBytes);
    if (bufferBytes < this.#maxPayloadBytes) return new ReplyBuffer(bufferBytes);
    return this.#spare.pop() ?? new ReplyBuffer(bufferBytes);
  }

  /** Takes a reply back that was not answered: its request is handled anew. */
  withdraw(reply: Deferred): void {
    assert(this.#waiting.delete(key(reply.uniqueHi, reply.uniqueLo)), 'a reply is withdrawn before it was answered');
    this.#release(reply);
  }

  /** Sends an answer and forgets its request. For {@link Deferred} alone. */
  finish(reply: Deferred, buffer: ReplyBuffer, lengthBytes: number, opcode: number): void {
    this.#waiting.delete(key(reply.uniqueHi, reply.uniqueLo));
    this.#send(buffer, lengthBytes, opcode);
    if (buffer.payload.length >= this.#maxPayloadBytes && this.#spare.length < SPARE_BUFFERS_MAX)
      this.#spare.push(buffer);
    this.#release(reply);
  }
}

/** The kernel counts uniques up from 2 in steps of 2: exact as a number for longer than a machine lasts. */
function key(uniqueHi: number, uniqueLo: number): number {
  return uniqueHi * 0x1_0000_0000 + uniqueLo;
}
