// The columns of snapshots.

import type { SnapshotInfo } from '../../daemon/control/index.ts';
import type { Column } from '../columns.ts';
import { formatUtcTime } from '../sizes.ts';
import type { Listing } from '../table.ts';

export const SNAPSHOT_COLUMNS: readonly Column<SnapshotInfo>[] = [
  { name: 'name', kind: 'text', value: (snapshot) => snapshot.name },
  { name: 'volume', kind: 'text', value: (snapshot) => snapshot.volume },
  { name: 'access_point', kind: 'text', value: (snapshot) => snapshot.accessPoint },
  { name: 'created', kind: 'time', value: (snapshot) => snapshot.createdMs },
  { name: 'used', kind: 'size', value: (snapshot) => snapshot.uniqueBytes },
  { name: 'referenced', kind: 'size', value: (snapshot) => snapshot.referencedBytes },
  { name: 'written', kind: 'size', value: (snapshot) => snapshot.writtenBytes },
  { name: 'parent', kind: 'text', value: (snapshot) => snapshot.parent },
  { name: 'children', kind: 'list', value: (snapshot) => snapshot.children },
  { name: 'clones', kind: 'list', value: (snapshot) => snapshot.clones },
  { name: 'current', kind: 'flag', value: (snapshot) => snapshot.current },
  { name: 'holds', kind: 'list', value: (snapshot) => snapshot.holds.map(({ tag }) => tag) },
  { name: 'by', kind: 'text', value: (snapshot) => snapshot.by },
  { name: 'comment', kind: 'text', value: (snapshot) => snapshot.comment },
  { name: 'mounted_on', kind: 'text', value: (snapshot) => snapshot.mountedOn },
];

export const SNAPSHOTS: Listing<SnapshotInfo> = {
  name: 'snapshots',
  columns: SNAPSHOT_COLUMNS,
  shown: 'name,created,used,referenced,holds,comment',
  empty: 'no snapshots',
};

/** All about the holds of a snapshot, in one line. */
export function describeHolds({ holds }: SnapshotInfo): string {
  if (holds.length === 0) return '-';
  return holds
    .map(({ tag, reason, expiresMs }) => {
      const facts: string[] = [];
      if (reason !== null) facts.push(reason);
      if (expiresMs !== null) facts.push(`until ${formatUtcTime(expiresMs)}`);
      return facts.length === 0 ? tag : `${tag} (${facts.join(', ')})`;
    })
    .join(', ');
}
