/** A journal that has grown long is cut by a commit, without waiting for the interval. */
import { expect, test } from 'vitest';
import { writeFile } from '../../../src/vfs/index.ts';
import { ROOT_INO } from '../../../src/volume/index.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

/** As in src/volume/volumes-options.ts. */
const LIMIT_BYTES = 16 * 1024 * 1024;
const PIECE_BYTES = 4000;

test('the change after 16 MiB of records starts a commit', async () => {
  const { volumes } = await openMemoryVolumes();
  const fs = volumes.get('main').filesystem;
  const { journal } = volumes.store;
  const { ino } = new TreeOf(fs).file(ROOT_INO, 'f');
  await volumes.commit();
  const write = (): void => {
    writeFile(fs, ino, 0, Buffer.alloc(PIECE_BYTES, 'x'), 0, PIECE_BYTES, false);
    volumes.record();
  };
  const isCommitted = async (): Promise<boolean> => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return journal.bytes === 0;
  };
  // One small block again and again: of all that starts a commit, only the journal grows.
  while (journal.bytes + 2 * PIECE_BYTES < LIMIT_BYTES) write();
  expect(await isCommitted()).toBe(false);
  while (journal.bytes <= LIMIT_BYTES) write();
  expect(await isCommitted()).toBe(false);
  write();
  // A commit is captured in a turn of its own: the change that started it is in it.
  expect(await isCommitted()).toBe(true);
});
