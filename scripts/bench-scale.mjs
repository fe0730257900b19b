/**
 * As many snapshots and clones as the largest systems allow, made for real on one volume that is mounted: does anything get slower, larger
 * or lost? What is live is compared with a second store, of a daemon of its own, that lives through the same changes without them.
 * Options: --snapshots N (24576), --clones N (14336), --rounds N (32) of each comparison, --dir DIR.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { importBuilt } from './bench/build.mjs';
import { Findings } from './bench/findings.mjs';
import { amberfsPeer } from './bench/peers.mjs';
import { memoryOf } from './bench/report.mjs';
import { isMounted, run, runChild } from './bench/run.mjs';
import { median } from './bench/snapshots.mjs';

const { openControl } = await importBuilt('daemon/control/index.js');
const { openStore } = await importBuilt('store/index.js');
const { Volumes, checkVolumes } = await importBuilt('volume/index.js');

const SCALE_CHILD = new URL('./bench/scale-child.mjs', import.meta.url);
const LIVE_CHILD = new URL('./bench/live-child.mjs', import.meta.url);
const MEMORY_MAX_MB = 500;
const LIST_MAX_MS = 1000;
const LIST_COUNT = 5;
const READ_ROUNDS = 4;

const { values: options } = parseArgs({
  options: {
    snapshots: { type: 'string', default: '24576' },
    clones: { type: 'string', default: '14336' },
    rounds: { type: 'string', default: '32' },
    dir: { type: 'string', default: os.tmpdir() },
  },
});
const snapshotCount = Number(options.snapshots);
const cloneCount = Number(options.clones);
const temp = fs.realpathSync(fs.mkdtempSync(path.join(options.dir, 'amberfs-scale-')));
const peer = amberfsPeer(temp, 'many');
const alone = amberfsPeer(temp, 'none');
const findings = new Findings();

const inMounts = (job, ...args) => runChild(SCALE_CHILD, job, ...args);

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Asks the daemon; over a new connection each time, since it ends idle ones. */
async function ask(method, params) {
  const control = await openControl(peer.store);
  try {
    return await control.call(method, params);
  } finally {
    await control.close();
  }
}

/** Compares live files of both stores, and that with what it was `before`. */
async function live(others, before) {
  const measured = await runChild(LIVE_CHILD, options.rounds, alone.dir, peer.dir);
  findings.versus(`Live files beside ${others}`, ['in the other store', 'here'], measured, before);
  return measured;
}

/** The first and the last of many: does one more cost more? */
function firstAndLast(what, each) {
  const part = Math.min(500, Math.floor(each.length / 4));
  findings.row(`${what}, the first ${part}, median`, median(each.slice(0, part)), 'ms');
  findings.row(`${what}, the last ${part}, median`, median(each.slice(-part)), 'ms');
}

function memory(what) {
  findings.row(`daemon's memory, ${what}`, memoryOf(peer.pid()).rssBytes / 1e6, 'MB', MEMORY_MAX_MB);
}

/** What is in use, in MiB, when nothing is left to reclaim; and how long that took. */
async function reclaimed() {
  let usedBytes;
  const took = await timed(async () => ({ usedBytes } = await ask('reclaimed', {})));
  return { took, usedMiB: usedBytes / (1 << 20) };
}

async function listings() {
  const seconds = [];
  for (let i = 0; i < LIST_COUNT; i++)
    seconds.push((await peer.amberfs('snapshot', 'list', peer.dir, '--json')).seconds);
  findings.row('amberfs snapshot list --json, all columns', median(seconds) * 1000, 'ms', LIST_MAX_MS);
  const { seconds: names } = await run('ls', ['-U', path.join(peer.dir, '.snapshots')]);
  findings.row('ls .snapshots', names * 1000, 'ms');
}

async function snapshotsAtScale(before) {
  firstAndLast('creating a snapshot', await inMounts('snapshots', peer.dir, alone.dir, snapshotCount));
  await live(`${snapshotCount} snapshots`, before);
  const through = await inMounts('readThrough', peer.dir, peer.store, 0, snapshotCount - 1, READ_ROUNDS);
  findings.versus('A file through a snapshot, cold', ['through the oldest', 'through the newest'], { read: through });
  await listings();
  memory(`${snapshotCount} snapshots`);
  const { usedMiB } = await reclaimed();
  findings.row(`in use with ${snapshotCount} snapshots`, usedMiB, 'MiB');
  await removeSnapshots('every second one', 1, 2);
  await removeSnapshots('the others', 0, 2);
}

async function removeSnapshots(which, first, step) {
  const each = await inMounts('remove', peer.dir, first, step, snapshotCount);
  findings.row(`deleting ${which}, each`, each.reduce((sum, ms) => sum + ms, 0) / each.length, 'ms');
  const { took, usedMiB } = await reclaimed();
  findings.row('until their space was back', took / 1000, 's');
  findings.row('in use then', usedMiB, 'MiB');
}

async function clonesAtScale(before) {
  await ask('snapshot.create', { volume: 'main', name: 'origin' });
  const control = await openControl(peer.store);
  const each = [];
  for (let i = 0; i < cloneCount; i++) {
    each.push(await timed(() => control.call('clone', { volume: 'main', name: 'origin', to: `clone${i}` })));
  }
  await control.close();
  firstAndLast('making a clone', each);
  await live(`${cloneCount} clones`, before);
  memory(`${cloneCount} clones`);
  const deletions = [];
  const deleting = await openControl(peer.store);
  for (let i = 0; i < cloneCount; i++) {
    deletions.push(await timed(() => deleting.call('volume.delete', { volume: `clone${i}`, dryRun: false })));
  }
  await deleting.close();
  firstAndLast('deleting a clone', deletions);
  await ask('snapshot.delete', { volume: 'main', name: 'origin', dryRun: false });
  findings.row('until their space was back', (await reclaimed()).took / 1000, 's');
}

async function check() {
  const opened = await openStore(peer.store);
  const volumes = await Volumes.open(opened);
  const problems = await checkVolumes(volumes);
  findings.row('the full check afterwards', problems.length === 0 ? 'clean' : problems.slice(0, 3).join('; '));
  if (problems.length > 0) findings.complaints.push('the full check finds problems');
  await volumes.close();
  await opened.close();
}

async function main() {
  try {
    for (const each of [peer, alone]) await each.start();
    await inMounts('files', peer.dir, alone.dir);
    const liveBefore = await live('nothing yet, in either store');
    const before = (await reclaimed()).usedMiB;
    findings.row('in use before', before, 'MiB');
    if (snapshotCount > 0) await snapshotsAtScale(liveBefore);
    if (cloneCount > 0) await clonesAtScale(liveBefore);
    const { usedMiB } = await reclaimed();
    findings.row('in use in the end', usedMiB, 'MiB');
    if (usedMiB !== before) findings.complaints.push(`in use: ${before} MiB before and ${usedMiB} MiB in the end`);
  } finally {
    for (const each of [peer, alone]) await each.stop();
  }
  await check();
  console.log(`${findings}`);
  if (findings.complaints.length > 0) process.exitCode = 1;
}

try {
  await main();
} finally {
  // Removing a tree with a mount in it would empty the mount.
  if (![peer, alone].some(({ dir }) => isMounted(dir))) fs.rmSync(temp, { recursive: true, force: true });
}
