// How many look-ups (nlookup) the kernel holds of each live inode, as FUSE counts them: one for each entry that was
// sent, less what FORGET gave back. An inode without a name may be destroyed only when none is left. A FORGET alone
// does not say that: it waits in a queue of its own in the kernel, and the same inode may have been looked up and
// opened again meanwhile (fuse_dev_do_read in fs/fuse/dev.c serves requests before FORGETs).
//
// A hash table in two typed arrays, with linear probing: 12 bytes a slot, no object per inode.

/** Slots at first; doubled whenever three quarters are taken. A power of two. */
const SLOTS_MIN = 1024;

export class LookupCounts {
  /** 0: the slot is free. */
  #inos = new Float64Array(SLOTS_MIN);
  #counts = new Uint32Array(SLOTS_MIN);
  #size = 0;

  /** Inodes that the kernel holds. */
  get size(): number {
    return this.#size;
  }

  /** How many look-ups of inode `ino` the kernel holds. */
  count(ino: number): number {
    const slot = this.#find(ino);
    return this.#inos[slot] === 0 ? 0 : this.#counts[slot]!;
  }

  /** One more look-up of inode `ino` (1 or more). */
  add(ino: number): void {
    const slot = this.#find(ino);
    if (this.#inos[slot] === ino) {
      this.#counts[slot]!++;
      return;
    }
    this.#inos[slot] = ino;
    this.#counts[slot] = 1;
    this.#size++;
    if (this.#size * 4 > this.#inos.length * 3) this.#resize(this.#inos.length * 2);
  }

  /** The kernel gives `nlookup` of them back. Whether none is left. */
  forget(ino: number, nlookup: number): boolean {
    const slot = this.#find(ino);
    if (this.#inos[slot] === 0) return true;
    if (this.#counts[slot]! > nlookup) {
      this.#counts[slot]! -= nlookup;
      return false;
    }
    this.#remove(slot);
    return true;
  }

  /** Forgets all, and gives the inodes that there were. */
  takeAll(): number[] {
    const taken: number[] = [];
    for (const ino of this.#inos) if (ino !== 0) taken.push(ino);
    this.#inos = new Float64Array(SLOTS_MIN);
    this.#counts = new Uint32Array(SLOTS_MIN);
    this.#size = 0;
    return taken;
  }

  /** The slot of `ino`, or the free one where it would go. */
  #find(ino: number): number {
    const inos = this.#inos;
    const mask = inos.length - 1;
    let slot = slotOf(ino, mask);
    while (inos[slot] !== ino && inos[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  /** Frees `slot` and moves those back that had to go around it, so that no search ends too early. */
  #remove(slot: number): void {
    const inos = this.#inos;
    const mask = inos.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; inos[next] !== 0; next = (next + 1) & mask) {
      const wanted = slotOf(inos[next]!, mask);
      if (((next - wanted) & mask) < ((next - hole) & mask)) continue;
      inos[hole] = inos[next]!;
      this.#counts[hole] = this.#counts[next]!;
      hole = next;
    }
    inos[hole] = 0;
    this.#size--;
    if (inos.length > SLOTS_MIN && this.#size * 8 < inos.length) this.#resize(inos.length / 2);
  }

  #resize(slots: number): void {
    const inos = this.#inos;
    const counts = this.#counts;
    this.#inos = new Float64Array(slots);
    this.#counts = new Uint32Array(slots);
    for (let i = 0; i < inos.length; i++) {
      if (inos[i] === 0) continue;
      const slot = this.#find(inos[i]!);
      this.#inos[slot] = inos[i]!;
      this.#counts[slot] = counts[i]!;
    }
  }
}

/** Inode numbers are given out in order: the multiplication spreads them (Knuth, 6.4). */
function slotOf(ino: number, mask: number): number {
  const hash = Math.imul(ino ^ (ino / 0x1_0000_0000), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & mask;
}
