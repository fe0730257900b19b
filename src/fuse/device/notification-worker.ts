// What runs in the notification thread (notification-thread.ts): for each batch that comes, it writes it and says what became of it.

import { parentPort } from 'node:worker_threads';
import { assert } from '../../util/index.ts';
import { writeBatch, type NotificationBatch } from './write-batch.ts';

// An inode that the kernel does not know any more is an exception, perhaps thousands in a row; nobody reads where it came from.
Error.stackTraceLimit = 0;

const port = parentPort;
assert(port !== null, 'this is the program of a thread');
port.on('message', (batch: NotificationBatch) => {
  port.postMessage(writeBatch(batch));
});
