/** The control socket with real sockets: questions and answers, hostile input, what a dead daemon leaves behind. */
import { existsSync, linkSync, mkdirSync, statSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import tmp from 'tmp-promise';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectControl } from '../../../src/daemon/control/client.ts';
import { CONTROL_SOCKET, ControlError, REQUEST_BYTES_MAX } from '../../../src/daemon/control/protocol.ts';
import { serveControl, type ControlServer } from '../../../src/daemon/control/server.ts';
import { FsError } from '../../../src/errors/index.ts';
import { noLog } from '../../../src/util/index.ts';

let store: string;
let cleanup: () => Promise<void>;
const servers: ControlServer[] = [];

async function answer(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
  switch (method) {
    case 'hello':
      return { pid: 4711 };
    case 'status':
      return { echo: params };
    case 'umount':
      throw new FsError('EBUSY', 'test-busy', 'the mount is in use');
    default:
      throw new Error('unexpected');
  }
}

async function serve(directory: string, handler = answer, options = {}): Promise<ControlServer> {
  const server = await serveControl(directory, handler, noLog, options);
  servers.push(server);
  return server;
}

/** Sends bytes; gives all that comes back until the other side hangs up or a line is complete. */
function sendRaw(directory: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(join(directory, CONTROL_SOCKET), () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('\n')) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(text);
    });
  });
}

beforeEach(async () => {
  const dir = await tmp.dir({ unsafeCleanup: true });
  store = dir.path;
  cleanup = dir.cleanup;
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await cleanup();
});

describe('the control socket', () => {
  test('answers, and passes errors on with their reason', async () => {
    await serve(store);
    expect(statSync(join(store, CONTROL_SOCKET)).mode & 0o777).toBe(0o600);
    const client = (await connectControl(store))!;
    expect(client.daemonPid).toBe(4711);
    expect(await client.call('status', {})).toEqual({ echo: {} });
    const failure = await client.call('umount', { dir: '/x', lazy: false }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ControlError);
    expect(failure).toMatchObject({ code: 'EBUSY', reason: 'test-busy', message: 'the mount is in use' });
    await client.close();
    await expect(client.call('status', {})).rejects.toMatchObject({ reason: 'daemon-gone' });
  });

  test('nobody there: no socket, no directory, or the socket of a dead daemon, which a new one replaces', async () => {
    expect(await connectControl(join(store, 'missing'))).toBeUndefined();
    expect(await connectControl(store)).toBeUndefined();
    // A socket file stays when its process is killed; here its listener is told not to remove it.
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(join(store, 'other'), resolve));
    linkSync(join(store, 'other'), join(store, CONTROL_SOCKET));
    await new Promise((resolve) => dead.close(resolve));
    expect(existsSync(join(store, CONTROL_SOCKET))).toBe(true);
    expect(await connectControl(store)).toBeUndefined();
    const server = await serve(store);
    const client = (await connectControl(store))!;
    expect(client.daemonPid).toBe(4711);
    await client.close();
    server.close();
    expect(existsSync(join(store, CONTROL_SOCKET))).toBe(false);
  });

  test('a store whose path is too long for a socket address', async () => {
    const deep = join(store, 'x'.repeat(120), 'y'.repeat(120));
    mkdirSync(deep, { recursive: true });
    const server = await serve(deep);
    const client = (await connectControl(deep))!;
    expect(await client.call('status', {})).toEqual({ echo: {} });
    await client.close();
    server.close();
    expect(existsSync(join(deep, CONTROL_SOCKET))).toBe(false);
    expect(await connectControl(deep)).toBeUndefined();
  });

  test('a daemon of another version is said to be so', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.end('{"id":-1,"error":{"code":"EINVAL","reason":"x","message":"version 2"}}\n'));
    });
    await new Promise<void>((resolve) => server.listen(join(store, CONTROL_SOCKET), resolve));
    await expect(connectControl(store)).rejects.toThrow('version 2');
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('hostile input', () => {
  test.each([
    ['no JSON', 'hello\n', -1],
    ['another version', '{"v":99,"id":5,"method":"status","params":{}}\n', -1],
    ['an inherited name as method', '{"v":1,"id":5,"method":"__proto__","params":{}}\n', 5],
    ['a line without end', 'x'.repeat(REQUEST_BYTES_MAX + 1), -1],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x0a]), -1],
  ])('%s gets an error, and others are served on', async (_what, bytes, id) => {
    await serve(store);
    const said = JSON.parse(await sendRaw(store, bytes)) as { id: number; error: { message: string } };
    expect(said.id).toBe(id);
    expect(typeof said.error.message).toBe('string');
    const client = (await connectControl(store))!;
    expect(await client.call('status', {})).toEqual({ echo: {} });
    await client.close();
  });

  test('a flood of requests on one connection is cut off', async () => {
    await serve(store);
    const flood = '{"v":1,"id":1,"method":"status","params":{}}\n'.repeat(500);
    const said = await new Promise<string>((resolve) => {
      const socket = createConnection(join(store, CONTROL_SOCKET), () => socket.write(flood));
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        resolve(text);
      });
    });
    expect(said).toContain('too many requests');
  });

  test('who asks and never reads is asked nothing more and then hung up on; others are served meanwhile', async () => {
    let asked = 0;
    const large = async (method: string): Promise<unknown> => {
      if (method === 'hello') return { pid: 4711 };
      asked++;
      return 'x'.repeat(1024 * 1024);
    };
    await serve(store, large, { idleMs: 300 });
    const socket = createConnection(join(store, CONTROL_SOCKET));
    socket.on('error', () => undefined);
    const hungUp = new Promise((resolve) => socket.once('close', resolve));
    socket.pause();
    const some = '{"v":1,"id":1,"method":"status","params":{}}\n'.repeat(10);
    for (let i = 0; i < 100; i++) {
      socket.write(some);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const client = (await connectControl(store))!;
    expect(client.daemonPid).toBe(4711);
    await client.close();
    // The kernel takes some hundred KiB of the first answer.
    expect(asked).toBeLessThanOrEqual(2);
    await new Promise((resolve) => setTimeout(resolve, 600));
    // Only now is it read that the other side is gone.
    socket.resume();
    await hungUp;
    // Of what came before that a few requests are carried out, with nobody to answer.
    expect(asked).toBeLessThanOrEqual(20);
  });

  test('someone who hangs up in the middle harms nobody', async () => {
    await serve(store);
    await new Promise<void>((resolve) => {
      const socket = createConnection(join(store, CONTROL_SOCKET), () => {
        socket.write('{"v":1,"id":1,"meth');
        socket.destroy();
        resolve();
      });
    });
    const client = (await connectControl(store))!;
    expect(await client.call('status', {})).toEqual({ echo: {} });
    await client.close();
  });
});
