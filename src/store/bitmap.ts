// Runs of bits in an Int32Array: bit b is bit (b & 31) of word (b >> 5). Whole words are skipped, so a search through a full or
// an empty stretch costs a comparison per 32 bits. Int32Array rather than Uint32Array: its elements are small integers to V8.

/** The bits `from` to `to` (exclusive, 1 to 32) of a word. */
export function wordMask(from: number, to: number): number {
  return (-1 << from) & (-1 >>> (32 - to));
}

/** How many bits of `word` are set. */
export function popCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** How many bits of all `words` are set. */
export function countBits(words: Int32Array): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) count += popCount(words[i]!);
  return count;
}

function endInWord(word: number, end: number): number {
  const rest = end - (word << 5);
  return rest > 32 ? 32 : rest;
}

/** Sets `count` bits from `start` on. */
export function setBits(words: Int32Array, start: number, count: number): void {
  const end = start + count;
  for (let bit = start; bit < end;) {
    const word = bit >> 5;
    words[word] = words[word]! | wordMask(bit & 31, endInWord(word, end));
    bit = (word + 1) << 5;
  }
}

/** Clears `count` bits from `start` on. */
export function clearBits(words: Int32Array, start: number, count: number): void {
  const end = start + count;
  for (let bit = start; bit < end;) {
    const word = bit >> 5;
    words[word] = words[word]! & ~wordMask(bit & 31, endInWord(word, end));
    bit = (word + 1) << 5;
  }
}

/** Whether all of `count` bits from `start` on are set. */
export function areSet(words: Int32Array, start: number, count: number): boolean {
  return nextClear(words, start, start + count) === start + count;
}

/** The first clear bit at or after `from`, or `limit` where there is none before it. */
export function nextClear(words: Int32Array, from: number, limit: number): number {
  if (from >= limit) return limit;
  let word = from >> 5;
  let candidates = ~words[word]! & (-1 << (from & 31));
  while (candidates === 0) {
    if (++word << 5 >= limit) return limit;
    candidates = ~words[word]!;
  }
  return Math.min(limit, (word << 5) + lowestBit(candidates));
}

/** The first set bit at or after `from`, or `limit` where there is none before it. */
export function nextSet(words: Int32Array, from: number, limit: number): number {
  if (from >= limit) return limit;
  let word = from >> 5;
  let candidates = words[word]! & (-1 << (from & 31));
  while (candidates === 0) {
    if (++word << 5 >= limit) return limit;
    candidates = words[word]!;
  }
  return Math.min(limit, (word << 5) + lowestBit(candidates));
}

/** The last set bit before `from` and at or after `floor`, or `floor - 1` where there is none. */
export function previousSet(words: Int32Array, from: number, floor: number): number {
  if (from <= floor) return floor - 1;
  let word = (from - 1) >> 5;
  let candidates = words[word]! & wordMask(0, ((from - 1) & 31) + 1);
  while (candidates === 0) {
    if (word << 5 <= floor) return floor - 1;
    candidates = words[--word]!;
  }
  return Math.max(floor - 1, (word << 5) + 31 - Math.clz32(candidates));
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
