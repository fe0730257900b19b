// Before a snapshot: has the kernel hand over what programs wrote through mmap and did not msync. The daemon can't do this, since it would
// wait for itself; and Node has no syncfs(2), but coreutils does.

import { spawn } from 'node:child_process';
import { FsError } from '../errors/index.ts';
import type { Control } from '../daemon/control/index.ts';

/** Writes out the dirty pages of the mount of `volume`, if it has one. Throws FsError EIO where that fails. */
export async function syncMounts(control: Control, volume: string): Promise<void> {
  // A store without a daemon has no mounts.
  if (control.daemonPid === undefined) return;
  const { mounts } = await control.call('status', {});
  for (const mount of mounts) {
    if (mount.volume === volume && mount.snapshot === null && !mount.readOnly) await syncDirectory(mount.dir);
  }
}

function syncDirectory(dir: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('sync', ['--file-system', dir], { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const failed = (why: string): void => {
      reject(
        new FsError(
          'EIO',
          'sync-before-snapshot',
          `${dir}: what was written through mmap could not be flushed before the snapshot: ${why}`,
        ),
      );
    };
    child.once('error', (error) => {
      failed(error.message);
    });
    child.once('close', (status) => {
      if (status === 0) resolve();
      else failed(said.trim() === '' ? 'sync failed' : said.trim());
    });
  });
}
