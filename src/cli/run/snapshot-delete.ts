// What `snapshot delete` does: all targets are looked at before anything is asked, one question is asked for all, and what can't be
// deleted does not keep the rest.

import type { DeletionInfo, SnapshotInfo } from '../../daemon/control/index.ts';
import { rowForJson } from '../columns.ts';
import type { SnapshotDeleteOptions } from '../commands/delete-options.ts';
import { confirm } from '../confirm.ts';
import { OUTPUT_VERSION, STATUS, forEach, reportFailure } from '../failure.ts';
import { formatSize } from '../sizes.ts';
import { resolveTarget, type Target } from '../target.ts';
import { withStore } from '../with-store.ts';
import { print } from './output.ts';
import { awaitSpace } from './progress.ts';
import { SNAPSHOT_COLUMNS } from './snapshot-columns.ts';
import { requireSnapshot } from './snapshot-target.ts';

/** The snapshots of one volume that are to go. */
interface Group {
  readonly target: Target;
  /** Names and ranges. */
  names: string[];
  /** What was found out before. */
  preview: DeletionInfo | undefined;
}

/** `amberfs snapshot delete TARGET@NAMES...`; gives the exit status. */
export async function runSnapshotDelete(texts: readonly string[], options: SnapshotDeleteOptions): Promise<number> {
  const json = options.json === true;
  const dryRun = options.dryRun === true;
  const groups: Group[] = [];
  let status = await forEach(texts, json, async (text) => {
    addTo(groups, requireSnapshot(text, await resolveTarget(text)));
  });
  const fail = (failed: number): void => {
    if (status === STATUS.success) status = failed;
  };
  let ready: Group[] = groups;
  // With --yes alone nobody needs the figures, which take a rehearsal.
  if (dryRun || options.wait === true || options.yes !== true) {
    ready = [];
    fail(
      await forEach(groups, json, async (group) => {
        group.preview = await ask(group, true);
        fail(reportFailures(group.preview, json));
        group.names = group.preview.snapshots.map(({ name }) => name);
        if (group.names.length > 0) ready.push(group);
      }),
    );
  }
  if (!dryRun && options.yes !== true && ready.length > 0 && !(await confirm(question(ready)))) {
    process.stderr.write('amberfs: nothing was deleted\n');
    return STATUS.error;
  }
  const done: SnapshotInfo[] = [];
  if (dryRun) done.push(...ready.flatMap(({ preview }) => preview!.snapshots));
  else {
    fail(
      await forEach(ready, json, async (group) => {
        const result = await remove(group, options.wait === true);
        fail(reportFailures(result, json));
        done.push(...result.snapshots);
      }),
    );
  }
  report(done, dryRun, json, ready);
  return status;
}

/** Snapshots of one volume are looked at together, since they free more together than each by itself. */
function addTo(groups: Group[], target: Target & { readonly snapshot: string }): void {
  const { store, volume, snapshot } = target;
  const group = groups.find((other) => other.target.store === store && other.target.volume === volume);
  if (group === undefined) groups.push({ target, names: [snapshot], preview: undefined });
  else group.names.push(snapshot);
}

function ask({ target, names }: Group, dryRun: boolean): Promise<DeletionInfo> {
  const { volume } = target;
  return withStore(target, (control) => control.call('snapshot.delete', { volume, name: names.join(','), dryRun }));
}

async function remove(group: Group, wait: boolean): Promise<DeletionInfo> {
  if (!wait) return ask(group, false);
  const { volume } = group.target;
  return withStore(group.target, async (control) => {
    const before = await control.call('status', {});
    const name = group.names.join(',');
    const result = await control.call('snapshot.delete', { volume, name, dryRun: false });
    await awaitSpace(control, before, group.preview?.freedBytes ?? 0);
    return result;
  });
}

/** Says what stays, and why; gives the exit status. */
function reportFailures({ failures }: DeletionInfo, json: boolean): number {
  for (const { code, reason, message } of failures) {
    reportFailure(Object.assign(new Error(message), { code, reason }), json);
  }
  return failures.length === 0 ? STATUS.success : STATUS.error;
}

function freedBytes(groups: readonly Group[]): number {
  return groups.reduce((sum, { preview }) => sum + (preview?.freedBytes ?? 0), 0);
}

function question(groups: readonly Group[]): string {
  const all = groups.flatMap(({ preview }) => preview!.snapshots);
  const what =
    all.length <= 4
      ? all.map(describe).join(', ')
      : `${all.length} snapshots, from ${describe(all[0]!)} to ${describe(all.at(-1)!)}`;
  return `delete ${what}, which frees ${formatSize(freedBytes(groups))}`;
}

function describe({ volume, name, referencedBytes, uniqueBytes }: SnapshotInfo): string {
  const own = uniqueBytes === null ? '' : `, ${formatSize(uniqueBytes)} its own`;
  return `snapshot ${volume}@${name} (${formatSize(referencedBytes)} referenced${own})`;
}

function report(done: readonly SnapshotInfo[], dryRun: boolean, json: boolean, groups: readonly Group[]): void {
  const known = groups.every(({ preview }) => preview !== undefined);
  const bytes = freedBytes(groups);
  if (json) {
    const snapshots = done.map((info) => rowForJson(SNAPSHOT_COLUMNS, info));
    const fields = { output_version: OUTPUT_VERSION, dry_run: dryRun, freed: known ? bytes : null, snapshots };
    print(`${JSON.stringify(fields, null, 2)}\n`);
    return;
  }
  for (const info of done) print(`${dryRun ? 'would delete' : 'deleted'} ${describe(info)}\n`);
  if (dryRun && done.length > 0) print(`would free ${formatSize(bytes)} (${bytes} bytes)\n`);
}
