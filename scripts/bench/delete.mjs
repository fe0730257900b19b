/** The time that deleting a snapshot takes, and until its space is back: in proportion to what it frees, whatever else the volume holds. */
import path from 'node:path';
import { importBuilt } from './build.mjs';
import { run, runChild, runIo } from './run.mjs';
import { median } from './snapshots.mjs';

const DELETE_CHILD = new URL('./delete-child.mjs', import.meta.url);
const MiB = 1 << 20;
const SMALL_FILE_BYTES = 16 << 10;
const LARGE_FILES = 4;
/** A small deletion is over soon, and so measured more often. */
const SMALL_ROUNDS = 3;

/** What is in use when nothing is left to reclaim, which it waits for. */
async function usedBytes(peer) {
  const { openControl } = await importBuilt('daemon/control/index.js');
  const control = await openControl(peer.store);
  try {
    return (await control.call('reclaimed', {})).usedBytes;
  } finally {
    await control.close();
  }
}

/** Fills `dir` with what only the snapshot to delete will have. */
async function fillVictims({ bytes, fileBytes }, dir) {
  const count = bytes / fileBytes;
  if (fileBytes === SMALL_FILE_BYTES) await runIo('create', dir, count, fileBytes);
  else for (let index = 0; index < count; index++) await runIo('write', path.join(dir, `${index}`), fileBytes, MiB);
}

async function deleteByCommand(peer, name) {
  return { commandMs: (await peer.amberfs('snapshot', 'delete', '--yes', `${peer.dir}@${name}`)).seconds * 1000 };
}

/** Deletes a snapshot in the middle of others that alone holds the files of `deletion`; by rmdir, or by the command. */
async function deleteOnce({ peer, ...deletion }, byCommand) {
  const dir = path.join(peer.dir, 'victims');
  const snapshot = (name) => path.join(peer.dir, '.snapshots', name);
  await run('mkdir', [dir, snapshot('before')]);
  await fillVictims(deletion, dir);
  await run('mkdir', [snapshot('doomed')]);
  await run('rm', ['-r', dir]);
  // A file that the kernel still holds for a moment after its removal would be in the next snapshot, without a name.
  await usedBytes(peer);
  await run('mkdir', [snapshot('after')]);
  const before = await usedBytes(peer);
  const figures = await (byCommand
    ? deleteByCommand(peer, 'doomed')
    : runChild(DELETE_CHILD, peer.store, snapshot('doomed')));
  const freedBytes = before - (await usedBytes(peer));
  if (freedBytes !== deletion.bytes) throw new Error(`deleting freed ${freedBytes} bytes, not ${deletion.bytes}`);
  await run('rmdir', [snapshot('before'), snapshot('after')]);
  await usedBytes(peer);
  return figures;
}

/**
 * For each deletion: what was deleted from which volume, and medians of milliseconds: of rmdir, of the command, until the space is back.
 * `few` and `full` are peers with few and with many files. Throws where a deletion does not free what it should.
 */
export async function measureDeletions(few, full, options) {
  const large = options.deletedBytes;
  const deletions = [
    { peer: few, bytes: MiB, fileBytes: MiB, rounds: options.repeat * SMALL_ROUNDS },
    { peer: full, bytes: MiB, fileBytes: MiB, rounds: options.repeat * SMALL_ROUNDS },
    { peer: full, bytes: large, fileBytes: large / LARGE_FILES, rounds: options.repeat },
    { peer: full, bytes: large, fileBytes: SMALL_FILE_BYTES, rounds: options.repeat },
  ];
  const measured = [];
  for (const { rounds, ...deletion } of deletions) {
    const runs = [];
    for (let round = 0; round < rounds; round++)
      runs.push({ ...(await deleteOnce(deletion, false)), ...(await deleteOnce(deletion, true)) });
    const { peer, bytes, fileBytes } = deletion;
    const of = (name) => median(runs.map((figures) => figures[name]));
    measured.push({
      volume: peer.name,
      freedMiB: bytes / MiB,
      files: bytes / fileBytes,
      rmdirMs: of('rmdirMs'),
      commandMs: of('commandMs'),
      spaceMs: of('spaceMs'),
    });
  }
  return measured;
}
