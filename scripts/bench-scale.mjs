/**
 * As many snapshots and clones as the largest systems allow, made for real on one volume that is mounted: does anything get slower, larger
 * or lost? Prints a table. Options: --snapshots N (24576), --clones N (14336), --dir DIR.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openControl } from '../dist/daemon/control/index.js';
import { openStore } from '../dist/store/index.js';
import { Volumes, checkVolumes } from '../dist/volume/index.js';
import { median } from './bench/snapshots.mjs';

const FILE_COUNT = 2000;
const LIVE_OPERATIONS = 2000;
const cli = new URL('../dist/cli/main.js', import.meta.url).pathname;
const { values: options } = parseArgs({
  options: {
    snapshots: { type: 'string', default: '24576' },
    clones: { type: 'string', default: '14336' },
    dir: { type: 'string', default: os.tmpdir() },
  },
});
const snapshotCount = Number(options.snapshots);
const cloneCount = Number(options.clones);
const temp = fs.mkdtempSync(path.join(options.dir, 'amberfs-scale-'));
const store = path.join(temp, 'store');
const mnt = path.join(temp, 'mnt');
const block = Buffer.alloc(4096, 'amber');
const rows = [];

function row(what, value) {
  rows.push([what, value]);
  console.error(`${what}: ${value}`);
}

const amberfs = (...args) =>
  execFileSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
const ms = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

function timed(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

async function timedAsync(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const fileName = (index) => `f${index % FILE_COUNT}`;

/** Creates, overwrites, reads and removes files in the live tree; gives microseconds per file. */
function liveMicroseconds() {
  const took = timed(() => {
    for (let i = 0; i < LIVE_OPERATIONS; i++) {
      const file = path.join(mnt, `live${i}`);
      fs.writeFileSync(file, block);
      fs.readFileSync(path.join(mnt, fileName(i)));
      fs.rmSync(file);
    }
  });
  return (took / LIVE_OPERATIONS) * 1000;
}

const snapshotName = (index) => `s${String(index).padStart(5, '0')}`;

function createSnapshots() {
  const each = [];
  for (let i = 0; i < snapshotCount; i++) {
    fs.writeFileSync(path.join(mnt, fileName(i)), `change ${i} `.repeat(300));
    each.push(timed(() => fs.mkdirSync(path.join(mnt, '.snapshots', snapshotName(i)))));
    if (i % 4096 === 4095) console.error(`${i + 1} snapshots`);
  }
  return each;
}

/** Microseconds to read a file, over all files, through a snapshot, after the kernel has dropped its caches. */
function readThrough(index) {
  if (process.getuid() === 0) fs.writeFileSync('/proc/sys/vm/drop_caches', '3');
  const dir = path.join(mnt, '.snapshots', snapshotName(index));
  const took = timed(() => {
    for (let i = 0; i < FILE_COUNT; i++) fs.readFileSync(path.join(dir, fileName(i)));
  });
  return (took / FILE_COUNT) * 1000;
}

const status = () => JSON.parse(amberfs('status', store, '--json'));

function memory(what) {
  const { pid } = status();
  const lines = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, resident] = /^VmRSS:\s+(\d+)/m.exec(lines);
  row(`daemon's memory, ${what}`, `${Math.round(Number(resident) / 1024)} MiB`);
}

function removeSnapshots(which) {
  let count = 0;
  const took = timed(() => {
    for (let i = 0; i < snapshotCount; i++) {
      const dir = path.join(mnt, '.snapshots', snapshotName(i));
      if (!which(i) || !fs.existsSync(dir)) continue;
      fs.rmdirSync(dir);
      count++;
    }
  });
  return { took, count };
}

/** Asks the daemon; over a new connection each time, since it ends idle ones. */
async function ask(method, params) {
  const control = await openControl(store);
  try {
    return await control.call(method, params);
  } finally {
    await control.close();
  }
}

async function snapshotsAtScale() {
  const before = Array.from({ length: 5 }, liveMicroseconds);
  const each = createSnapshots();
  const part = Math.min(500, Math.floor(snapshotCount / 4));
  row(`creating a snapshot, the first ${part}, median`, ms(median(each.slice(0, part))));
  row(`creating a snapshot, the last ${part}, median`, ms(median(each.slice(-part))));
  const after = Array.from({ length: 5 }, liveMicroseconds);
  row('live create + write + read + unlink, before', `${median(before).toFixed(0)} us`);
  row(`the same beside ${snapshotCount} snapshots`, `${median(after).toFixed(0)} us`);
  row('reading a file through the oldest snapshot, cold', `${readThrough(0).toFixed(0)} us`);
  row('reading a file through the newest snapshot, cold', `${readThrough(snapshotCount - 1).toFixed(0)} us`);
  row('ls .snapshots', ms(timed(() => fs.readdirSync(path.join(mnt, '.snapshots')))));
  row('amberfs snapshot list --json', ms(timed(() => amberfs('snapshot', 'list', mnt, '--json'))));
  memory(`${snapshotCount} snapshots`);
  const half = removeSnapshots((i) => i % 2 === 1);
  row('deleting every second one, each', ms(half.took / half.count));
  row('until their space was back', ms(await timedAsync(() => ask('reclaimed', {}))));
  const all = removeSnapshots(() => true);
  row('deleting the others, each', ms(all.took / all.count));
  row('until their space was back', ms(await timedAsync(() => ask('reclaimed', {}))));
}

async function clonesAtScale() {
  await ask('snapshot.create', { volume: 'main', name: 'origin' });
  const control = await openControl(store);
  const each = [];
  for (let i = 0; i < cloneCount; i++) {
    each.push(await timedAsync(() => control.call('clone', { volume: 'main', name: 'origin', to: `clone${i}` })));
    if (i % 4096 === 4095) console.error(`${i + 1} clones`);
  }
  await control.close();
  const part = Math.min(500, Math.floor(cloneCount / 4));
  row(`making a clone, the first ${part}, median`, ms(median(each.slice(0, part))));
  row(`making a clone, the last ${part}, median`, ms(median(each.slice(-part))));
  row(`live beside ${cloneCount} clones`, `${median(Array.from({ length: 5 }, liveMicroseconds)).toFixed(0)} us`);
  memory(`${cloneCount} clones`);
  const took = await timedAsync(async () => {
    const deleting = await openControl(store);
    for (let i = 0; i < cloneCount; i++) await deleting.call('volume.delete', { volume: `clone${i}`, dryRun: false });
    await deleting.close();
  });
  row('deleting a clone', ms(took / cloneCount));
  await ask('snapshot.delete', { volume: 'main', name: 'origin', dryRun: false });
  row('until their space was back', ms(await timedAsync(() => ask('reclaimed', {}))));
}

async function check() {
  const opened = await openStore(store);
  const volumes = await Volumes.open(opened);
  const problems = await checkVolumes(volumes);
  row('blocks in use', `${volumes.allocatedBlocks}`);
  row('the full check afterwards', problems.length === 0 ? 'clean' : problems.slice(0, 3).join('; '));
  await volumes.close();
  await opened.close();
}

async function main() {
  fs.mkdirSync(mnt);
  amberfs('init', store);
  amberfs('mount', store, mnt);
  try {
    for (let i = 0; i < FILE_COUNT; i++) fs.writeFileSync(path.join(mnt, fileName(i)), block);
    await snapshotsAtScale();
    await clonesAtScale();
  } finally {
    amberfs('umount', mnt);
  }
  await check();
  const width = Math.max(...rows.map(([what]) => what.length));
  for (const [what, value] of rows) console.log(`${what.padEnd(width)}  ${value}`);
  fs.rmSync(temp, { recursive: true, force: true });
}

await main();
