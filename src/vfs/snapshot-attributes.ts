// What a snapshot says of itself: read-only attributes `user.amberfs.*` on its root. They can be asked for by name and
// are not listed (as CephFS does with its own), so that copies made with rsync, tar and cp carry the files' attributes
// and no others, and can be copied back to live files.

import { type Snapshot, type Volumes, uniqueBlocks } from '../volume/index.ts';
import { referencedUnits, SPACE_UNIT_BYTES } from './space.ts';

const ATTRIBUTES: ReadonlyMap<string, (snapshot: Snapshot) => string | undefined> = new Map([
  ['user.amberfs.name', ({ label }: Snapshot) => label.name],
  ['user.amberfs.access-point', ({ label }) => label.accessPoint],
  ['user.amberfs.created', ({ version }) => new Date(version.createdMs).toISOString()],
  ['user.amberfs.comment', ({ label }) => label.comment],
  ['user.amberfs.by', ({ label }) => label.by],
  // Bytes of data and metadata that the snapshot refers to, shared or not.
  ['user.amberfs.referenced', (snapshot) => String(referencedUnits(snapshot) * SPACE_UNIT_BYTES)],
]);

/**
 * The attribute `name` of the root of `snapshot`, or undefined where it has none of that name. Times are ISO 8601 in
 * UTC, sizes bytes.
 */
export function snapshotAttribute(snapshot: Snapshot, name: Uint8Array): Uint8Array | undefined {
  const text = ATTRIBUTES.get(Buffer.from(name).toString('latin1'))?.(snapshot);
  return text === undefined ? undefined : Buffer.from(text);
}

const UNIQUE: Uint8Array = Buffer.from('user.amberfs.unique');

/** Whether `name` is the attribute that {@link uniqueText} gives. */
export function isUniqueName(name: Uint8Array): boolean {
  return UNIQUE.length === name.length && UNIQUE.every((byte, i) => byte === name[i]);
}

/**
 * What deleting the snapshot alone would free, in bytes: the value of `user.amberfs.unique`. What can be read of dead lists is what was
 * committed; on a host without room it is as of the last commit. Rejects where dead lists can't be read.
 */
export async function uniqueText(volumes: Volumes, { version }: Snapshot): Promise<Uint8Array> {
  await volumes.commit().catch(() => undefined);
  return Buffer.from(String((await uniqueBlocks(volumes.forest, version)) * SPACE_UNIT_BYTES));
}
