/**
 * The benchmark: a directory of the host, libfuse's passthrough_ll and amberfs, measured in turns in one run, so that the
 * ratios hold whatever else the machine is. `--help` tells the options; docs/benchmarks.md what the figures mean.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureDeletions } from './bench/delete.mjs';
import { measurements as all } from './bench/measurements.mjs';
import { parseOptions, USAGE, UsageError } from './bench/options.mjs';
import { amberfsPeer, makePeers, PeerUnavailable } from './bench/peers.mjs';
import { archiveRealTree } from './bench/real-tree.mjs';
import {
  deletionTable,
  fsyncLimits,
  measurementTable,
  memoryOf,
  memoryTable,
  restoreTable,
  snapshotTable,
} from './bench/report.mjs';
import { measureRestores } from './bench/restore.mjs';
import { isMounted, runIo } from './bench/run.mjs';
import { fillVolume, measureSnapshots, median } from './bench/snapshots.mjs';

/** Files of the tree that every peer can unpack: passthrough_ll keeps a descriptor for each inode. */
const PART_FILE_COUNT = 5000;

/** Files of the volume that a full one is compared with. */
const FEW_FILE_COUNT = 10;

/** What is measured of amberfs alone. */
const SNAPSHOT_LIFE = ['snapshots', 'restore', 'delete', 'scale'];

const SCALE = fileURLToPath(new URL('./bench-scale.mjs', import.meta.url));

function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Starts the peers that this machine has; says which it has not, and why. */
async function startPeers(peers) {
  const started = [];
  for (const peer of peers) {
    try {
      await peer.start();
      started.push(peer);
    } catch (error) {
      if (!(error instanceof PeerUnavailable)) throw error;
      say(`without ${peer.name}: ${error.message}`);
    }
  }
  return started;
}

/** The peers that can do a measurement; says why one can't. */
function ablePeers(measurement, peers, context) {
  return peers.filter((peer) => {
    if (measurement.fuseOnly && peer.pid() === undefined) return false;
    const limit = peer.inodeLimit?.() ?? Infinity;
    const needed = measurement.inodes?.(context) ?? 0;
    if (needed < limit) return true;
    say(
      `${measurement.name}: without ${peer.name}, which keeps an open file for each of ${needed} inodes and may have ${limit}`,
    );
    return false;
  });
}

async function measureAll(measurements, allPeers, context) {
  const figures = {};
  for (const measurement of measurements) {
    const peers = ablePeers(measurement, allPeers, context);
    const own = (figures[measurement.name] = {});
    const runs = Object.fromEntries(peers.map((peer) => [peer.name, []]));
    for (let round = 0; round < context.options.repeat; round++) {
      for (const peer of peers) runs[peer.name].push(await measurement.measure(peer, context));
    }
    for (const peer of peers) own[peer.name] = median(runs[peer.name]);
    say(
      `${measurement.name}: ${peers.map((peer) => `${peer.name} ${own[peer.name].toFixed(2)}`).join(', ')} ${measurement.unit}`,
    );
  }
  return figures;
}

function chosenMeasurements(only) {
  if (only === undefined) return all;
  const unknown = only.filter(
    (name) => !SNAPSHOT_LIFE.includes(name) && !all.some((measurement) => measurement.name === name),
  );
  if (unknown.length > 0) throw new UsageError(`unknown measurement: ${unknown.join(', ')}`);
  return all.filter((measurement) => only.includes(measurement.name));
}

/** Restores and deletions, in a new store with few files and in a full one; both come to `peers`, which are stopped in the end. */
async function measureSnapshotLife(wanted, options, temp, peers) {
  const few = amberfsPeer(temp, 'few');
  const full = amberfsPeer(temp, 'full');
  for (const peer of [few, full]) {
    peers.push(peer);
    await peer.start();
  }
  await runIo('create', path.join(few.dir, 'files'), FEW_FILE_COUNT);
  await fillVolume(full, options);
  const restores = wanted('restore') ? await measureRestores(few, full, options) : undefined;
  if (restores !== undefined) say(restoreTable(restores));
  const deletions = wanted('delete') ? await measureDeletions(few, full, options) : undefined;
  if (deletions !== undefined) say(deletionTable(deletions));
  return { restores, deletions };
}

async function bench(options, temp, peers) {
  const measurements = chosenMeasurements(options.only);
  const wants = (...names) => measurements.some(({ name }) => names.includes(name));
  const tree = wants('untar', 'find') ? await archiveRealTree(temp, options.treeFileCount, 'tree') : undefined;
  const part = wants('untar-part') ? await archiveRealTree(temp, PART_FILE_COUNT, 'part') : undefined;
  const started = await startPeers(peers);
  const figures = await measureAll(measurements, started, { options, tree, part });
  const amberfs = started.find((peer) => peer.name === 'amberfs');
  const wanted = (name) => amberfs !== undefined && (options.only?.includes(name) ?? true);
  const snapshots = wanted('snapshots') ? await measureSnapshots(amberfs, options) : undefined;
  const daemons = started.filter((peer) => peer.pid() !== undefined);
  const memory = Object.fromEntries(daemons.map((peer) => [peer.name, memoryOf(peer.pid())]));
  const life = wanted('restore') || wanted('delete') ? await measureSnapshotLife(wanted, options, temp, peers) : {};
  return { measurements, started, figures, snapshots, ...life, memory, tree };
}

function print({ measurements, started, figures, snapshots, restores, deletions, memory, tree }, options) {
  const cpu = os.cpus();
  console.log(
    `${cpu.length} x ${cpu[0]?.model ?? 'unknown'}, Linux ${os.release()}, Node ${process.version}, sizes: ${options.size}`,
  );
  for (const peer of started) console.log(`  ${peer.name}: ${peer.note}`);
  if (tree !== undefined) {
    console.log(`  real tree: ${tree.files} files, ${Math.round(tree.bytes / (1 << 20))} MiB`);
  }
  if (process.getuid() !== 0)
    console.log('  not root: the cache of the host could not be dropped, cold reads are too fast');
  if (measurements.length > 0) {
    console.log(`\nMedian of ${options.repeat}; a ratio above 1 means that amberfs does better.\n`);
    console.log(measurementTable(measurements, started, figures));
    const limits = fsyncLimits(measurements, figures);
    if (limits.length > 0) console.log(`\n${limits.map(({ line }) => line).join('\n')}`);
    if (limits.some(({ isKept }) => !isKept)) process.exitCode = 1;
  }
  const full = `${options.snapshotBytes / (1 << 20)} MiB and ${options.snapshotFileCount} files`;
  const volumes = `few: ${FEW_FILE_COUNT} files; full: ${full}`;
  if (snapshots !== undefined) {
    console.log(
      `\nSnapshot creation, median of ${options.snapshotCount}; full: ${full}.\n\n${snapshotTable(snapshots)}`,
    );
  }
  if (restores !== undefined) {
    console.log(
      `\nRestoring a snapshot of a mounted volume, what was there kept or discarded; ${volumes}.\n\n${restoreTable(restores)}`,
    );
  }
  if (deletions !== undefined) {
    console.log(`\nDeleting a snapshot that alone holds some files; ${volumes}.\n\n${deletionTable(deletions)}`);
  }
  if (Object.keys(memory).length > 0) console.log(`\nMemory after all of it.\n\n${memoryTable(memory)}`);
}

/** Thousands of snapshots and clones, in a process of its own that prints its own tables. Resolves with its exit status. */
function benchAtScale({ size, dir }) {
  const counts = size === 'small' ? ['--snapshots', '2000', '--clones', '1000', '--rounds', '4'] : [];
  const place = dir === undefined ? [] : ['--dir', dir];
  const child = spawn(process.execPath, [SCALE, ...counts, ...place], { stdio: 'inherit' });
  return new Promise((resolve) => {
    child.once('close', resolve);
  });
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  chosenMeasurements(options.only);
  const temp = fs.realpathSync(fs.mkdtempSync(path.join(options.dir ?? os.tmpdir(), 'amberfs-bench-')));
  const peers = makePeers(options.peers, temp);
  try {
    const results = await bench(options, temp, peers);
    print(results, options);
    if (options.json !== undefined) {
      const { figures, snapshots, restores, deletions, memory } = results;
      const report = { options, figures, snapshots, restores, deletions, memory };
      fs.writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
    }
  } finally {
    for (const peer of peers) await peer.stop();
    // Removing a tree with a mount in it would empty the mount.
    const left = peers.filter((peer) => isMounted(peer.dir));
    if (left.length === 0) fs.rmSync(temp, { recursive: true, force: true });
    else say(`still mounted: ${left.map((peer) => peer.dir).join(', ')}`);
  }
  if (options.peers.includes('amberfs') && (options.only?.includes('scale') ?? true)) {
    console.log('\nAt scale.\n');
    const status = await benchAtScale(options);
    if (status !== 0) process.exitCode = status;
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  say(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
