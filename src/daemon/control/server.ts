// The answering side of the control socket. Requests of one connection are answered in their order, one at a time; several connections
// do not wait for each other. What comes in is bounded in length, in number of connections and in time; what goes out, by waiting until the
// last answer was read: who does not read is asked nothing more, and hung up on.

import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { ProtocolError } from '../../errors/index.ts';
import type { Log } from '../../util/index.ts';
import {
  CONTROL_SOCKET,
  LineSplitter,
  REQUEST_BYTES_MAX,
  decodeRequest,
  encodeLine,
  faultOf,
  type Fields,
} from './protocol.ts';
import { socketAddress } from './socket-address.ts';

const CONNECTIONS_MAX = 64;
/** Requests of one connection that wait for their turn; a client of ours has one at a time. */
const WAITING_MAX = 16;
/** A connection without any request under way, or whose answer nobody reads, is closed after this time. */
const IDLE_MS = 60_000;

/** Answers one request: the result, or what it throws. */
export type ControlHandler = (method: string, params: Fields) => Promise<unknown>;

export interface ControlServer {
  /** Takes no more connections, and removes the socket; idempotent. Connections that there are stay until the process ends. */
  close(): void;
  /** Resolves when every request that was taken in is answered, after `limitMs` at the latest. */
  answered(limitMs: number): Promise<void>;
}

/**
 * Listens on the control socket of the store in `directory`, which this process must have open: that makes it certain that a socket found
 * there is that of a dead daemon, and it is replaced.
 */
export async function serveControl(
  directory: string,
  handler: ControlHandler,
  log: Log,
  { idleMs = IDLE_MS } = {},
): Promise<ControlServer> {
  const file = join(directory, CONTROL_SOCKET);
  rmSync(file, { force: true });
  const connections = new Set<Connection>();
  const server = createServer((socket) => {
    const connection = new Connection(socket, handler, log, idleMs);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  server.maxConnections = CONNECTIONS_MAX;
  const address = socketAddress(directory);
  await listen(server, address.path);
  // The store's directory is closed to others already, so nobody came in before this.
  chmodSync(file, 0o600);
  server.on('error', (error) => {
    log.error(`control socket: ${error.message}`);
  });
  return {
    close: () => {
      if (!server.listening) return;
      server.close();
      // libuv has removed the socket by the path that it was bound to, which needed the descriptor.
      rmSync(file, { force: true });
      address.release();
    },
    answered: async (limitMs) => {
      const limit = Date.now() + limitMs;
      while ([...connections].some((connection) => connection.busy) && Date.now() < limit) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

class Connection {
  readonly #socket: Socket;
  readonly #handler: ControlHandler;
  readonly #log: Log;
  readonly #splitter = new LineSplitter(REQUEST_BYTES_MAX);
  readonly #waiting: string[] = [];
  #working = false;
  /** An answer does not leave, since nobody reads it. */
  #stuck = false;

  constructor(socket: Socket, handler: ControlHandler, log: Log, idleMs: number) {
    this.#socket = socket;
    this.#handler = handler;
    this.#log = log;
    socket.setTimeout(idleMs, () => {
      if (!this.#working || this.#stuck) socket.destroy();
    });
    // Whoever asked is gone; what was asked for goes on.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      this.#received(chunk);
    });
  }

  /** Whether an answer is owed, or not yet with the kernel. */
  get busy(): boolean {
    return this.#working || this.#socket.writableLength > 0;
  }

  #received(chunk: Buffer): void {
    try {
      this.#waiting.push(...this.#splitter.push(chunk));
      if (this.#waiting.length > WAITING_MAX) throw new ProtocolError('too many requests at once');
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (!this.#working) void this.#work();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#working = true;
    // What is not read waits with the asker.
    this.#socket.pause();
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      let id = -1;
      try {
        const request = decodeRequest(line);
        id = request.id;
        await this.#send({ id, result: await this.#handler(request.method, request.params) });
      } catch (error) {
        const fault = faultOf(error);
        if (fault.reason === 'internal') this.#log.error(`control request failed: ${describe(error)}`);
        await this.#send({ id, error: fault });
      }
    }
    this.#working = false;
    this.#socket.resume();
  }

  /** Answers what can't be told apart any more, and hangs up. */
  #refuse(error: unknown): void {
    this.#waiting.length = 0;
    void this.#send({ id: -1, error: faultOf(error) });
    this.#socket.end();
    this.#socket.pause();
  }

  /** Resolves when the answer has left, or can't any more. Never rejects. */
  async #send(answer: object): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable || socket.write(encodeLine(answer))) return;
    this.#stuck = true;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        socket.off('drain', goOn).off('close', goOn);
        resolve();
      };
      socket.on('drain', goOn).on('close', goOn);
    });
    this.#stuck = false;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
