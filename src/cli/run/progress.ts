// Waiting for the space of what was deleted, and showing how far that is: a bar on a terminal, a line per second elsewhere.

import type { Control, StoreStatus } from '../../daemon/control/index.ts';
import { formatSize } from '../sizes.ts';

const BAR_WIDTH = 30;
const BAR_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 1_000;
const CLEAR_LINE = '\r\x1b[K';

/** Where progress is shown: stderr, so that the output stays for what reads it. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Resolves when the store has nothing left to reclaim and what that freed can be used. `before`: how it was before the deletion;
 * `expectedBytes`: what is to come back.
 */
export async function awaitSpace(
  control: Control,
  before: StoreStatus,
  expectedBytes: number,
  output: ProgressOutput = process.stderr,
): Promise<void> {
  const onTerminal = output.isTTY === true;
  const show = (done: number, freed: number, left: number): void => {
    const text = progressText(done, freed, expectedBytes, left);
    output.write(onTerminal ? `${CLEAR_LINE}${progressBar(done)} ${text}` : `amberfs: ${text}\n`);
  };
  let versions = 0;
  let shown = false;
  for (let turn = 0; ; turn++) {
    const status = await control.call('status', {});
    if (status.reclaiming === 0) break;
    versions = Math.max(versions, status.reclaiming);
    const freed = freedSince(before, status.usedBytes);
    const done = Math.min(1, Math.max(1 - status.reclaiming / versions, freed / Math.max(expectedBytes, 1)));
    // The first line comes after a second only: most deletions need less.
    if (onTerminal || turn > 0) {
      show(done, freed, status.reclaiming);
      shown = true;
    }
    await new Promise((resolve) => setTimeout(resolve, onTerminal ? BAR_INTERVAL_MS : LINE_INTERVAL_MS));
  }
  const { usedBytes } = await control.call('reclaimed', {});
  if (shown) show(1, freedSince(before, usedBytes), 0);
  if (onTerminal && shown) output.write(CLEAR_LINE);
}

function freedSince(before: StoreStatus, usedBytes: number): number {
  return Math.max(0, before.usedBytes - usedBytes);
}

/** For example `45 % freed, 1.2 GiB of 2.6 GiB, 12 versions left`. */
export function progressText(done: number, freedBytes: number, expectedBytes: number, versions: number): string {
  const left = `${versions} version${versions === 1 ? '' : 's'} left`;
  return `${Math.floor(done * 100)} % freed, ${formatSize(freedBytes)} of ${formatSize(expectedBytes)}, ${left}`;
}

/** For example `[#####.....]`. */
export function progressBar(done: number): string {
  const full = Math.floor(done * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}
