// Listing a directory. A place in a listing is a number that means the same for ever, whatever comes and goes and
// whoever asks: 1 is behind ".", 2 behind "..", slot + 3 behind the entry in that slot (48 bits), and the last place of
// all is behind `.snapshots`, where the root shows it. So there is no state per open directory, and a listing can go on
// after the daemon was started anew.

import { U48_MAX } from '../util/index.ts';
import { DirectoryScan, type Filesystem, type Inode } from '../volume/index.ts';
import { S_IFDIR, direntType } from './modes.ts';
import { SNAPDIR_NAME } from './names.ts';

const BEHIND_DOT = 1;
const BEHIND_DOT_DOT = 2;
/** A slot's place less the slot. */
const SLOT_BASE = 3;
const BEHIND_SNAPDIR = U48_MAX + SLOT_BASE + 1;

const DOT: Uint8Array = Buffer.from('.');
const DOT_DOT: Uint8Array = Buffer.from('..');

/**
 * What an entry of a listing is: one of the two that every directory has, a stored one, or the snapshots' directory.
 */
export type ListingKind = 'self' | 'parent' | 'entry' | 'snapdir';

/**
 * One pass over a directory, made once and reused. The tree must not change during a pass; looking things up is fine.
 */
export class Listing {
  readonly #scan = new DirectoryScan();
  #fs: Filesystem | undefined;
  #dir = 0;
  #parent = 0;
  #withSnapdir = false;
  /** Where the entry at hand began, and so what comes next. */
  #place = 0;
  #scanning = false;

  kind: ListingKind = 'self';
  /** The inode that the entry stands for. Means nothing for `snapdir`. */
  ino = 0;
  /** `DT_*`. */
  type = 0;
  /** The name is `bytes[nameStart..nameEnd)`, until the next step. */
  bytes = DOT;
  nameStart = 0;
  nameEnd = 0;

  /**
   * Begins behind the place `offset` (0: at the start) of directory `dir`; `withSnapdir` adds `.snapshots` at the end.
   */
  start(fs: Filesystem, dir: Inode, offset: number, withSnapdir: boolean): void {
    this.#fs = fs;
    this.#dir = dir.ino;
    this.#parent = dir.parent;
    this.#withSnapdir = withSnapdir;
    this.#place = offset;
    this.#scanning = false;
  }

  /** The place behind the entry at hand. */
  get nextOffset(): number {
    return this.#place;
  }

  /** Goes to the next entry; false at the end. */
  next(): boolean {
    if (this.#place < BEHIND_DOT) return this.#show('self', BEHIND_DOT, this.#dir, DOT);
    if (this.#place < BEHIND_DOT_DOT) return this.#show('parent', BEHIND_DOT_DOT, this.#parent, DOT_DOT);
    if (this.#place >= BEHIND_SNAPDIR) return false;
    if (this.#nextStored()) return true;
    if (!this.#withSnapdir) return false;
    return this.#show('snapdir', BEHIND_SNAPDIR, 0, SNAPDIR_NAME);
  }

  #nextStored(): boolean {
    const scan = this.#scan;
    const fs = this.#fs!;
    // From behind "..", whose place is 2, on the first slot is 0.
    const found = this.#scanning ? scan.next(fs) : scan.start(fs, this.#dir, this.#place + 1 - SLOT_BASE);
    if (!found) return false;
    this.#scanning = true;
    this.kind = 'entry';
    this.#place = scan.slot + SLOT_BASE;
    this.ino = scan.child;
    this.type = scan.type;
    this.bytes = scan.bytes;
    this.nameStart = scan.nameStart;
    this.nameEnd = scan.nameEnd;
    return true;
  }

  #show(kind: ListingKind, place: number, ino: number, name: Uint8Array): boolean {
    this.kind = kind;
    this.#place = place;
    this.ino = ino;
    this.type = direntType(S_IFDIR);
    this.bytes = name;
    this.nameStart = 0;
    this.nameEnd = name.length;
    return true;
  }
}
