// Gives freed memory back to the host. Tree nodes come and go by the thousand, 4 KiB each, and glibc keeps what lies between those that stay:
// after 24,576 snapshots in a row 185 of 510 MB. malloc_trim(3) returns whole free pages wherever they are, in about 16 ms for that much.
// Before that garbage is collected: V8 puts that off as long as the machine has memory, and each node that is garbage holds its 4 KiB.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mallocTrim } from '../store/index.ts';

const INTERVAL_MS = 5000;
/** It is worth while when the process has grown by so much since the last time. */
const GROWTH_BYTES = 48 * 1024 * 1024;

/** Looks every few seconds whether there is something to give back. Does nothing where the C library is another. */
export function startTrimming(): void {
  const trim = mallocTrim;
  if (trim === undefined) return;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let leastBytes = process.memoryUsage.rss();
  setInterval(() => {
    leastBytes = Math.min(leastBytes, process.memoryUsage.rss());
    if (process.memoryUsage.rss() < leastBytes + GROWTH_BYTES) return;
    collect();
    trim(0);
    leastBytes = process.memoryUsage.rss();
  }, INTERVAL_MS).unref();
}
