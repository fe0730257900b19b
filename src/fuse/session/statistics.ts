import { OPCODE_SPAN, opcodeName } from '../wire/opcodes.ts';

/** Counts of one session since its start, for status and tests. Typed arrays, so that counting costs nothing. */
export class SessionStatistics {
  readonly #requests = new Float64Array(OPCODE_SPAN);
  readonly #errors = new Float64Array(OPCODE_SPAN);
  /** Bytes read from and written to the kernel, headers included. */
  bytesIn = 0;
  bytesOut = 0;
  /** Requests with an opcode that is not in the table. */
  unknown = 0;
  /** Answers that nobody waited for any more. */
  late = 0;

  /** Notes a request of `lengthBytes`. */
  countRequest(opcode: number, lengthBytes: number): void {
    this.bytesIn += lengthBytes;
    if (opcode < OPCODE_SPAN) this.#requests[opcode]!++;
    else this.unknown++;
  }

  /** Notes an answer of `lengthBytes`, and whether it was an error. */
  countReply(opcode: number, lengthBytes: number, error: boolean): void {
    this.bytesOut += lengthBytes;
    if (error && opcode < OPCODE_SPAN) this.#errors[opcode]!++;
  }

  /** How many requests of an opcode there were. */
  requests(opcode: number): number {
    return this.#requests[opcode] ?? 0;
  }

  /** How many of them were answered with an error (ENOENT of a LOOKUP included). */
  errors(opcode: number): number {
    return this.#errors[opcode] ?? 0;
  }

  /** Requests and errors under the kernel's names, for those that occurred. */
  toJSON(): Record<string, { requests: number; errors: number }> {
    const table: Record<string, { requests: number; errors: number }> = {};
    for (let opcode = 0; opcode < OPCODE_SPAN; opcode++) {
      if (this.requests(opcode) === 0) continue;
      table[opcodeName(opcode)] = { requests: this.requests(opcode), errors: this.errors(opcode) };
    }
    return table;
  }
}
