// The control filesystem of FUSE: one directory per connection under /sys/fs/fuse/connections, named by the device number of the mount
// (Documentation/filesystems/fuse.rst, "Interrupting filesystem operations" and "Aborting a filesystem connection").

import { existsSync, writeFileSync } from 'node:fs';
import { FsError } from '../../errors/index.ts';
import type { Log } from '../../util/index.ts';
import { mount } from './libc.ts';
import { findMount } from './mountinfo.ts';

const CONNECTIONS = '/sys/fs/fuse/connections';

/** The number of the FUSE connection that is mounted at `mountPoint`, or undefined if none is. */
export function connectionOf(mountPoint: string): number | undefined {
  const entry = findMount(mountPoint);
  if (entry === undefined || !entry.fsType.startsWith('fuse')) return undefined;
  // The kernel's dev_t: major 12 bits above a minor of 20; anonymous devices have major 0.
  return entry.deviceMajor * 0x10_0000 + entry.deviceMinor;
}

/**
 * Ends a connection by force: every request that waits or comes gets an error (ENOTCONN, ECONNABORTED), nobody hangs any more, and the
 * mount can be unmounted. Throws FsError ENOENT if there is no such connection, EACCES if it belongs to somebody else.
 */
export async function abortConnection(connection: number): Promise<void> {
  const file = `${CONNECTIONS}/${connection}/abort`;
  if (!existsSync(file) && findMount(CONNECTIONS) === undefined) {
    // systemd mounts it where it runs; in a container or a bare system nobody has.
    await mount('fusectl', CONNECTIONS, 'fusectl', 0, '');
  }
  if (!existsSync(file)) {
    throw new FsError(
      'ENOENT',
      'no-such-connection',
      `there is no FUSE connection ${connection} to abort, or fusectl is not mounted at ${CONNECTIONS}`,
    );
  }
  try {
    writeFileSync(file, '1');
  } catch (cause) {
    throw new FsError('EACCES', 'abort-refused', `FUSE connection ${connection} can't be aborted: ${file}`, {
      cause,
    });
  }
}

/**
 * Raises the kernel's read-ahead for a mount: INIT can only lower it, from 128 KiB (fs/fuse/inode.c: the minimum of both). Needs root; a
 * mount without it works and reads sequentially somewhat slower, so failure is logged and nothing else.
 */
export function raiseReadahead(connection: number, readaheadBytes: number, log: Log): void {
  const major = Math.floor(connection / 0x10_0000);
  const file = `/sys/class/bdi/${major}:${String(connection % 0x10_0000)}/read_ahead_kb`;
  try {
    writeFileSync(file, String(Math.floor(readaheadBytes / 1024)));
  } catch (error) {
    log.info(`read-ahead stays at the kernel's default: ${error instanceof Error ? error.message : String(error)}`);
  }
}
