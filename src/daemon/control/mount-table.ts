// Our mounts as the kernel lists them: the way from a path to its store, without touching the mount. /proc/self/mountinfo, proc(5).

import { readFileSync } from 'node:fs';

/** The type of our mounts: `fuse`, with the subtype that the daemon asks for. */
const FS_TYPE = 'fuse.amberfs';

/** One of our mounts. */
export interface AmberMount {
  /** Absolute, without symlinks. */
  readonly dir: string;
  /** What the mount shows as its device: `STORE:VOLUME[@NAME]`, unless `fsname` was asked for. */
  readonly source: string;
}

/** The mounts of ours in the text of a mountinfo file, in its order: of several at one place the last one is on top. */
export function parseAmberMounts(text: Buffer): AmberMount[] {
  const mounts: AmberMount[] = [];
  // latin1 keeps one character per byte, so that the escapes of a byte can be undone before the bytes are read as UTF-8.
  for (const line of text.toString('latin1').split('\n')) {
    // Optional fields, of any number, end at a lone hyphen.
    const match = /^\d+ \d+ \d+:\d+ \S+ (\S+) \S+(?: \S+)*? - (\S+) (\S*)/.exec(line);
    if (match === null || match[2] !== FS_TYPE) continue;
    mounts.push({ dir: unescapeField(match[1]!), source: unescapeField(match[3]!) });
  }
  return mounts;
}

/** Blanks, tabs, line breaks, backslashes and number signs stand as a backslash and three octal digits. */
function unescapeField(field: string): string {
  const bytes = field.replace(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(parseInt(digits, 8)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Our mounts that this process sees. */
export function readAmberMounts(): AmberMount[] {
  return parseAmberMounts(readFileSync('/proc/self/mountinfo'));
}

/** The mount that `path` (absolute, without symlinks) lies in, if it is one of `mounts`: the deepest, and of those the topmost. */
export function mountOf(mounts: readonly AmberMount[], path: string): AmberMount | undefined {
  let found: AmberMount | undefined;
  for (const mount of mounts) {
    const inside = path === mount.dir || path.startsWith(mount.dir === '/' ? '/' : `${mount.dir}/`);
    if (inside && mount.dir.length >= (found?.dir.length ?? 0)) found = mount;
  }
  return found;
}

/** What a mount's source says, `STORE:VOLUME[@NAME]` with an absolute store. */
export interface MountSource {
  readonly store: string;
  readonly volume: string;
  readonly snapshot?: string;
}

/** The source of a mount of ours. */
export function formatSource(source: MountSource): string {
  const view = source.snapshot === undefined ? source.volume : `${source.volume}@${source.snapshot}`;
  return `${source.store}:${view}`;
}

/**
 * Reads a source back; undefined for one of another form, as `fsname` gives. Names of volumes have no colon, those of snapshots and the
 * store's path may: hence the shortest path after which the rest is a volume, with or without a snapshot.
 */
export function parseSource(source: string): MountSource | undefined {
  const match = /^(\/.*?):([A-Za-z0-9][\w.-]*)(?:@([^/]+))?$/s.exec(source);
  if (match === null) return undefined;
  const found = { store: match[1]!, volume: match[2]! };
  return match[3] === undefined ? found : { ...found, snapshot: match[3] };
}
