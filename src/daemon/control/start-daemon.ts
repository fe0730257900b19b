// Starting the daemon of a store in the background: a process of its own session, whose output goes to the store's log. It says over an
// IPC pipe that the mount is in place, or what is wrong, and is on its own from then on.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FsError } from '../../errors/index.ts';
import { connectControl, requireUnserved, type ControlClient } from './client.ts';
import type { MountInfo, MountRequest } from './methods.ts';
import { ControlError, isFields } from './protocol.ts';
import { DAEMON_LOG, type StartMessage, type StartOrder } from './start-order.ts';
import { isStoreDirectory, realStorePath, untilFree } from './store-control.ts';

/**
 * Mounts: by the daemon of the store, which is started where none runs. Resolves when the mount is in place. Rejects with what the
 * daemon said, and as `openStore` does.
 */
export async function mountInBackground(path: string, request: MountRequest): Promise<MountInfo> {
  const store = realStorePath(path);
  return untilFree(async () => {
    const client = await connectControl(store);
    return client === undefined ? startDaemon({ store, mount: request }) : askToMount(client, request);
  });
}

async function askToMount(client: ControlClient, request: MountRequest): Promise<MountInfo> {
  try {
    return await client.call('mount', request);
  } finally {
    await client.close();
  }
}

/**
 * Mounts and serves in this process until all is unmounted; resolves with the exit status. `onMounted` is called when the mount is in
 * place. Rejects with EBUSY where a daemon serves the store already.
 */
export async function mountInForeground(
  path: string,
  request: MountRequest,
  onMounted: (mount: MountInfo) => void,
): Promise<number> {
  const store = realStorePath(path);
  await requireUnserved(
    store,
    (pid) =>
      new FsError(
        'EBUSY',
        'daemon-runs-already',
        `${store}: process ${pid} serves this store already; mount without --foreground, and it takes this mount too`,
      ),
  );
  const { runForeground } = await import('../run.ts');
  return runForeground({ store, mount: request }, onMounted);
}

async function startDaemon(order: StartOrder): Promise<MountInfo> {
  const log = await openLog(order.store);
  const program = fileURLToPath(new URL('../main.js', import.meta.url));
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [program, order.store], {
      // In no directory that anybody wants to unmount or remove.
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
  child.on('spawn', () => child.send(order));
  try {
    return await started(child, order.store);
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** Opens the log for the output of the daemon, or throws what opening the store has to say about the reason that it can't be. */
async function openLog(store: string): Promise<number> {
  try {
    if (isStoreDirectory(store)) return openSync(join(store, DAEMON_LOG), 'a', 0o600);
  } catch (error) {
    await explain(store);
    throw error;
  }
  await explain(store);
  throw new FsError('EINVAL', 'store-incomplete', `${store} is not a store that can be mounted`);
}

async function explain(store: string): Promise<void> {
  const { openLocalControl } = await import('../local-control.ts');
  const control = await openLocalControl(store);
  await control.close();
}

function started(child: ChildProcess, store: string): Promise<MountInfo> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: unknown) => {
      const said = message as StartMessage;
      if (isFields(message) && 'error' in said) reject(new ControlError(said.error));
      else resolve((said as { mount: MountInfo }).mount);
    });
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      reject(
        new FsError(
          'EIO',
          'daemon-start-failed',
          `${store}: the daemon ended (${signal ?? `status ${status ?? 'unknown'}`}) before the mount was in place; ` +
            `see ${join(store, DAEMON_LOG)}`,
        ),
      );
    });
  });
}
