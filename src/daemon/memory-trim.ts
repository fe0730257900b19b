// Gives freed memory back to the host. Tree nodes come and go by the thousand, 4 KiB each, and glibc keeps what lies between those that stay:
// after 24,576 snapshots in a row 185 of 510 MB. malloc_trim(3) returns whole free pages wherever they are, in about 16 ms for that much.

import { mallocTrim } from '../store/index.ts';

const INTERVAL_MS = 5000;
/** It is worth while when the process has grown by so much since the last time. */
const GROWTH_BYTES = 48 * 1024 * 1024;

/** Looks every few seconds whether there is something to give back. Does nothing where the C library is another. */
export function startTrimming(): void {
  const trim = mallocTrim;
  if (trim === undefined) return;
  let leastBytes = process.memoryUsage.rss();
  setInterval(() => {
    leastBytes = Math.min(leastBytes, process.memoryUsage.rss());
    if (process.memoryUsage.rss() < leastBytes + GROWTH_BYTES) return;
    trim(0);
    leastBytes = process.memoryUsage.rss();
  }, INTERVAL_MS).unref();
}
