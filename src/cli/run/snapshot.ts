// What the commands about snapshots do.

import { formatExactly, formatForPeople } from '../columns.ts';
import type { CreateOptions } from '../commands/create-options.ts';
import { UsageError } from '../failure.ts';
import { syncMounts } from '../sync-mounts.ts';
import { renderFacts } from '../table.ts';
import { resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { invokingUser } from './invoking-user.ts';
import { print, printRow } from './output.ts';
import { SNAPSHOT_COLUMNS, describeHolds } from './snapshot-columns.ts';
import { requireSnapshot } from './snapshot-target.ts';

/** `amberfs snapshot create TARGET [NAME]` */
export async function runSnapshotCreate(
  text: string,
  given: string | undefined,
  options: CreateOptions,
): Promise<void> {
  const target = await resolveTarget(text);
  if (given !== undefined && target.snapshot !== undefined) {
    throw new UsageError('snapshot-of-snapshot', `"${text}" is a snapshot already; name a volume`);
  }
  const { volume } = target;
  const name = given ?? target.snapshot;
  const { comment, accessPoint } = options;
  const info = await withStore(target, async (control) => {
    await syncMounts(control, volume);
    return control.call('snapshot.create', {
      volume,
      ...(name === undefined ? {} : { name }),
      ...(comment === undefined ? {} : { comment }),
      ...(accessPoint === undefined ? {} : { accessPoint }),
      by: invokingUser(),
    });
  });
  printRow(options.json === true, `made snapshot ${volume}@${info.name}`, SNAPSHOT_COLUMNS, info);
}

/** `amberfs snapshot info TARGET@NAME` */
export async function runSnapshotInfo(text: string, options: { json?: boolean; parsable?: boolean }): Promise<void> {
  const target = requireSnapshot(text, await resolveTarget(text));
  const { volume, snapshot: name } = target;
  const info = await withStore(target, (control) => control.call('snapshot.info', { volume, name }));
  const format = options.parsable === true ? formatExactly : formatForPeople;
  const facts = SNAPSHOT_COLUMNS.map((column): [string, string] => [
    column.name.replaceAll('_', ' '),
    column.name === 'holds' ? describeHolds(info) : format(column.kind, column.value(info)),
  ]);
  printRow(options.json === true, renderFacts(facts).trimEnd(), SNAPSHOT_COLUMNS, info);
}

/** `amberfs snapshot rename TARGET@NAME [NEWNAME] [--access-point DIR]` */
export async function runSnapshotRename(
  text: string,
  to: string | undefined,
  options: { accessPoint?: string },
): Promise<void> {
  const { accessPoint } = options;
  if (to === undefined && accessPoint === undefined) {
    throw new UsageError('rename-to-nothing', 'name the new name, or the new directory with --access-point');
  }
  const target = requireSnapshot(text, await resolveTarget(text));
  const { volume, snapshot: name } = target;
  const info = await withStore(target, (control) =>
    control.call('snapshot.rename', {
      volume,
      name,
      ...(to === undefined ? {} : { to }),
      ...(accessPoint === undefined ? {} : { accessPoint }),
    }),
  );
  const where = info.accessPoint === info.name ? '' : `, in .snapshots/${info.accessPoint}`;
  print(`renamed ${volume}@${name} to ${volume}@${info.name}${where}\n`);
}
