// /proc/self/mountinfo: the only way to learn what is mounted where without touching (and waiting for) the mounts themselves. See proc(5).

import { readFileSync } from 'node:fs';

export interface MountEntry {
  readonly mountPoint: string;
  /** `fuse.amberfs`, `ext4`, ... */
  readonly fsType: string;
  readonly source: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly options: string;
}

/** Space, tab, newline and backslash stand as three octal digits. */
function unescapeField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** Parses the text of a mountinfo file; lines that have not the documented form are left out. */
export function parseMountinfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    // Optional fields end at a lone hyphen.
    const match = /^\d+ \d+ (\d+):(\d+) \S+ (\S+) (\S+).*? - (\S+) (\S*)/.exec(line);
    if (match === null) continue;
    entries.push({
      deviceMajor: Number(match[1]),
      deviceMinor: Number(match[2]),
      mountPoint: unescapeField(match[3]!),
      options: match[4]!,
      fsType: match[5]!,
      source: unescapeField(match[6]!),
    });
  }
  return entries;
}

/** All mounts of this process's namespace, lowest first. */
function readMountinfo(): MountEntry[] {
  return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The uppermost mount at exactly `path` (absolute, without symlinks), or undefined. */
export function findMount(path: string): MountEntry | undefined {
  return readMountinfo().findLast((entry) => entry.mountPoint === path);
}
