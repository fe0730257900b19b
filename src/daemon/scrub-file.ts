// Where a scrub's progress and result outlive the daemon: a file of the store, readable by a person. Losing it loses nothing but that.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SCRUB_FILE = 'scrub.json';

/** The file in the directory of the store. Reading gives undefined where there is none. */
export function scrubFile(store: string): { read(): string | undefined; write(text: string): void } {
  const path = join(store, SCRUB_FILE);
  return {
    read: () => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        // There was no scrub yet, or nobody can tell.
        return undefined;
      }
    },
    write: (text) => {
      const temporary = `${path}.new`;
      const fd = openSync(temporary, 'w', 0o600);
      try {
        // Not writeSync: on a host that is nearly full that may write a part only.
        writeFileSync(fd, `${text}\n`);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(temporary, path);
    },
  };
}
