// The protocol of the control socket: one JSON object per line, `{v, id, method, params}` and back `{id, result}` or
// `{id, error: {code, reason, message}}`. Ids are the asker's and come back as they were. Lines are bounded both ways, and what comes in
// is checked field by field: the socket is the owner's alone, but a confused asker must not take the daemon down.

import { FsError, ProtocolError } from '../../errors/index.ts';

/** The version of this protocol. A daemon answers requests of its own version only. */
export const CONTROL_VERSION = 1;
/** The name of the socket in the store. */
export const CONTROL_SOCKET = 'control.sock';
/** The longest request. The names of snapshots to delete are all that is long in one. */
export const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
/** The longest answer: a listing of some hundred thousand snapshots. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** The fields of an object that came over the socket; nothing is known of their values. */
export type Fields = Readonly<Record<string, unknown>>;

export interface ControlRequest {
  readonly id: number;
  readonly method: string;
  readonly params: Fields;
}

/** An error as it goes over the socket. */
export interface ControlFault {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
}

export type ControlAnswer =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: ControlFault };

/** What the daemon said to a request that it refused. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly code: string;
  readonly reason: string;

  constructor(fault: ControlFault) {
    super(fault.message);
    this.code = fault.code;
    this.reason = fault.reason;
  }
}

/** Whatever was thrown, as it goes over the socket. */
export function faultOf(error: unknown): ControlFault {
  if (error instanceof FsError || error instanceof ControlError) {
    return { code: error.code, reason: error.reason, message: error.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  const reason = error instanceof ProtocolError ? 'control-request-malformed' : 'internal';
  return { code: error instanceof ProtocolError ? 'EINVAL' : 'EIO', reason, message };
}

/** One message as its line. JSON has no raw line break, so the line is the frame. */
export function encodeLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

/** The line of a request. */
export function encodeRequest(request: ControlRequest): string {
  return encodeLine({ v: CONTROL_VERSION, ...request });
}

/** Reads a request. Throws ProtocolError for anything that is none; `id` is then -1 in the answer. */
export function decodeRequest(line: string): ControlRequest {
  const fields = parseFields(line);
  if (fields['v'] !== CONTROL_VERSION) {
    throw new ProtocolError(
      `the control socket speaks version ${CONTROL_VERSION}, the request is of version ${JSON.stringify(fields['v'])}; ` +
        'unmount everything and mount it again with the amberfs that is installed now',
    );
  }
  const { id, method, params } = fields;
  if (!Number.isSafeInteger(id) || (id as number) < 0) throw new ProtocolError('a request has a whole number as id');
  if (typeof method !== 'string') throw new ProtocolError('a request names its method');
  if (!isFields(params)) throw new ProtocolError('the params of a request are an object');
  return { id: id as number, method, params };
}

/** Reads an answer. Throws ProtocolError for anything that is none. */
export function decodeAnswer(line: string): ControlAnswer {
  const fields = parseFields(line);
  const { id, error, result } = fields;
  if (typeof id !== 'number') throw new ProtocolError('an answer has a number as id');
  if (error === undefined) return { id, result };
  if (!isFields(error)) throw new ProtocolError('the error of an answer is an object');
  const { code, reason, message } = error;
  if (typeof code !== 'string' || typeof reason !== 'string' || typeof message !== 'string') {
    throw new ProtocolError('an error has code, reason and message');
  }
  return { id, error: { code, reason, message } };
}

/** Cuts a stream of bytes into lines. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** `maxBytes`: the longest line, its end not counted. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a line has begun and not ended. */
  get partial(): boolean {
    return this.#bytes > 0;
  }

  /** Takes the next bytes, gives the lines that end in them. Throws ProtocolError when a line is too long. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#add(chunk.subarray(start, end));
      lines.push(Buffer.concat(this.#parts).toString('utf8'));
      this.#parts = [];
      this.#bytes = 0;
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
    return lines;
  }

  #add(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) throw new ProtocolError(`a line is longer than ${this.#maxBytes} bytes`);
    this.#parts.push(part);
  }
}

/** Whether a value is an object with named fields. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseFields(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new ProtocolError('a line is not JSON', { cause });
  }
  if (!isFields(value)) throw new ProtocolError('a line is not a JSON object');
  return value;
}
