// CRC-32C (Castagnoli), the checksum of LevelDB's files. Node's zlib has the other polynomial only.

/** Bytes that one step takes: a table for each. */
const STEP = 8;
const POLYNOMIAL = 0x82f63b78;

const tables = makeTables();

function makeTables(): Int32Array {
  const made = new Int32Array(STEP * 256);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (POLYNOMIAL & -(sum & 1));
    made[byte] = sum;
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256]!;
    made[at] = (before >>> 8) ^ made[before & 0xff]!;
  }
  return made;
}

/** The CRC-32C of `bytes[from..to)`, as u32. */
function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let sum = -1;
  let at = from;
  for (; at + STEP <= to; at += STEP) {
    const low = sum ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    sum =
      tables[1792 + (low & 0xff)]! ^
      tables[1536 + ((low >>> 8) & 0xff)]! ^
      tables[1280 + ((low >>> 16) & 0xff)]! ^
      tables[1024 + (low >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < to; at++) sum = (sum >>> 8) ^ tables[(sum ^ bytes[at]!) & 0xff]!;
  return ~sum >>> 0;
}

/** Whether the CRC-32C of `bytes[from..to)` is `masked`, in the form in which LevelDB stores it (doc/log_format.md there). */
export function hasMaskedSum(bytes: Uint8Array, from: number, to: number, masked: number): boolean {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return crc32c(bytes, from, to) === ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
