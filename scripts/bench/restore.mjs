/**
 * The time that restoring a snapshot takes: it should not depend on how much the volume holds. What it may depend on is how many files the
 * kernel has in its caches, since the daemon tells it to let go of each, so both are measured: of none, and of all.
 */
import fs from 'node:fs';
import { importBuilt } from './build.mjs';
import { run } from './run.mjs';
import { median } from './snapshots.mjs';

/** A restore is short, and so measured more often than other things. */
const ROUNDS = 3;

/** What was there is kept under a name, as by default, or given up (`--discard`). */
const KINDS = [
  { name: 'kept', discard: false, isKnown: false },
  { name: 'discarded', discard: true, isKnown: false },
  { name: 'known', discard: false, isKnown: true },
];

/** Has the kernel know no file of the mount. */
async function forgetFiles(peer) {
  if (process.getuid() === 0) fs.writeFileSync('/proc/sys/vm/drop_caches', '2');
  else await peer.cold();
}

/** Changes a file, and restores; milliseconds from asking the daemon to its answer. */
async function restoreOnce(peer, { discard, isKnown }) {
  const { openControl } = await importBuilt('daemon/control/index.js');
  await run('sh', ['-c', 'date +%N > changing'], { cwd: peer.dir });
  if (isKnown) await run('find', [peer.dir, '-size', '+1000000M']);
  else await forgetFiles(peer);
  const control = await openControl(peer.store);
  try {
    await control.call('reclaimed', {});
    const start = performance.now();
    await control.call('snapshot.restore', { volume: 'main', name: 'good', dryRun: false, discard });
    return performance.now() - start;
  } finally {
    await control.close();
  }
}

/** For each of the two peers, measured in turns: its name as `volume`, and medians of milliseconds for each kind. */
export async function measureRestores(few, full, options) {
  const measured = [few, full].map((peer) => ({ peer, runs: KINDS.map(() => []) }));
  for (const { peer } of measured) await peer.amberfs('snapshot', 'create', peer.dir, 'good');
  for (let round = 0; round < options.repeat * ROUNDS; round++) {
    for (const [index, kind] of KINDS.entries()) {
      for (const { peer, runs } of measured) runs[index].push(await restoreOnce(peer, kind));
    }
  }
  return measured.map(({ peer, runs }) => ({
    volume: peer.name,
    ...Object.fromEntries(KINDS.map(({ name }, index) => [name, median(runs[index])])),
  }));
}
