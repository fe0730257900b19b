// Reads that have to go to the disk. The answer is deferred, the event loop stays free, and what may have changed
// meanwhile is in src/volume/CONCURRENCY.md ("Data reads"); these functions use nothing that was found out before they
// waited.

import { FsError } from '../errors/index.ts';
import type { Reply } from '../fuse/index.ts';
import { BLOCK_BYTES, type Filesystem, noteFileRead, readDataLater, writeFile } from '../vfs/index.ts';
import type { Bridge } from './bridge.ts';

/** A place in a file. */
export interface Place {
  readonly fs: Filesystem;
  readonly ino: number;
  readonly offset: number;
}

/** A copy that has to wait for the disk is done in pieces of so much, one for each request. */
const COPY_PIECE_BYTES = 1024 * 1024;

/** Answers a READ of `size` bytes at `from`. */
export function readLater(
  bridge: Bridge,
  from: Place,
  size: number,
  flags: number,
  relatime: boolean,
  reply: Reply,
): void {
  const { fs, ino, offset } = from;
  const { generation } = fs;
  // Whole blocks are read. Only a direct read begins in the midst of one, and needs more room than it asks for.
  const isAligned = offset % BLOCK_BYTES === 0 && size % BLOCK_BYTES === 0;
  bridge.answerLater(
    reply,
    async (later) => {
      const bytes = isAligned ? later.payload(size) : later.scratch(roomFor(size));
      return { bytes, count: await readDataLater(fs, ino, offset, size, bytes) };
    },
    (later, { bytes, count }) => {
      checkSame(fs, generation);
      if (relatime) noteFileRead(fs, ino, flags);
      if (isAligned) later.data(count);
      else later.bytes(bytes, 0, count);
    },
  );
}

/** Answers a COPY_FILE_RANGE with its first piece; the kernel's caller asks for the rest. */
export function copyLater(bridge: Bridge, from: Place, to: Place, length: number, kill: boolean, reply: Reply): void {
  const generations = [from.fs.generation, to.fs.generation] as const;
  const wanted = Math.min(length, COPY_PIECE_BYTES);
  bridge.answerLater(
    reply,
    async (later) => {
      const bytes = later.scratch(roomFor(wanted));
      return { bytes, count: await readDataLater(from.fs, from.ino, from.offset, wanted, bytes) };
    },
    (later, { bytes, count }) => {
      checkSame(from.fs, generations[0]);
      checkSame(to.fs, generations[1]);
      if (!to.fs.alive) throw new FsError('ESTALE', 'copy-to-deleted', 'the volume was deleted');
      try {
        later.written(writeFile(to.fs, to.ino, to.offset, bytes, 0, count, kill));
      } catch (error) {
        bridge.view.volumes.noteDamage(error, true);
        throw error;
      }
    },
  );
}

/** The inode number may be another file's by now, or no file's, or what is left of one. */
function checkSame(fs: Filesystem, generation: number): void {
  if (fs.halfChanged !== undefined) throw fs.halfChanged;
  if (fs.generation !== generation)
    throw new FsError('ESTALE', 'read-of-restored', 'the volume was restored meanwhile');
}

/** What {@link readDataLater} wants: whole blocks, and one more. */
function roomFor(size: number): number {
  return (Math.ceil(size / BLOCK_BYTES) + 1) * BLOCK_BYTES;
}
