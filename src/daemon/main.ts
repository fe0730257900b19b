// The daemon as a process in the background, started by `amberfs mount` with its output on the store's log and an IPC pipe, over which
// it gets its order and reports.

import { join } from 'node:path';
import { isFields } from './control/protocol.ts';
import { DAEMON_LOG, type StartMessage, type StartOrder } from './control/start-order.ts';
import { createLog } from './log-file.ts';
import { runDaemon } from './run.ts';

const STDERR = 2;

/** Resolves when the message has left. Whoever started us may be gone by now; the mount is in place all the same. */
function send(message: StartMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

async function run(order: StartOrder): Promise<never> {
  const log = createLog(STDERR, { path: join(order.store, DAEMON_LOG) });
  let sent = Promise.resolve();
  const status = await runDaemon(order, log, (message) => {
    sent = send(message);
  });
  await sent;
  process.exit(status);
}

function begin(order: unknown): void {
  if (!isFields(order) || typeof order['store'] !== 'string' || !isFields(order['mount'])) process.exit(2);
  void run(order as unknown as StartOrder);
}

if (process.send === undefined) {
  process.stderr.write('This program is started by "amberfs mount".\n');
  process.exitCode = 2;
} else {
  process.once('message', begin);
  // The one who starts it ended before it said what to do.
  process.once('disconnect', () => {
    if (process.listenerCount('message') > 0) process.exit(1);
  });
}
