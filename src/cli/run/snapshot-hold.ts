// What `snapshot hold` and `snapshot release` do.

import type { HoldOptions } from '../commands/hold-options.ts';
import { UsageError } from '../failure.ts';
import { formatUtcTime, parseMoment } from '../sizes.ts';
import { resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { printRow } from './output.ts';
import { SNAPSHOT_COLUMNS } from './snapshot-columns.ts';
import { requireSnapshot } from './snapshot-target.ts';

/** `amberfs snapshot hold TARGET@NAME TAG` */
export async function runSnapshotHold(text: string, tag: string, options: HoldOptions): Promise<void> {
  const { reason, expires } = options;
  const expiresMs = expires === undefined ? undefined : parseMoment(expires, Date.now());
  if (expires !== undefined && expiresMs === undefined) {
    throw new UsageError(
      'hold-expiry-unknown',
      `--expires takes 30m, 12h, 7d, 2w or a date as 2026-12-31 or 2026-12-31T18:00 (UTC), not "${expires}"`,
    );
  }
  const target = requireSnapshot(text, await resolveTarget(text));
  const { volume, snapshot: name } = target;
  const info = await withStore(target, (control) =>
    control.call('snapshot.hold', {
      volume,
      name,
      tag,
      ...(reason === undefined ? {} : { reason }),
      ...(expiresMs === undefined ? {} : { expiresMs }),
    }),
  );
  const until = expiresMs === undefined ? '' : ` until ${formatUtcTime(expiresMs)}`;
  const sentence = `${volume}@${info.name} is held by ${tag}${until}`;
  printRow(options.json === true, sentence, SNAPSHOT_COLUMNS, info);
}

/** `amberfs snapshot release TARGET@NAME TAG` */
export async function runSnapshotRelease(text: string, tag: string, json: boolean): Promise<void> {
  const target = requireSnapshot(text, await resolveTarget(text));
  const { volume, snapshot: name } = target;
  const info = await withStore(target, (control) => control.call('snapshot.release', { volume, name, tag }));
  const left = info.holds.length === 0 ? '' : `; still held by ${info.holds.map((hold) => hold.tag).join(', ')}`;
  printRow(json, `released ${volume}@${info.name} from ${tag}${left}`, SNAPSHOT_COLUMNS, info);
}
