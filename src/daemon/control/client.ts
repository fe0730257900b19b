// The asking side of the control socket.

import { createConnection, type Socket } from 'node:net';
import { FsError, ProtocolError } from '../../errors/index.ts';
import type { Control, ControlMethod, ParamsOf, ResultOf } from './methods.ts';
import { ANSWER_BYTES_MAX, ControlError, LineSplitter, decodeAnswer, encodeRequest, isFields } from './protocol.ts';
import { socketAddress } from './socket-address.ts';

/** A daemon that serves its mounts answers `hello` within a moment, however busy it is. */
const HELLO_TIMEOUT_MS = 15_000;

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A connection to the daemon of a store. */
export class ControlClient implements Control {
  readonly store: string;
  daemonPid = 0;
  /** Resolves when the daemon has ended the connection, which it does by ending itself. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #splitter = new LineSplitter(ANSWER_BYTES_MAX);
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #failure: Error | undefined;

  /** Talks over `socket`, which is connected; `connectControl` makes one. */
  constructor(store: string, socket: Socket) {
    this.store = store;
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received(chunk);
    });
    socket.on('error', (error) => {
      this.#failure ??= error;
    });
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        this.#failAll();
        resolve();
      });
    });
  }

  call<M extends ControlMethod>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    // The daemon is of the same version (`hello` made sure), so its results have the form that the table says.
    return this.#ask(method, params) as Promise<ResultOf<M>>;
  }

  /** Makes sure that a daemon of the same protocol is at the other end. */
  async hello(): Promise<void> {
    const timer = setTimeout(() => {
      this.#failure = new FsError(
        'EAGAIN',
        'daemon-silent',
        `${this.store}: the daemon does not answer; see its log (daemon.log in the store), or end its process and mount again`,
      );
      this.#socket.destroy();
    }, HELLO_TIMEOUT_MS);
    try {
      const result = await this.#ask('hello', {});
      if (!isFields(result) || typeof result['pid'] !== 'number') throw new ProtocolError('the daemon says no hello');
      this.daemonPid = result['pid'];
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    this.#socket.destroy();
    return this.ended;
  }

  #ask(method: string, params: object): Promise<unknown> {
    if (this.#socket.destroyed || this.#socket.readableEnded) return Promise.reject(this.#gone());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.write(encodeRequest({ id, method, params: params as Record<string, unknown> }));
    });
  }

  #received(chunk: Buffer): void {
    try {
      for (const line of this.#splitter.push(chunk)) this.#answered(line);
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
      this.#socket.destroy();
    }
  }

  #answered(line: string): void {
    const answer = decodeAnswer(line);
    const pending = this.#pending.get(answer.id);
    // An id that nobody asked with belongs to a request that the daemon could not read.
    if (pending === undefined) {
      throw 'error' in answer ? new ControlError(answer.error) : new ProtocolError('an answer to no request');
    }
    this.#pending.delete(answer.id);
    if ('error' in answer) pending.reject(new ControlError(answer.error));
    else pending.resolve(answer.result);
  }

  #failAll(): void {
    const error = this.#gone();
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  #gone(): Error {
    if (this.#failure instanceof FsError || this.#failure instanceof ControlError) return this.#failure;
    return new FsError(
      'ENOTCONN',
      'daemon-gone',
      `${this.store}: the daemon ended before it answered; its log (daemon.log in the store) says why`,
      { cause: this.#failure },
    );
  }
}

/** Throws what `refusal` gives for the process that serves the store in `directory`, where one does; else as {@link connectControl}. */
export async function requireUnserved(directory: string, refusal: (pid: number) => FsError): Promise<void> {
  const client = await connectControl(directory);
  if (client === undefined) return;
  await client.close();
  throw refusal(client.daemonPid);
}

/**
 * Connects to the daemon of the store in `directory`. Resolves with undefined where none listens. Throws FsError where one listens that
 * does not answer, ControlError where it speaks another version.
 */
export async function connectControl(directory: string): Promise<ControlClient | undefined> {
  const socket = await connectSocket(directory);
  if (socket === undefined) return undefined;
  const client = new ControlClient(directory, socket);
  try {
    await client.hello();
    return client;
  } catch (error) {
    await client.close();
    // A daemon that is ending closes what it was too late to take.
    if (error instanceof FsError && error.reason === 'daemon-gone') return undefined;
    throw error;
  }
}

/** ENOENT: no daemon ever. ECONNREFUSED: a daemon that is dead. EACCES: somebody else's store, and opening it says so better. */
const NOBODY = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'EACCES', 'ECONNRESET', 'EPIPE'];

function connectSocket(directory: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    let address: ReturnType<typeof socketAddress>;
    try {
      address = socketAddress(directory);
    } catch {
      resolve(undefined);
      return;
    }
    const socket = createConnection(address.path);
    const failed = (error: NodeJS.ErrnoException): void => {
      address.release();
      if (NOBODY.includes(error.code ?? '')) resolve(undefined);
      else reject(error);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      address.release();
      resolve(socket);
    });
  });
}
