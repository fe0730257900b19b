// The dead lists that matter to a region of the version tree: which of its versions dropped how much of what was born in which other one.

import { VERSION_STATE } from '../format/index.ts';
import type { ReadView } from '../store/index.ts';
import type { Forest } from './forest.ts';
import { readDeadSums } from './read-dead.ts';
import type { Region } from './region.ts';

/** What lists hold of births in the region, as columns. */
export interface Drops {
  /** The row that dropped it, and the one that it was born in. */
  readonly by: number[];
  readonly born: number[];
  readonly list: number[];
  /** As it is stored: before merged versions are resolved. */
  readonly birth: number[];
  readonly count: number[];
}

/** What the lists in `region` hold of births in it, with the sums that `view` has. */
export async function readDrops(forest: Forest, view: ReadView, region: Region): Promise<Drops> {
  const drops: Drops = { by: [], born: [], list: [], birth: [], count: [] };
  const rows = listRows(forest, region);
  await readDeadSums(view, [...rows.keys()], (list, birth, count) => {
    const by = rows.get(list);
    // What has a row was not merged when the region was made; since then it may have been.
    const born = region.rowOf(birth) ?? region.rowOf(forest.versions.resolve(birth));
    // What a version dropped of its own is being freed.
    if (by === undefined || born === undefined || by === born) return;
    drops.by.push(by);
    drops.born.push(born);
    drops.list.push(list);
    drops.birth.push(birth);
    drops.count.push(count);
  });
  return drops;
}

/** The rows by their dead lists; a version into which another is being merged has that one's list, too. */
function listRows(forest: Forest, region: Region): Map<number, number> {
  const rows = new Map<number, number>();
  let merged = false;
  for (const row of region.below()) {
    const version = region.versions[row]!;
    rows.set(version.deadList, row);
    merged ||= forest.versions.standsForOthers(version);
  }
  if (!merged) return rows;
  for (const { id, state, deadList } of forest.versions.all()) {
    if (state !== VERSION_STATE.merging) continue;
    const row = region.rowOf(forest.versions.resolve(id));
    if (row !== undefined && rows.has(region.versions[row]!.deadList)) rows.set(deadList, row);
  }
  return rows;
}
