/**
 * What the kernel says of FUSE mounts, and how to get rid of one. Nothing here looks at a mount itself, so nothing here
 * can hang: /proc/self/mountinfo, the control files below /sys/fs/fuse/connections and a lazy unmount never ask the daemon.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export interface MountEntry {
  mountPoint: string;
  type: string;
  source: string;
  /** The minor number of the device, which names the connection of a FUSE mount. */
  connection: number;
}

const connectionsDir = '/sys/fs/fuse/connections';

/** mountinfo writes blanks, tabs, newlines and backslashes as octal numbers (proc_pid_mountinfo(5)). */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** All mounts at or below a directory, the deepest and newest first. */
export function mountsBelow(dir: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [front, back] = line.split(' - ');
    if (front === undefined || back === undefined) continue;
    const fields = front.split(' ');
    const mountPoint = unescape(fields[4]!);
    if (mountPoint !== dir && !mountPoint.startsWith(`${dir}${path.sep}`)) continue;
    const [type, source] = back.split(' ') as [string, string];
    entries.unshift({ mountPoint, type, source: unescape(source), connection: Number(fields[2]!.split(':')[1]) });
  }
  return entries;
}

export function isMounted(dir: string): boolean {
  return mountsBelow(dir).some((entry) => entry.mountPoint === dir);
}

/**
 * Makes every system call that waits for a FUSE mount return with an error (Documentation/filesystems/fuse.rst,
 * "Control filesystem"). Mounts the control filesystem when nobody has.
 */
function abortConnection(connection: number): void {
  if (fs.readdirSync(connectionsDir).length === 0) spawnSync('mount', ['-t', 'fusectl', 'none', connectionsDir]);
  try {
    fs.writeFileSync(path.join(connectionsDir, String(connection), 'abort'), '1');
  } catch (error) {
    // A connection without a daemon is gone already, and so is its folder.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** Removes every mount at or below `dir`, by abort and lazy unmount. Throws when one is left. */
export function forceUnmountBelow(dir: string): void {
  for (const entry of mountsBelow(dir)) {
    if (entry.type.startsWith('fuse')) abortConnection(entry.connection);
    spawnSync('umount', ['--lazy', entry.mountPoint], { timeout: 10_000 });
  }
  const left = mountsBelow(dir);
  if (left.length > 0) throw new Error(`cannot unmount ${left.map((entry) => entry.mountPoint).join(', ')}`);
}
