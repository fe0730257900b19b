// Snappy, the compression of LevelDB's blocks: only what reading takes (google/snappy, format_description.txt).

import { LevelReader } from './bytes.ts';

const LENGTH_MAX = 64 * 1024 * 1024;

/** What `bytes` stand for. Throws RangeError where they are not whole. */
export function unsnap(bytes: Uint8Array): Uint8Array {
  const from = new LevelReader(bytes);
  const length = from.varint();
  if (length > LENGTH_MAX) throw new RangeError('the length is beyond reason');
  const into = new Uint8Array(length);
  let end = 0;
  while (!from.isAtEnd) {
    const tag = from.take(1)[0]!;
    const kind = tag & 3;
    if (kind === 0) {
      const literal = from.take(literalLength(tag >>> 2, from));
      into.set(literal, end);
      end += literal.length;
      continue;
    }
    const count = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    const distance = kind === 1 ? ((tag >>> 5) << 8) | from.take(1)[0]! : little(from.take(kind === 2 ? 2 : 4));
    if (distance === 0 || distance > end || end + count > length) throw new RangeError('a copy lies outside');
    // Byte by byte: a copy may overlap what it makes.
    for (let i = 0; i < count; i++, end++) into[end] = into[end - distance]!;
  }
  if (end !== length) throw new RangeError('the end is missing');
  return into;
}

function literalLength(code: number, from: LevelReader): number {
  return 1 + (code < 60 ? code : little(from.take(code - 59)));
}

function little(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
