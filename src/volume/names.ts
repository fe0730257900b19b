// Which names volumes and snapshots may have. Snapshot names are directory names, are typed in shells after an "@" and shown in
// tables; "%" and "," are kept for ranges and lists, a leading "_" and "-" for other uses.

import { FsError } from '../errors/index.ts';

const SNAPSHOT_NAME = /^[A-Za-z0-9.:@+][A-Za-z0-9._:@ +-]*$/;
const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const NAME_LENGTH_MAX = 255;
const VOLUME_NAME_LENGTH_MAX = 64;

/** Throws EINVAL or ENAMETOOLONG where `name` can't be a snapshot's name or access point. */
export function checkSnapshotName(name: string): void {
  if (name.length > NAME_LENGTH_MAX) {
    throw new FsError(
      'ENAMETOOLONG',
      'snapshot-name-long',
      `a snapshot's name has at most ${NAME_LENGTH_MAX} characters`,
    );
  }
  if (name === '.' || name === '..' || name === 'latest' || !SNAPSHOT_NAME.test(name) || name.endsWith(' ')) {
    throw new FsError(
      'EINVAL',
      'snapshot-name-illegal',
      `"${name}" can't be a snapshot's name: letters, digits and . _ : @ + - and spaces inside are allowed, ` +
        'not "_", "-" or a space at the beginning, and not ".", ".." or "latest"',
    );
  }
}

/** Throws EINVAL where `name` can't be a volume's name. */
export function checkVolumeName(name: string): void {
  if (name.length > VOLUME_NAME_LENGTH_MAX || !VOLUME_NAME.test(name)) {
    throw new FsError(
      'EINVAL',
      'volume-name-illegal',
      `"${name}" can't be a volume's name: up to ${VOLUME_NAME_LENGTH_MAX} letters, digits and . _ - are allowed, the first a letter or digit`,
    );
  }
}

/** The name of a snapshot that nobody named: the UTC time `nowMs` (since 1970), as in `2026-03-01_14.30.05`. */
export function defaultSnapshotName(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '.');
}

/** The access point of the second `nowMs` (since 1970) as Samba's shadow_copy2 looks for it: `@GMT-2026.03.01-14.30.05`. */
export function gmtAccessPoint(nowMs: number): string {
  const time = new Date(nowMs).toISOString();
  return `@GMT-${time.slice(0, 10).replaceAll('-', '.')}-${time.slice(11, 19).replaceAll(':', '.')}`;
}
