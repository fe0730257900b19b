// Reading data blocks with their checksums compared: a block that changed on disk is never given out (design, section 6).

import { crc32 } from 'node:zlib';
import { DamagedDataError } from '../errors/index.ts';
import { BLOCK_BYTES, extentSumAt } from '../format/index.ts';
import type { Cursor } from '../tree/index.ts';
import { get32 } from '../util/index.ts';

/**
 * Compares `count` blocks of `bytes` from `from` on with the checksums of the extent that `at` is on, from its block `skip` on.
 * Gives the index of the first that differs, or -1.
 */
export function findDamage(bytes: Uint8Array, from: number, count: number, at: Cursor, skip: number): number {
  const { page } = at;
  let sumAt = at.valueAt + extentSumAt(skip);
  for (let i = 0, byte = from; i < count; i++, byte += BLOCK_BYTES, sumAt += 4) {
    if (crc32(bytes.subarray(byte, byte + BLOCK_BYTES)) !== get32(page, sumAt)) return i;
  }
  return -1;
}

/** The error for the data block `block`, at file block `fileBlock` of inode `ino`, whose content does not match its checksum. */
export function damage(ino: number, fileBlock: number, block: number): DamagedDataError {
  return new DamagedDataError(`data block ${block}`, `checksum does not match (inode ${ino}, file block ${fileBlock})`);
}
