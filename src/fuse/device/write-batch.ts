// Many messages to the device, one write(2) each. Such a write may wait for locks in the kernel, so this runs in the notification thread alone.

import { writeSync } from 'node:fs';
import { ERRNO } from '../../errors/index.ts';
import { assert } from '../../util/index.ts';
import type { SendOutcome } from '../session/channel.ts';

export interface NotificationBatch {
  readonly fd: number;
  /** One message after the other, each beginning with its length (struct fuse_out_header). */
  readonly messages: Uint8Array<ArrayBuffer>;
  /** Shared memory: no message is begun once element 0 is not 0. */
  readonly stop: Int32Array;
}

/** As `fs.writeSync`. */
export type Write = (fd: number, bytes: Uint8Array, offset: number, lengthBytes: number) => unknown;

/**
 * Writes all messages, whatever becomes of one of them. Gives the first errno other than ENOENT, or 0; EBADF where it was stopped before.
 * Throws if the batch is malformed.
 */
export function writeBatch({ fd, messages, stop }: NotificationBatch, write: Write = writeSync): SendOutcome {
  const lengths = new DataView(messages.buffer, messages.byteOffset, messages.length);
  let outcome = 0;
  for (let at = 0; at < messages.length;) {
    if (Atomics.load(stop, 0) !== 0) return outcome || ERRNO.EBADF;
    const lengthBytes = lengths.getUint32(at, true);
    assert(lengthBytes > 0 && at + lengthBytes <= messages.length, 'a batch consists of whole messages');
    const errno = writeOne(write, fd, messages, at, lengthBytes);
    // ENOENT: the kernel caches nothing of it, which is as good.
    if (errno !== ERRNO.ENOENT) outcome ||= errno;
    at += lengthBytes;
  }
  return outcome;
}

function writeOne(write: Write, fd: number, messages: Uint8Array, at: number, lengthBytes: number): SendOutcome {
  try {
    write(fd, messages, at, lengthBytes);
    return 0;
  } catch (error) {
    // libuv has the errno negated. An error without one does not come from the kernel.
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return -errno;
  }
}
