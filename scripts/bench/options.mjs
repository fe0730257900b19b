/** The flags of the benchmark, and the sizes that stand behind --small and --large. */
import { parseArgs } from 'node:util';

export const USAGE = `Usage: node scripts/bench.mjs [options]

Compares a directory of the host, libfuse's passthrough_ll example, and amberfs, in one run.

  --small            sizes for a first look, about a minute
  --large            sizes for figures to quote, several minutes (default)
  --peers LIST       of host,passthrough,amberfs (default: all)
  --only LIST        of the names of measurements, as the table shows them in its first column,
                     and snapshots, delete, restore, scale
  --repeat N         each measurement N times, the median counts (default: 3)
  --dir DIR          where to work; a directory below it is made and removed (default: the system's temporary directory)
  --json FILE        writes all figures to a file too
  --help             this text

As root the kernel's page cache is dropped before each read; otherwise FUSE peers are mounted anew, and the host reads
from its cache, which the table says.`;

const MiB = 1 << 20;

const sizes = {
  small: {
    bigBytes: 64 * MiB,
    smallCallBytes: 16 * MiB,
    getattrCount: 5000,
    syncCount: 200,
    smallFileCount: 1000,
    treeFileCount: 20_000,
    snapshotBytes: 64 * MiB,
    snapshotFileCount: 4000,
    snapshotCount: 20,
    deletedBytes: 32 * MiB,
  },
  large: {
    bigBytes: 1024 * MiB,
    smallCallBytes: 256 * MiB,
    getattrCount: 20_000,
    syncCount: 1000,
    smallFileCount: 10_000,
    treeFileCount: 20_000,
    snapshotBytes: 1024 * MiB,
    snapshotFileCount: 40_000,
    snapshotCount: 20,
    deletedBytes: 512 * MiB,
  },
};

const knownPeers = ['host', 'passthrough', 'amberfs'];

/** Thrown for wrong usage: the message is for people. */
export class UsageError extends Error {}

function list(text) {
  return text?.split(',').map((item) => item.trim());
}

/** Parses argv (without node and script); throws UsageError. */
export function parseOptions(argv) {
  let values;
  try {
    values = parseArgs({
      args: argv,
      options: {
        small: { type: 'boolean' },
        large: { type: 'boolean' },
        peers: { type: 'string' },
        only: { type: 'string' },
        repeat: { type: 'string' },
        dir: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
  const peers = list(values.peers) ?? knownPeers;
  const unknown = peers.filter((peer) => !knownPeers.includes(peer));
  if (unknown.length > 0) throw new UsageError(`unknown peer: ${unknown.join(', ')}`);
  if (values.small && values.large) throw new UsageError('--small and --large exclude each other');
  const repeat = Number(values.repeat ?? 3);
  if (!Number.isInteger(repeat) || repeat < 1) throw new UsageError('--repeat wants a whole number from 1 on');
  const size = values.small ? 'small' : 'large';
  return {
    ...sizes[size],
    size,
    peers,
    only: list(values.only),
    repeat,
    dir: values.dir,
    json: values.json,
    help: values.help,
  };
}
