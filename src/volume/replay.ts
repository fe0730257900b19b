// Doing again what the journal holds, after a crash: each record on the state that the ones before it led to.
//
// What an operation freed is freed again by the same rules, so that the version tree's books come out right; only that what was merged or
// taken apart in the background since the commit is not, and so is done later. No block that a record gives out can be in use then: nothing
// that was freed is given out again before a commit holds it as free.

import { crc32 } from 'node:zlib';
import { CorruptionError } from '../errors/index.ts';
import {
  BLOCK_BYTES,
  ENTRY,
  type Inode,
  type JournalRecord,
  type JournalVisitor,
  Key,
  createInode,
  extentBirth,
  extentStart,
  keyIno,
  keyType,
  visitJournalItems,
} from '../format/index.ts';
import type { BlockAllocator, Blocks } from '../store/index.ts';
import { Cursor } from '../tree/index.ts';
import { extentFirst, mapBlocks, seekExtent, setBlockSum, unmapBlocks } from './extents.ts';
import type { Volume } from './volume.ts';

/** What doing records again needs of the volumes. */
export interface ReplayHost {
  readonly blocks: Blocks;
  readonly allocator: BlockAllocator;
  /** The volume with this id. Throws CorruptionError where there is none. */
  volumeById(id: number): Volume;
  /** Does a {@link StructuralChange}, given as JSON. */
  restructure(json: string): void;
}

const key = new Key();
const at = new Cursor();
const block = new Uint8Array(BLOCK_BYTES);
const blockSum = new Uint32Array(1);

/** Whether the data blocks that `record` refers to hold what it says: a power cut may have taken them while it left the record. */
export function hasItsData(blocks: Blocks, record: JournalRecord): boolean {
  let complete = true;
  visitJournalItems(record.items, {
    map: (_volume, _ino, _fileBlock, start, sums) => {
      for (let i = 0; i < sums.length && complete; i++) complete = holds(blocks, start + i, sums[i]!);
    },
  });
  return complete;
}

/** Whether data block `number` has the checksum `sum`. */
function holds(blocks: Blocks, number: number, sum: number): boolean {
  try {
    blocks.readSync(block, 0, BLOCK_BYTES, number * BLOCK_BYTES);
  } catch (error) {
    // Behind the end of the file: its new length was lost too.
    if (error instanceof CorruptionError) return false;
    throw error;
  }
  return crc32(block) === sum;
}

/** Does again what records say; see {@link visitJournalItems}. Throws CorruptionError where a record does not fit what is there. */
export class Replay implements JournalVisitor {
  readonly #host: ReplayHost;
  /** Counts blocks for the functions that keep count; the inode's own record comes with the journal. */
  readonly #inode: Inode = createInode();

  constructor(host: ReplayHost) {
    this.#host = host;
  }

  put(volumeId: number, keyBytes: Uint8Array, value: Uint8Array): void {
    const { filesystem, record } = this.#host.volumeById(volumeId);
    filesystem.tree.put(key.copy(keyBytes, 0, keyBytes.length), value.length, at);
    at.page.set(value, at.valueAt);
    if (keyType(keyBytes, 0) === ENTRY.inode) record.nextIno = Math.max(record.nextIno, keyIno(keyBytes, 0) + 1);
  }

  remove(volumeId: number, keyBytes: Uint8Array): void {
    this.#host.volumeById(volumeId).filesystem.tree.remove(key.copy(keyBytes, 0, keyBytes.length));
  }

  map(volumeId: number, ino: number, fileBlock: number, start: number, sums: Uint32Array): void {
    const { filesystem, head } = this.#host.volumeById(volumeId);
    this.#host.allocator.claim(start, sums.length);
    mapBlocks(filesystem, head, this.#inodeOf(ino), fileBlock, start, sums.length, sums);
  }

  unmap(volumeId: number, ino: number, from: number, to: number): void {
    const { filesystem, head } = this.#host.volumeById(volumeId);
    unmapBlocks(filesystem, head, this.#inodeOf(ino), from, to);
  }

  block(volumeId: number, ino: number, fileBlock: number, start: number, bytes: Uint8Array): void {
    const { filesystem, head } = this.#host.volumeById(volumeId);
    this.#host.allocator.claim(start, 1);
    const kept = this.#host.blocks.keep(start);
    kept.set(bytes);
    kept.fill(0, bytes.length);
    blockSum[0] = crc32(kept);
    mapBlocks(filesystem, head, this.#inodeOf(ino), fileBlock, start, 1, blockSum);
  }

  patch(volumeId: number, ino: number, fileBlock: number, within: number, bytes: Uint8Array): void {
    const { filesystem, head } = this.#host.volumeById(volumeId);
    const mapped = seekExtent(filesystem, ino, fileBlock, at) && extentFirst(at) <= fileBlock;
    const own = mapped && extentBirth(at.page, at.valueAt) === head.id;
    const kept = own
      ? this.#host.blocks.kept(extentStart(at.page, at.valueAt) + fileBlock - extentFirst(at))
      : undefined;
    if (kept === undefined)
      throw new CorruptionError(`block ${fileBlock} of inode ${ino}`, 'the journal changes it, but did not make it');
    kept.set(bytes, within);
    setBlockSum(filesystem, ino, fileBlock, crc32(kept));
  }

  structure(json: string): void {
    this.#host.restructure(json);
  }

  #inodeOf(ino: number): Inode {
    this.#inode.ino = ino;
    return this.#inode;
  }
}
