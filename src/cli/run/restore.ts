// What `amberfs snapshot restore` does.

import type { Control, RestoreInfo } from '../../daemon/control/index.ts';
import type { RestoreOptions } from '../commands/restore-options.ts';
import { confirm } from '../confirm.ts';
import { STATUS, UsageError } from '../failure.ts';
import { formatSize } from '../sizes.ts';
import { syncMounts } from '../sync-mounts.ts';
import { resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { invokingUser } from './invoking-user.ts';
import { printResult } from './output.ts';
import { requireSnapshot } from './snapshot-target.ts';

/** `amberfs snapshot restore TARGET@NAME`; gives the exit status. Only giving something up asks. */
export async function runSnapshotRestore(text: string, options: RestoreOptions): Promise<number> {
  const { preserve, dryRun = false, discard = false, properties = false } = options;
  if (discard && preserve !== undefined) {
    throw new UsageError('restore-keep-and-discard', 'either --preserve or --discard: they contradict each other');
  }
  const target = requireSnapshot(text, await resolveTarget(text));
  const { volume, snapshot: name } = target;
  const ask = (isDryRun: boolean): Promise<RestoreInfo> =>
    withStore(target, async (control) => {
      if (!isDryRun) await syncMounts(control, volume);
      const chosen = { ...(preserve === undefined ? {} : { preserve }), ...(properties ? { properties } : {}) };
      const by = invokingUser();
      const info = await control.call('snapshot.restore', { volume, name, ...chosen, by, discard, dryRun: isDryRun });
      if (!isDryRun) await forgetLostPages(control, volume);
      return info;
    });
  if (discard && !dryRun && options.yes !== true && !(await confirm(question(await ask(true))))) {
    process.stderr.write('amberfs: nothing was restored\n');
    return STATUS.error;
  }
  const info = await ask(dryRun);
  printResult(options.json === true, sentence(info, dryRun, properties), {
    dry_run: dryRun,
    volume: info.volume,
    snapshot: info.snapshot,
    preserved: info.preserved,
    written: info.writtenBytes,
    properties,
    mounted_on: info.mountedOn,
  });
  return STATUS.success;
}

/**
 * What a program still wrote into a mapping of before had no place to go, and the kernel tells the next who syncs the mount of such a
 * failure: that shall be this command, and not the next snapshot.
 */
async function forgetLostPages(control: Control, volume: string): Promise<void> {
  await syncMounts(control, volume).catch(() => undefined);
}

function question(info: RestoreInfo): string {
  return `restore ${info.volume} to ${info.volume}@${info.snapshot} and give up ${lost(info)}`;
}

function sentence(info: RestoreInfo, dryRun: boolean, properties: boolean): string {
  const { volume, snapshot, preserved } = info;
  const kept = `${volume}@${preserved ?? ''}`;
  const subject = `quota and properties of ${volume}`;
  if (dryRun) {
    const before = preserved === null ? `give up ${lost(info)}` : `keep what it holds now as ${kept}`;
    const then = properties ? `would be those of ${volume}@${snapshot}` : 'would stay as they are';
    return `would restore ${volume} to ${volume}@${snapshot} and ${before}; ${subject} ${then}`;
  }
  const before = preserved === null ? 'what it held before was given up' : `what it held before is ${kept}`;
  const now = properties ? `are those of ${volume}@${snapshot} again` : 'stay as they are';
  return `restored ${volume} to ${volume}@${snapshot}; ${before}; ${subject} ${now}`;
}

function lost({ writtenBytes }: RestoreInfo): string {
  return `what it holds now (${formatSize(writtenBytes)} written since its last snapshot or restore)`;
}
