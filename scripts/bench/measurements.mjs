/**
 * What is measured. Each entry: `name`, `unit`, `better` ('more' or 'less'), and `measure(peer, context)`, which resolves to
 * one figure. `fuseOnly`: makes no sense for the host, which has no daemon to ask. `inodes`: how many
 * files it makes at once. Entries run in this order, all peers in turn, and clean up their files.
 */
import path from 'node:path';
import { run, runIo } from './run.mjs';

const MiB = 1 << 20;

function rate(bytes, seconds) {
  return bytes / seconds / MiB;
}

async function withFile(peer, bytes, callBytes, action) {
  const file = path.join(peer.dir, 'big');
  const written = await runIo('write', file, bytes, callBytes);
  try {
    return await action(written, file);
  } finally {
    await run('rm', ['-f', file]);
  }
}

function writeRate(callBytes, sizeName, field) {
  return (peer, { options }) =>
    withFile(peer, options[sizeName], callBytes, async (written) => rate(options[sizeName], written[field]));
}

/** Reads a file in calls of `callBytes`: straight from the peer, or a second time from the kernel's cache. */
function readRate(callBytes, sizeName, isCold) {
  return (peer, { options }) =>
    withFile(peer, options[sizeName], MiB, async (_, file) => {
      if (isCold) await peer.cold();
      else await runIo('read', file, options[sizeName], callBytes);
      return rate(options[sizeName], (await runIo('read', file, options[sizeName], callBytes)).seconds);
    });
}

/**
 * Microseconds per getattr that the daemon answers: stat(1) with --cached=never asks with AT_STATX_FORCE_SYNC, so no attribute
 * comes from the kernel's cache (with a format that wants an attribute: without one nothing is asked). The time of as many
 * calls that stay in the kernel's cache is taken off.
 */
async function getattr(peer, { options }) {
  const file = path.join(peer.dir, 'attributes');
  await run('touch', [file]);
  const files = Array.from({ length: options.getattrCount }, () => 'attributes');
  const ask = (cached) => run('stat', [`--cached=${cached}`, '--format=%s', ...files], { cwd: peer.dir });
  await ask('never');
  const base = Math.min((await ask('always')).seconds, (await ask('always')).seconds);
  const { seconds } = await ask('never');
  await run('rm', [file]);
  return (Math.max(seconds - base, 0) / options.getattrCount) * 1e6;
}

function smallFiles(job) {
  return async (peer, { options }) => {
    const dir = path.join(peer.dir, 'small');
    const created = await runIo('create', dir, options.smallFileCount);
    const removed = await runIo('remove', dir, options.smallFileCount);
    await run('rm', ['-rf', dir]);
    return options.smallFileCount / (job === 'create' ? created : removed).seconds;
  };
}

/** Microseconds of a write of `callBytes` with its fdatasync, within a file of `fileBytes` or at its end (0). */
function syncTime(callBytes, fileBytes) {
  return async (peer, { options }) => {
    const file = path.join(peer.dir, 'synced');
    const { seconds } = await runIo('sync', file, options.syncCount, callBytes, fileBytes);
    await run('rm', [file]);
    return seconds * 1e6;
  };
}

const treeInodes = ({ tree }) => tree.entries;

function unpack(chooseTree) {
  return async (peer, context) => {
    const dir = path.join(peer.dir, 'tree');
    await run('mkdir', [dir]);
    const { seconds } = await run('tar', ['-xf', chooseTree(context).archive, '-C', dir]);
    await run('rm', ['-rf', dir]);
    return seconds;
  };
}

async function walk(peer, { tree }) {
  const dir = path.join(peer.dir, 'tree');
  await run('mkdir', [dir]);
  await run('tar', ['-xf', tree.archive, '-C', dir]);
  await peer.cold();
  const { seconds } = await run('find', [dir, '-size', '+1000000M']);
  await run('rm', ['-rf', dir]);
  return seconds;
}

export const measurements = [
  {
    name: 'write-1m',
    unit: 'MiB/s',
    better: 'more',
    text: 'sequential write, 1 MiB calls',
    measure: writeRate(MiB, 'bigBytes', 'seconds'),
  },
  {
    name: 'write-1m-sync',
    unit: 'MiB/s',
    better: 'more',
    text: 'the same, with the fsync at its end',
    measure: writeRate(MiB, 'bigBytes', 'durableSeconds'),
  },
  {
    name: 'write-4k',
    unit: 'MiB/s',
    better: 'more',
    text: 'sequential write, 4 KiB calls',
    measure: writeRate(4096, 'smallCallBytes', 'seconds'),
  },
  {
    name: 'fsync-4k',
    unit: 'us',
    better: 'less',
    text: 'overwrite 4 KiB, fdatasync',
    measure: syncTime(4096, 16 * MiB),
  },
  { name: 'fsync-append', unit: 'us', better: 'less', text: 'append 100 bytes, fdatasync', measure: syncTime(100, 0) },
  {
    name: 'read-1m',
    unit: 'MiB/s',
    better: 'more',
    text: 'sequential read, 1 MiB calls, cold',
    measure: readRate(MiB, 'bigBytes', true),
  },
  {
    name: 'read-4k',
    unit: 'MiB/s',
    better: 'more',
    text: 'sequential read, 4 KiB calls, cold',
    measure: readRate(4096, 'smallCallBytes', true),
  },
  {
    name: 'reread-1m',
    unit: 'MiB/s',
    better: 'more',
    text: 'sequential read, 1 MiB calls, second time',
    measure: readRate(MiB, 'bigBytes', false),
  },
  { name: 'getattr', unit: 'us', better: 'less', text: 'getattr round trip', fuseOnly: true, measure: getattr },
  {
    name: 'create',
    unit: 'files/s',
    better: 'more',
    text: 'create, write 2 KiB, close',
    measure: smallFiles('create'),
  },
  { name: 'unlink', unit: 'files/s', better: 'more', text: 'unlink', measure: smallFiles('remove') },
  {
    name: 'untar',
    unit: 's',
    better: 'less',
    text: 'unpack a tar of a real tree',
    inodes: treeInodes,
    measure: unpack(({ tree }) => tree),
  },
  {
    name: 'untar-part',
    unit: 's',
    better: 'less',
    text: 'unpack a smaller one, within the limit of passthrough',
    inodes: ({ part }) => part.entries,
    measure: unpack(({ part }) => part),
  },
  {
    name: 'find',
    unit: 's',
    better: 'less',
    text: 'find with stat over that tree, cold',
    inodes: treeInodes,
    measure: walk,
  },
];
