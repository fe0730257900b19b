// Comparing data blocks with their checksums, each block once however many versions share it.

import { crc32 } from 'node:zlib';
import {
  BLOCK_BYTES,
  Key,
  extentBirth,
  extentLength,
  extentStart,
  extentSum,
  keyAt,
  keyIno,
  keySuffix48,
  valueAt,
  valueLengthAt,
} from '../format/index.ts';
import { CorruptionError, StoreError } from '../errors/index.ts';
import type { Blocks } from '../store/index.ts';
import { Cursor, type Forest, IdSet, isShown } from '../tree/index.ts';
import type { Filesystem } from './filesystem.ts';

/** A run of data blocks that an extent names, as it stood there when it was looked at. */
export interface Extent {
  readonly ino: number;
  /** Of the file. */
  readonly first: number;
  readonly start: number;
  readonly birth: number;
  readonly sums: readonly number[];
}

/** The extent that is entry `index` of the leaf `page`. */
export function extentAt(page: Uint8Array, index: number): Extent {
  const [key, value] = [keyAt(page, index), valueAt(page, index)];
  const sums: number[] = [];
  for (let i = 0; i < extentLength(valueLengthAt(page, index)); i++) sums.push(extentSum(page, value, i));
  return {
    ino: keyIno(page, key),
    first: keySuffix48(page, key),
    start: extentStart(page, value),
    birth: extentBirth(page, value),
    sums,
  };
}

/**
 * Reads the blocks of `extent` into `bytes`; gives the indexes of those whose contents differ from their checksums, or that the host can't
 * read.
 */
export async function damagedBlocks(
  blocks: Pick<Blocks, 'read'>,
  extent: Extent,
  bytes: Uint8Array,
): Promise<number[]> {
  const { start, sums } = extent;
  if (await canRead(() => blocks.read(bytes, 0, sums.length * BLOCK_BYTES, start * BLOCK_BYTES)))
    return differing(sums, bytes, 0);
  const damaged: number[] = [];
  for (const [i, sum] of sums.entries()) {
    const place = i * BLOCK_BYTES;
    const read = await canRead(() => blocks.read(bytes, place, BLOCK_BYTES, (start + i) * BLOCK_BYTES));
    if (!read || differing([sum], bytes, place).length > 0) damaged.push(i);
  }
  return damaged;
}

/** False where the host has lost the bytes: its disk can't read them, or the file ends before. */
async function canRead(read: () => Promise<void>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (error instanceof CorruptionError || error instanceof StoreError) return false;
    throw error;
  }
}

function differing(sums: readonly number[], bytes: Uint8Array, from: number): number[] {
  const damaged: number[] = [];
  for (const [i, sum] of sums.entries()) {
    const at = from + i * BLOCK_BYTES;
    if (crc32(bytes.subarray(at, at + BLOCK_BYTES)) !== sum) damaged.push(i);
  }
  return damaged;
}

/** Whether the version `id` of `forest`, as it is at this moment, has exactly this extent. */
export function isCurrentExtent(forest: Forest, id: number, extent: Extent): boolean {
  if (!forest.versions.has(id)) return false;
  const version = forest.versions.get(id);
  // What is nameless or on its way out has no whole tree any more.
  if (!isShown(version)) return false;
  const at = new Cursor();
  if (!forest.frozenTree(version).find(new Key().extent(extent.ino, extent.first), at)) return false;
  const now = extentAt(at.page, at.index);
  return now.start === extent.start && now.birth === extent.birth && now.sums.every((sum, i) => sum === extent.sums[i]);
}

/** Compares the blocks that the trees of one state name; blocks may be freed and written anew meanwhile. */
export class CheckedData {
  readonly #intact = new IdSet();
  readonly #isCurrent: (fs: Filesystem, extent: Extent) => boolean;
  readonly #bytes = new Uint8Array(256 * BLOCK_BYTES);
  blocks = 0;

  /** `isCurrent`: whether the store, as it is at this moment, still refers to the blocks of the extent. */
  constructor(isCurrent: (fs: Filesystem, extent: Extent) => boolean) {
    this.#isCurrent = isCurrent;
  }

  /** What is wrong with the blocks of the extent under `at`, of a file of `sizeBytes`. */
  async compare(fs: Filesystem, at: Cursor, sizeBytes: number): Promise<string[]> {
    const extent = extentAt(at.page, at.index);
    const { first, start, sums } = extent;
    const isLast = (first + sums.length) * BLOCK_BYTES > sizeBytes;
    if (!isLast && sums.every((_, i) => this.#intact.has(start + i))) return [];
    let damaged = await damagedBlocks(fs.context.blocks, extent, this.#bytes);
    // It may have been freed and written anew since, or while it was read.
    if (damaged.length > 0)
      damaged = this.#isCurrent(fs, extent) ? await damagedBlocks(fs.context.blocks, extent, this.#bytes) : [];
    if (damaged.length > 0 && !this.#isCurrent(fs, extent)) return [];
    for (const i of sums.keys()) if (!damaged.includes(i) && this.#intact.add(start + i)) this.blocks++;
    const problems = damaged.map((i) => `file block ${first + i} is damaged`);
    if (isLast && !this.#endsInZeros(extent, sizeBytes) && this.#isCurrent(fs, extent))
      problems.push('bytes behind its end are not zero');
    return problems;
  }

  #endsInZeros({ first, sums }: Extent, sizeBytes: number): boolean {
    const end = Math.max(0, sizeBytes - first * BLOCK_BYTES);
    return !this.#bytes.subarray(end, sums.length * BLOCK_BYTES).some((byte) => byte !== 0);
  }
}
