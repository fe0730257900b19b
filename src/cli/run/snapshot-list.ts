// What `snapshot list` does.

import type { SnapshotInfo } from '../../daemon/control/index.ts';
import type { Column } from '../columns.ts';
import type { SnapshotListOptions } from '../commands/listing-options.ts';
import { UsageError, forEach } from '../failure.ts';
import { parseSize } from '../../util/index.ts';
import { formatSize } from '../sizes.ts';
import { renderListing, type Listing } from '../table.ts';
import { parseTarget, resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { print } from './output.ts';
import { SNAPSHOTS } from './snapshot-columns.ts';
import { treeLines, type TreeLine } from './snapshot-tree.ts';

/** `amberfs snapshot list TARGET...`; gives the exit status. */
export async function runSnapshotList(texts: readonly string[], options: SnapshotListOptions): Promise<number> {
  const bytes = options.free === undefined ? undefined : sizeOption(options.free);
  checkTree(options);
  const volumes: SnapshotInfo[][] = [];
  const status = await forEach(texts, options.json === true, async (text) => {
    // A mount of a snapshot stands for its volume here; a name that was given is meant.
    const { snapshot: name } = parseTarget(text);
    if (name !== undefined && bytes !== undefined)
      throw new UsageError('free-of-one', `--free chooses among the snapshots of a volume; leave "@${name}" out`);
    const target = await resolveTarget(text);
    const { volume } = target;
    await withStore(target, async (control) => {
      if (name !== undefined) {
        volumes.push([await control.call('snapshot.info', { volume, name })]);
        return;
      }
      if (bytes === undefined) {
        volumes.push(await control.call('snapshot.list', { volume }));
        return;
      }
      const { snapshots, freedBytes } = await control.call('snapshot.cheapest', { volume, bytes });
      volumes.push(snapshots);
      const count = `${snapshots.length} snapshot${snapshots.length === 1 ? '' : 's'}`;
      process.stderr.write(`amberfs: deleting ${count} of ${volume} would free ${formatSize(freedBytes ?? 0)}\n`);
    });
  });
  if (volumes.length === 0 && status !== 0) return status;
  const shown = texts.length > 1 ? `volume,${SNAPSHOTS.shown}` : SNAPSHOTS.shown;
  if (options.tree === true) print(renderListing(TREE, volumes.flatMap(treeLines), { ...options, json: false }));
  else print(renderListing({ ...SNAPSHOTS, shown }, volumes.flat(), options));
  return status;
}

function sizeOption(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new UsageError('size-unknown', `"${text}" is no size; write 500M, 10G or bytes`);
  return bytes;
}

function checkTree({ tree, json, sort, sortDescending, free }: SnapshotListOptions): void {
  if (tree !== true) return;
  if (json === true) throw new UsageError('tree-json', '--tree is for people; --json has parent, children and clones');
  if (sort !== undefined || sortDescending !== undefined || free !== undefined) {
    throw new UsageError('tree-order', '--tree has its own order and shows all; leave -s, -S and --free out');
  }
}

/** The tree as a listing: its lines where the names were. */
const TREE: Listing<TreeLine> = {
  name: 'snapshots',
  columns: SNAPSHOTS.columns.map(({ name, kind, value }): Column<TreeLine> => ({
    name,
    kind,
    value: ({ text, snapshot }) => (name === 'name' ? text : snapshot === undefined ? null : value(snapshot)),
  })),
  shown: 'name,created,used,referenced,holds,comment',
  empty: SNAPSHOTS.empty,
};
