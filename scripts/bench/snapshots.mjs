/** The time that a snapshot takes, on an empty volume and on a full one: it should be the same. */
import path from 'node:path';
import { run, runIo } from './run.mjs';

/** The median of a list of numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((one, two) => one - two);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Fills a volume with one large file and many small ones. */
export async function fillVolume(peer, options) {
  await runIo('write', path.join(peer.dir, 'filling'), options.snapshotBytes, 1 << 20);
  await runIo('create', path.join(peer.dir, 'files'), options.snapshotFileCount);
}

async function byCommand(peer, prefix, count) {
  const seconds = [];
  for (let index = 0; index < count; index++) {
    await run('sh', ['-c', `echo change ${index} > changing`], { cwd: peer.dir });
    seconds.push((await peer.amberfs('snapshot', 'create', peer.dir, `${prefix}-command-${index}`)).seconds);
  }
  return median(seconds);
}

/**
 * Milliseconds per snapshot (medians): by `mkdir`, which is the snapshot alone, and by the command, which is a new process
 * and a syncfs besides. Fills the volume of `peer` in between and leaves it full.
 */
export async function measureSnapshots(peer, options) {
  const figures = {};
  for (const state of ['empty', 'full']) {
    if (state === 'full') await fillVolume(peer, options);
    const { each } = await runIo('snapshots', peer.dir, state, options.snapshotCount);
    figures[state] = {
      mkdirMs: median(each) * 1000,
      mkdirMaxMs: Math.max(...each) * 1000,
      commandMs: (await byCommand(peer, state, options.snapshotCount)) * 1000,
    };
  }
  return figures;
}
