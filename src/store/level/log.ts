// The log format of LevelDB (doc/log_format.md there), in which its logs and its MANIFEST are written: blocks of 32 KiB with pieces of
// records, each piece with a checksum.
//
// LevelDB's own reader leaves out what is damaged and goes on behind it, or takes it for the end. Here damage is told from a write that was
// cut short: each record is synced before the next one is written, so the first piece of a record says that all before it was durable.

import { hasMaskedSum } from './crc32c.ts';
import { fixed32 } from './bytes.ts';

const BLOCK = 32 * 1024;
/** Masked CRC-32C u32, length u16, type u8. */
const HEADER = 7;

const PIECE = { full: 1, first: 2, middle: 3, last: 4 } as const;

export interface LevelLog {
  /** Whole records from the start on, up to the first that is not. */
  readonly records: Uint8Array[];
  /** Where it stops being whole; undefined where nothing follows the last record. */
  readonly brokenAt: number | undefined;
  /** Whether another record begins behind that: what is broken was whole once. */
  readonly goesOn: boolean;
}

/** Reads a log as it was found. */
export function readLevelLog(bytes: Uint8Array): LevelLog {
  const records: Uint8Array[] = [];
  let pieces: Uint8Array[] = [];
  let [at, recordAt] = [0, 0];
  for (; at < bytes.length; at = nextPiece(bytes, at)) {
    const type = pieceAt(bytes, at);
    if (isTrailer(bytes, at)) continue;
    const begins = type === PIECE.full || type === PIECE.first;
    if (type === 0 || begins !== (pieces.length === 0)) break;
    if (begins) recordAt = at;
    pieces.push(bytes.subarray(at + HEADER, nextPiece(bytes, at)));
    if (type === PIECE.first || type === PIECE.middle) continue;
    records.push(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
    pieces = [];
  }
  if (at >= bytes.length && pieces.length === 0) return { records, brokenAt: undefined, goesOn: false };
  return { records, brokenAt: pieces.length === 0 ? at : recordAt, goesOn: beginsBehind(bytes, at) };
}

/** Too little is left of a block for a header: zeros. */
function isTrailer(bytes: Uint8Array, at: number): boolean {
  const left = BLOCK - (at % BLOCK);
  return left < HEADER && bytes.subarray(at, at + left).every((byte) => byte === 0);
}

/** The type of the whole piece at `at`; 0 where there is none. */
function pieceAt(bytes: Uint8Array, at: number): number {
  const left = Math.min(BLOCK - (at % BLOCK), bytes.length - at);
  if (left < HEADER) return 0;
  const type = bytes[at + 6]!;
  const length = bytes[at + 4]! | (bytes[at + 5]! << 8);
  if (type < PIECE.full || type > PIECE.last || HEADER + length > left) return 0;
  return hasMaskedSum(bytes, at + 6, at + HEADER + length, fixed32(bytes, at)) ? type : 0;
}

function nextPiece(bytes: Uint8Array, at: number): number {
  const left = BLOCK - (at % BLOCK);
  return left < HEADER ? at + left : at + HEADER + (bytes[at + 4]! | (bytes[at + 5]! << 8));
}

/** Whether a record begins anywhere behind `from`. The lengths there can't be trusted, so every place is looked at. */
function beginsBehind(bytes: Uint8Array, from: number): boolean {
  for (let at = from + 1; at + HEADER <= bytes.length; at++) {
    const type = bytes[at + 6];
    if ((type === PIECE.full || type === PIECE.first) && pieceAt(bytes, at) !== 0) return true;
  }
  return false;
}
