// What the commands about snapshots do.

import type { SnapshotInfo } from '../../daemon/control/index.ts';
import { formatExactly, formatForPeople, rowForJson, type Column } from '../columns.ts';
import type { DeleteOptions } from '../commands/delete-options.ts';
import type { CreateOptions } from '../commands/create-options.ts';
import { UsageError, forEach } from '../failure.ts';
import { formatSize } from '../sizes.ts';
import { syncMounts } from '../sync-mounts.ts';
import { renderFacts, renderListing, type Listing, type ListingOptions } from '../table.ts';
import { resolveTarget, type Target } from '../target.ts';
import { withStore } from '../with-store.ts';
import { runDeletions, type Deletion } from './delete.ts';
import { print, printRow } from './output.ts';
import { requireSnapshot } from './snapshot-target.ts';

const COLUMNS: readonly Column<SnapshotInfo>[] = [
  { name: 'name', kind: 'text', value: (snapshot) => snapshot.name },
  { name: 'volume', kind: 'text', value: (snapshot) => snapshot.volume },
  { name: 'created', kind: 'time', value: (snapshot) => snapshot.createdMs },
  { name: 'referenced', kind: 'size', value: (snapshot) => snapshot.referencedBytes },
  { name: 'unique', kind: 'size', value: (snapshot) => snapshot.uniqueBytes },
  { name: 'written', kind: 'size', value: (snapshot) => snapshot.writtenBytes },
  { name: 'access_point', kind: 'text', value: (snapshot) => snapshot.accessPoint },
  { name: 'comment', kind: 'text', value: (snapshot) => snapshot.comment },
  { name: 'by', kind: 'text', value: (snapshot) => snapshot.by },
  { name: 'mounted_on', kind: 'text', value: (snapshot) => snapshot.mountedOn },
];

const SNAPSHOTS: Listing<SnapshotInfo> = {
  name: 'snapshots',
  columns: COLUMNS,
  shown: 'name,created,unique,referenced,comment',
  empty: 'no snapshots',
};

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
    });
  });
  printRow(options.json === true, `made snapshot ${volume}@${info.name}`, COLUMNS, info);
}

/** `amberfs snapshot list TARGET...`; gives the exit status. */
export async function runSnapshotList(texts: readonly string[], options: ListingOptions): Promise<number> {
  const rows: SnapshotInfo[] = [];
  const status = await forEach(texts, options.json === true, async (text) => {
    const target: Target = await resolveTarget(text);
    rows.push(...(await withStore(target, (control) => control.call('snapshot.list', { volume: target.volume }))));
  });
  const listing = texts.length > 1 ? { ...SNAPSHOTS, shown: `volume,${SNAPSHOTS.shown}` } : SNAPSHOTS;
  if (rows.length > 0 || status === 0) print(renderListing(listing, rows, options));
  return status;
}

/** `amberfs snapshot info TARGET@NAME` */
export async function runSnapshotInfo(text: string, options: { json?: boolean; parsable?: boolean }): Promise<void> {
  const target = requireSnapshot(text, await resolveTarget(text));
  const { volume, snapshot: name } = target;
  const info = await withStore(target, (control) => control.call('snapshot.info', { volume, name }));
  const format = options.parsable === true ? formatExactly : formatForPeople;
  const facts = COLUMNS.map((column): [string, string] => [
    column.name.replaceAll('_', ' '),
    format(column.kind, column.value(info)),
  ]);
  printRow(options.json === true, renderFacts(facts).trimEnd(), COLUMNS, info);
}

/** `amberfs snapshot delete TARGET@NAME...`; gives the exit status. */
export function runSnapshotDelete(texts: readonly string[], options: DeleteOptions): Promise<number> {
  const deletions = texts.map((text): Deletion<SnapshotInfo> => ({
    run: async (dryRun) => {
      const target = requireSnapshot(text, await resolveTarget(text));
      const { volume, snapshot: name } = target;
      return withStore(target, (control) => control.call('snapshot.delete', { volume, name, dryRun }));
    },
  }));
  const describe = (info: SnapshotInfo): string => {
    const unique = info.uniqueBytes === null ? '' : `, ${formatSize(info.uniqueBytes)} its own`;
    return `snapshot ${info.volume}@${info.name} (${formatSize(info.referencedBytes)} referenced${unique})`;
  };
  return runDeletions(deletions, { list: 'snapshots', describe, toJson: (info) => rowForJson(COLUMNS, info) }, options);
}

/** `amberfs snapshot rename TARGET@NAME NEWNAME` */
export async function runSnapshotRename(text: string, to: string): Promise<void> {
  const target = requireSnapshot(text, await resolveTarget(text));
  const { volume, snapshot: name } = target;
  await withStore(target, (control) => control.call('snapshot.rename', { volume, name, to }));
  print(`renamed ${volume}@${name} to ${volume}@${to}\n`);
}
