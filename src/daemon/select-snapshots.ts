// Several snapshots of a volume in one text: names between commas, and ranges by age, `a%b` from a to b with both, `%b` from the oldest,
// `a%` to the newest.

import { FsError } from '../errors/index.ts';
import type { Snapshot, Volume } from '../volume/index.ts';

export interface Selection {
  /** Each once, oldest first. */
  readonly snapshots: Snapshot[];
  /** What in the text leads to none. */
  readonly failures: FsError[];
}

/** The snapshots of `volume` that `text` names, by their names or access points. */
export function selectSnapshots(volume: Volume, text: string): Selection {
  const all = volume.snapshots();
  const chosen = new Set<Snapshot>();
  const failures: FsError[] = [];
  for (const part of text.split(',')) {
    try {
      for (const snapshot of selectPart(volume, all, part)) chosen.add(snapshot);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      failures.push(error);
    }
  }
  return { snapshots: all.filter((snapshot) => chosen.has(snapshot)), failures };
}

function selectPart(volume: Volume, all: readonly Snapshot[], part: string): readonly Snapshot[] {
  const [from, to, ...rest] = part.split('%');
  if (part === '' || rest.length > 0) {
    throw new FsError(
      'EINVAL',
      'selection-malformed',
      `"${part}" names no snapshots; write NAME, or FIRST%LAST for a range, and commas between several`,
    );
  }
  if (to === undefined) return [volume.snapshot(part)];
  const first = from === '' ? 0 : all.indexOf(volume.snapshot(from!));
  const last = to === '' ? all.length - 1 : all.indexOf(volume.snapshot(to));
  if (first > last && all.length > 0) {
    throw new FsError(
      'EINVAL',
      'selection-reversed',
      `"${part}": ${from!} is younger than ${to}; write the older first`,
    );
  }
  return all.slice(first, last + 1);
}
