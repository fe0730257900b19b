// Reads that have to go to the disk. The answer is deferred, the event loop stays free, and what may have changed
// meanwhile is in src/volume/CONCURRENCY.md ("Data reads"); these functions use nothing that was found out before they
// waited.

import { FsError } from '../errors/index.ts';
import type { DeferredReply } from '../fuse/index.ts';
import { BLOCK_BYTES, type Filesystem, noteFileRead, readDataLater, writeFile } from '../vfs/index.ts';

/** A place in a file. */
export interface Place {
  readonly fs: Filesystem;
  readonly ino: number;
  readonly offset: number;
}

/** A copy that has to wait for the disk is done in pieces of so much, one for each request. */
const COPY_PIECE_BYTES = 1024 * 1024;

/** Answers a READ of `size` bytes from `offset` on. Never rejects. */
export async function readLater(
  fs: Filesystem,
  ino: number,
  offset: number,
  size: number,
  flags: number,
  relatime: boolean,
  reply: DeferredReply,
): Promise<void> {
  const { generation } = fs;
  try {
    // Whole blocks are read. Only a direct read begins in the midst of one, and needs more room than it asks for.
    const isAligned = offset % BLOCK_BYTES === 0 && size % BLOCK_BYTES === 0;
    const into = isAligned ? reply.payload(size) : reply.scratch(roomFor(size));
    const count = await readDataLater(fs, ino, offset, size, into);
    checkSame(fs, generation);
    if (relatime) noteFileRead(fs, ino, flags);
    if (isAligned) reply.data(count);
    else reply.bytes(into, 0, count);
  } catch (error) {
    reply.fail(error);
  }
}

/** Answers a COPY_FILE_RANGE with its first piece; the kernel's caller asks for the rest. Never rejects. */
export async function copyLater(
  from: Place,
  to: Place,
  length: number,
  kill: boolean,
  reply: DeferredReply,
): Promise<void> {
  const generations = [from.fs.generation, to.fs.generation] as const;
  try {
    const wanted = Math.min(length, COPY_PIECE_BYTES);
    const bytes = reply.scratch(roomFor(wanted));
    const count = await readDataLater(from.fs, from.ino, from.offset, wanted, bytes);
    checkSame(from.fs, generations[0]);
    checkSame(to.fs, generations[1]);
    if (!to.fs.alive) throw new FsError('ESTALE', 'copy-to-deleted', 'the volume was deleted');
    reply.written(writeFile(to.fs, to.ino, to.offset, bytes, 0, count, kill));
  } catch (error) {
    reply.fail(error);
  }
}

/** The inode number may be another file's by now, or no file's. */
function checkSame(fs: Filesystem, generation: number): void {
  if (fs.generation !== generation)
    throw new FsError('ESTALE', 'read-of-restored', 'the volume was restored meanwhile');
}

/** What {@link readDataLater} wants: whole blocks, and one more. */
function roomFor(size: number): number {
  return (Math.ceil(size / BLOCK_BYTES) + 1) * BLOCK_BYTES;
}
