// Which files a damaged data block is part of.

import { CorruptionError } from '../errors/index.ts';
import { extentStart } from '../format/index.ts';
import { Cursor, type Pace } from '../tree/index.ts';
import type { Extent } from './check-data.ts';
import { findPath } from './check-path.ts';
import { extentEnd, extentFirst, seekExtent } from './extents.ts';
import type { Filesystem } from './filesystem.ts';
import type { Volumes } from './volumes.ts';

const PLACES_MAX = 100;

/** The files that block `i` of the extent is part of, in the live files and in every snapshot: as ScrubDamage names them. */
export async function placesOf(volumes: Volumes, extent: Extent, i: number, pace: Pace): Promise<string[]> {
  const places: string[] = [];
  for (const volume of volumes.list()) {
    const all: [name: string, fs: Filesystem][] = [[volume.name, volume.filesystem]];
    for (const { label, filesystem } of volume.snapshots()) all.push([`${volume.name}@${label.name}`, filesystem]);
    for (const [name, fs] of all) {
      if (places.length === PLACES_MAX) return [...places, 'and others'];
      if (!fs.alive || !hasBlock(fs, extent, i)) continue;
      const path = await findPath(fs, extent.ino, pace);
      places.push(`${name}:${path ?? ` a file without a name (inode ${extent.ino})`}`);
      if (pace.due) await pace.breathe();
    }
  }
  return places;
}

const at = new Cursor();

/** Whether `fs` has block `i` of the extent in the same file. */
function hasBlock(fs: Filesystem, { ino, first, start }: Extent, i: number): boolean {
  try {
    const fileBlock = first + i;
    if (!seekExtent(fs, ino, fileBlock, at)) return false;
    const skip = fileBlock - extentFirst(at);
    return skip >= 0 && fileBlock < extentEnd(at) && extentStart(at.page, at.valueAt) + skip === start + i;
  } catch (error) {
    // The way to it is damaged, which is told elsewhere.
    if (error instanceof CorruptionError) return false;
    throw error;
  }
}
