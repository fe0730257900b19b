// The search for a name among the entries of an inode that lie in slots by the hash of their names: directory entries and attributes.

import { type Key, keyIno, keySuffix48, keyType } from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import type { Filesystem } from './filesystem.ts';
import { SLOT_PROBES, nameSlot } from './name-hash.ts';

/** A kind of entries that lie in slots. */
export interface SlotEntries {
  /** The type in their keys. */
  readonly type: number;
  /** The key of what stands first in slot `slot` of `ino`; good until the next call. */
  keyOf(ino: number, slot: number): Key;
  /** Whether `at` is where an entry called `name` begins. */
  hasName(at: Cursor, name: Uint8Array): boolean;
}

export class SlotSearch {
  readonly #entries: SlotEntries;
  /** Where the last search ended: on the entry, if there was one. */
  readonly at = new Cursor();
  /** The first free slot that the last search met, or -1; only means something where it found nothing. */
  freeSlot = -1;

  constructor(entries: SlotEntries) {
    this.#entries = entries;
  }

  /** Puts `at` on the entry `name` of `ino`; false where there is none, with `freeSlot` set. */
  locate(fs: Filesystem, ino: number, name: Uint8Array): boolean {
    const { at } = this;
    const entries = this.#entries;
    const first = nameSlot(name, 0, name.length, fs.context.hashSeed);
    this.freeSlot = first;
    if (!fs.tree.seek(entries.keyOf(ino, first), at)) return false;
    do {
      if (!this.isOf(ino)) return false;
      const slot = keySuffix48(at.page, at.keyAt);
      if (slot >= first + SLOT_PROBES) return false;
      if (entries.hasName(at, name)) return true;
      if (slot === this.freeSlot) this.freeSlot = slot + 1 < first + SLOT_PROBES ? slot + 1 : -1;
    } while (fs.tree.next(at));
    return false;
  }

  /** Whether `at` is on an entry of `ino` of this kind. */
  isOf(ino: number): boolean {
    const { at } = this;
    return keyType(at.page, at.keyAt) === this.#entries.type && keyIno(at.page, at.keyAt) === ino;
  }
}
