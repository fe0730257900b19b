// FUSE connections by number: the device number of the mount names a connection's directory under /sys/fs/fuse/connections (through which
// a hung one is aborted) and its read-ahead under /sys/class/bdi (Documentation/filesystems/fuse.rst, "Control filesystem").

import { writeFileSync } from 'node:fs';
import type { Log } from '../../util/index.ts';
import { findMount } from './mountinfo.ts';

/** The number of the FUSE connection that is mounted at `mountPoint`, or undefined if none is. */
export function connectionOf(mountPoint: string): number | undefined {
  const entry = findMount(mountPoint);
  if (entry === undefined || !entry.fsType.startsWith('fuse')) return undefined;
  // The kernel's dev_t: major 12 bits above a minor of 20; anonymous devices have major 0.
  return entry.deviceMajor * 0x10_0000 + entry.deviceMinor;
}

/**
 * Ends a connection, whoever waits for what: also a thread of ours that waits in the kernel for an answer that will not come. Needs to be root
 * or who mounted it; otherwise nothing happens.
 */
export function abortConnection(connection: number): void {
  try {
    writeFileSync(`/sys/fs/fuse/connections/${connection}/abort`, '1');
  } catch {
    // Then it ends with the last descriptor of the device.
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
