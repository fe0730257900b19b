// Fixed-width big-endian numbers in byte arrays. Big-endian, so that the order of the bytes is the order of the numbers.
// A u48 is the widest number of the stored format: it holds every id and address and is exact as a JavaScript number.

export const U32_SPAN = 0x1_0000_0000;
export const U48_MAX = 0xffff_ffff_ffff;

/** Reads an unsigned 16-bit big-endian number at `at`. */
export function get16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** Writes `value` (0 to 2^16-1) big-endian at `at`. */
export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Reads an unsigned 32-bit big-endian number at `at`. */
export function get32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Writes `value` (0 to 2^32-1) big-endian at `at`. */
export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Reads an unsigned 48-bit big-endian number at `at`. */
export function get48(bytes: Uint8Array, at: number): number {
  return get16(bytes, at) * U32_SPAN + get32(bytes, at + 2);
}

/** Writes `value` (0 to 2^48-1) big-endian at `at`. */
export function put48(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, Math.floor(value / U32_SPAN));
  put32(bytes, at + 2, value >>> 0);
}

/** Reads a signed 64-bit big-endian number at `at`; exact up to 2^53, which covers every time in seconds that Linux stores. */
export function getI64(bytes: Uint8Array, at: number): number {
  return (get32(bytes, at) | 0) * U32_SPAN + get32(bytes, at + 4);
}

/** Writes a signed integer (magnitude up to 2^53) as 64-bit big-endian two's complement at `at`. */
export function putI64(bytes: Uint8Array, at: number, value: number): void {
  put32(bytes, at, Math.floor(value / U32_SPAN) >>> 0);
  put32(bytes, at + 4, value >>> 0);
}

/** Compares two byte strings: negative, zero or positive as `a` sorts before, with or after `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether two byte strings are equal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}
