// What `mount` and `umount` do.

import { resolve } from 'node:path';
import { mountInBackground, mountInForeground, unmountDirectory } from '../../daemon/control/index.ts';
import type { MountInfo, MountRequest } from '../../daemon/control/index.ts';
import { STATUS, forEach } from '../failure.ts';
import { parseMountOptions } from '../mount-options.ts';
import { resolveTarget } from '../target.ts';
import { print } from './output.ts';

/** `amberfs mount TARGET DIR`; gives the exit status. */
export async function runMount(
  text: string,
  dir: string,
  optionLists: readonly string[],
  foreground: boolean,
): Promise<number> {
  const options = parseMountOptions(optionLists);
  const target = await resolveTarget(text);
  const { snapshot } = target;
  const request: MountRequest = {
    dir: resolve(dir),
    volume: target.volume,
    ...(snapshot === undefined ? {} : { snapshot }),
    options,
  };
  if (foreground) return mountInForeground(target.store, request, report);
  report(await mountInBackground(target.store, request));
  return STATUS.success;
}

function report(mount: MountInfo): void {
  print(`${describe(mount)}\n`);
  if (mount.damage !== null) process.stderr.write(`amberfs: warning: ${mount.damage}\n`);
}

function describe(mount: MountInfo): string {
  const view = mount.snapshot === null ? mount.volume : `${mount.volume}@${mount.snapshot}`;
  return `${view} is mounted on ${mount.dir}${mount.readOnly ? ', read-only' : ''}`;
}

/** `amberfs umount DIR...`; gives the exit status. */
export function runUnmount(dirs: readonly string[], lazy: boolean): Promise<number> {
  return forEach(dirs, false, (dir) => unmountDirectory(dir, lazy));
}
