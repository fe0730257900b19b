/** A set of node ids or block numbers: a bit for each, in pieces, so that it takes little where ids lie close together. */
export class IdSet {
  readonly #pieces = new Map<number, Uint32Array>();
  size = 0;

  /** Adds `id`; false where it was there. */
  add(id: number): boolean {
    const number = Math.floor(id / PIECE_BITS);
    let piece = this.#pieces.get(number);
    if (piece === undefined) {
      piece = new Uint32Array(PIECE_BITS / 32);
      this.#pieces.set(number, piece);
    }
    const bit = id - number * PIECE_BITS;
    const mask = 1 << (bit & 31);
    if ((piece[bit >>> 5]! & mask) !== 0) return false;
    piece[bit >>> 5]! |= mask;
    this.size++;
    return true;
  }

  /** Takes `id` out; false where it was not there. */
  delete(id: number): boolean {
    if (!this.has(id)) return false;
    const number = Math.floor(id / PIECE_BITS);
    const bit = id - number * PIECE_BITS;
    this.#pieces.get(number)![bit >>> 5]! &= ~(1 << (bit & 31));
    this.size--;
    return true;
  }

  has(id: number): boolean {
    const number = Math.floor(id / PIECE_BITS);
    const piece = this.#pieces.get(number);
    if (piece === undefined) return false;
    const bit = id - number * PIECE_BITS;
    return (piece[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  /** All of them, in pieces that ascend where the ids were added ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (const [number, piece] of this.#pieces) {
      for (let bit = 0; bit < PIECE_BITS; bit++) {
        if ((piece[bit >>> 5]! & (1 << (bit & 31))) !== 0) yield number * PIECE_BITS + bit;
      }
    }
  }
}

/** 1 KiB a piece. */
const PIECE_BITS = 8192;
