// fusermount3, the helper that is installed setuid root and mounts for normal users. It hands the open device back over a socket whose number
// it finds in _FUSE_COMMFD (libfuse, doc/README.fusermount and lib/mount.c).

import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { FsError } from '../../errors/index.ts';
import { receiveDescriptor, setNonBlocking, socketpair } from './libc.ts';

export interface HelperResult {
  /** The exit status; null if a signal ended it. */
  readonly status: number | null;
  readonly stderr: string;
}

/** The descriptor number that the child finds its socket at. */
const CHILD_SOCKET = 3;

/** Runs fusermount3 to its end. Throws FsError ENOENT if it is not installed. */
export function runFusermount(args: readonly string[], socket?: number): Promise<HelperResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('fusermount3', args, {
      stdio: ['ignore', 'ignore', 'pipe', ...(socket === undefined ? [] : [socket])],
      env: { ...process.env, ...(socket === undefined ? {} : { _FUSE_COMMFD: String(CHILD_SOCKET) }) },
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      // It says one line; a limit all the same.
      if (stderr.length < 4096) stderr += chunk;
    });
    child.once('error', (cause) => {
      reject(
        new FsError(
          'ENOENT',
          'fusermount-missing',
          'fusermount3 could not be run: mounting as a normal user needs it; install the Debian package fuse3',
          { cause },
        ),
      );
    });
    child.once('close', (status) => {
      resolve({ status, stderr: stderr.trim() });
    });
  });
}

/**
 * Mounts at `path` through the helper; resolves with the open device, O_NONBLOCK set. `options` are comma-separated as for `-o`. Throws
 * FsError EPERM if the helper refused, with what it said.
 */
export async function mountByHelper(path: string, options: string): Promise<number> {
  const pair = socketpair();
  if (pair === undefined) throw new FsError('EIO', 'socketpair-failed', 'no socket for fusermount3 could be made');
  const [ours, theirs] = pair;
  try {
    const result = await runFusermount(['-o', options, '--', path], theirs);
    // The helper has ended, so its message is in the socket, or never will be.
    const fd = receiveDescriptor(ours);
    if (fd === undefined) {
      const why = result.stderr === '' ? `exit status ${result.status}` : result.stderr;
      throw new FsError('EPERM', 'fusermount-refused', `${path}: fusermount3 did not mount: ${why}`);
    }
    if (!setNonBlocking(fd)) {
      closeSync(fd);
      throw new FsError('EIO', 'device-flags', `${path}: the FUSE device does not take O_NONBLOCK`);
    }
    return fd;
  } finally {
    closeSync(ours);
    closeSync(theirs);
  }
}
