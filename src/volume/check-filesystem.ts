// What must be true of the files of one version (design, section 5, invariant 5): link counts, directory structure, extents in order,
// every checksum right. Entries of an inode lie side by side, so one pass sees to them one inode at a time; what stays in memory are the
// directories, and the inodes of which not all names were seen yet.

import {
  BLOCK_BYTES,
  ENTRY,
  type Inode,
  Key,
  createInode,
  decodeInode,
  extentLength,
  keyIno,
  keySuffix48,
  keyType,
} from '../format/index.ts';
import { Cursor, type Pace } from '../tree/index.ts';
import { get48 } from '../util/index.ts';
import type { CheckedData } from './check-data.ts';
import { type Filesystem, ORPHAN_LIST_INO, ROOT_INO } from './filesystem.ts';
import { findInode } from './inodes.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/** What is wrong, and which inode has to do with it (0: none). */
export type SayOfInode = (problem: string, ino: number) => void;

/** What would put right what is wrong with an inode. */
export type FileFix =
  | { readonly do: 'set-links'; readonly ino: number; readonly links: number }
  | { readonly do: 'set-blocks'; readonly ino: number; readonly blocks: number }
  | { readonly do: 'remove-names'; readonly ino: number }
  | { readonly do: 'adopt'; readonly ino: number };

export interface FilesystemCheckOptions {
  /** Is told, after the problem itself, of what would put it right. */
  readonly fix?: ((fix: FileFix) => void) | undefined;
  readonly pace: Pace;
  readonly say: SayOfInode;
  /** Compares the checksum of each block, too. */
  readonly data?: CheckedData | undefined;
}

/** Says what is wrong with the files of `fs`; gives how many inodes there are. */
export async function checkFilesystem(fs: Filesystem, options: FilesystemCheckOptions): Promise<number> {
  const check = new FilesystemCheck(fs, options);
  await check.entries();
  check.names();
  check.reachable();
  return check.inodes;
}

class FilesystemCheck {
  readonly #fs: Filesystem;
  readonly #options: FilesystemCheckOptions;
  inodes = 0;
  /** The inode whose entries are being gone through. */
  readonly #inode: Inode = createInode();
  #ino = 0;
  #present = false;
  #blocks = 0;
  #extentsEnd = 0;
  #symlinkBytes = 0;
  #subdirectories = 0;
  /** Names that were seen less names that are to be: without those where it is zero. */
  readonly #balance = new Map<number, number>();
  /** Directories: which one has an entry for it, and which one it says holds it. */
  readonly #holders = new Map<number, number>();
  readonly #claims = new Map<number, number>();
  readonly #marked = new Set<number>();

  constructor(fs: Filesystem, options: FilesystemCheckOptions) {
    this.#fs = fs;
    this.#options = options;
  }

  #say(ino: number, problem: string): void {
    this.#options.say(`inode ${ino}: ${problem}`, ino);
  }

  #count(ino: number, names: number): void {
    const balance = (this.#balance.get(ino) ?? 0) + names;
    if (balance === 0) this.#balance.delete(ino);
    else this.#balance.set(ino, balance);
  }

  async entries(): Promise<void> {
    const at = new Cursor();
    const { tree } = this.#fs;
    for (let more = tree.seek(new Key().inode(0), at); more; more = tree.next(at)) {
      const ino = keyIno(at.page, at.keyAt);
      if (ino !== this.#ino) this.#begin(ino);
      await this.#entry(ino, at);
      const { pace } = this.#options;
      if (pace.due) await pace.breathe();
    }
    this.#begin(0);
    if (!findInode(this.#fs, ROOT_INO, this.#inode)) this.#say(ROOT_INO, 'the root directory is missing');
  }

  /** The entries of the inode before are complete. */
  #begin(ino: number): void {
    if (this.#ino !== 0 && this.#ino !== ORPHAN_LIST_INO) this.#finish();
    this.#ino = ino;
    this.#present = false;
    this.#blocks = 0;
    this.#extentsEnd = 0;
    this.#symlinkBytes = 0;
    this.#subdirectories = 0;
  }

  async #entry(ino: number, at: Cursor): Promise<void> {
    switch (keyType(at.page, at.keyAt)) {
      case ENTRY.inode:
        decodeInode(at.page, at.valueAt, ino, this.#inode);
        this.#present = true;
        this.inodes++;
        break;
      case ENTRY.symlink:
        this.#symlinkBytes += at.valueLength;
        break;
      case ENTRY.xattr:
        break;
      case ENTRY.dirent:
        this.#dirent(ino, get48(at.page, at.valueAt), at.page[at.valueAt + 6]!);
        break;
      case ENTRY.extent:
        await this.#extent(ino, at);
        break;
      case ENTRY.orphan:
        if (ino !== ORPHAN_LIST_INO) this.#say(ino, "an orphan's mark lies under it");
        this.#marked.add(keySuffix48(at.page, at.keyAt));
        break;
      default:
        this.#say(ino, 'an entry of an unknown kind');
    }
  }

  #dirent(dir: number, child: number, type: number): void {
    this.#count(child, 1);
    if (type === S_IFDIR >>> 12) {
      this.#subdirectories++;
      if (this.#holders.has(child)) this.#say(child, 'is a directory with two names');
      this.#holders.set(child, dir);
    }
    if (child === ROOT_INO) this.#options.say(`directory ${dir} has an entry for the root`, dir);
  }

  async #extent(ino: number, at: Cursor): Promise<void> {
    const first = keySuffix48(at.page, at.keyAt);
    const length = extentLength(at.valueLength);
    if (first < this.#extentsEnd) this.#say(ino, `extents overlap at file block ${first}`);
    this.#extentsEnd = first + length;
    this.#blocks += length;
    const sizeBytes = this.#present ? this.#inode.sizeBytes : 0;
    const damaged = await this.#options.data?.compare(this.#fs, at, sizeBytes);
    for (const problem of damaged ?? []) this.#say(ino, problem);
  }

  #finish(): void {
    const ino = this.#ino;
    const inode = this.#inode;
    if (!this.#present) {
      this.#say(ino, 'it is referred to, but not there');
      return;
    }
    const type = inode.mode & S_IFMT;
    if (type === S_IFDIR) this.#finishDirectory(ino, inode);
    else this.#count(ino, -inode.nlink);
    if ((inode.nlink === 0) !== this.#marked.has(ino))
      this.#say(ino, inode.nlink === 0 ? 'has no link and no mark' : 'is marked as an orphan, but has links');
    this.#marked.delete(ino);
    if (inode.blocks !== this.#blocks) {
      this.#say(ino, `has ${this.#blocks} blocks, its count says ${inode.blocks}`);
      this.#options.fix?.({ do: 'set-blocks', ino, blocks: this.#blocks });
    }
    if (this.#extentsEnd > Math.ceil(inode.sizeBytes / BLOCK_BYTES)) this.#say(ino, 'has blocks behind its end');
    if (type === S_IFLNK && inode.sizeBytes !== this.#symlinkBytes)
      this.#say(ino, 'the length of its target is not its size');
  }

  #finishDirectory(ino: number, inode: Inode): void {
    this.#claims.set(ino, inode.parent);
    if (inode.nlink === 0) return;
    const links = 2 + this.#subdirectories;
    if (inode.nlink !== links) {
      this.#say(ino, `has ${links} links, its count says ${inode.nlink}`);
      this.#options.fix?.({ do: 'set-links', ino, links });
    }
    if (ino !== ROOT_INO) this.#count(ino, -1);
  }

  /** Every name leads to an inode, every link is a name, and directories are where they say. */
  names(): void {
    for (const [ino, balance] of this.#balance) this.#wrongNames(ino, balance);
    for (const ino of this.#marked) if (ino > ROOT_INO) this.#say(ino, 'is marked as an orphan, but not there');
    for (const [ino, parent] of this.#claims) {
      const holder = this.#holders.get(ino);
      if (holder !== undefined && holder !== parent) this.#say(ino, `its parent is ${holder}, it says ${parent}`);
      if (holder !== undefined && !this.#claims.has(holder)) this.#say(ino, 'its parent is not a directory');
    }
    for (const ino of this.#holders.keys()) {
      if (!this.#claims.has(ino) && !this.#balance.has(ino)) this.#say(ino, 'a name says that it is a directory');
    }
  }

  #wrongNames(ino: number, balance: number): void {
    const fix = this.#options.fix ?? ((): void => undefined);
    if (!findInode(this.#fs, ino, this.#inode)) {
      this.#say(ino, 'it is referred to, but not there');
      fix({ do: 'remove-names', ino });
      return;
    }
    const { nlink } = this.#inode;
    const isDirectory = this.#claims.has(ino);
    const names = isDirectory ? 1 + balance : nlink + balance;
    this.#say(ino, isDirectory ? `is a directory with ${names} names` : `has ${names} links, its count says ${nlink}`);
    if (names === 0) fix({ do: 'adopt', ino });
    else if (!isDirectory && nlink > 0) fix({ do: 'set-links', ino, links: names });
  }

  /** The root leads to every directory that has a name. */
  reachable(): void {
    const reached = new Set<number>([ROOT_INO]);
    for (const ino of this.#holders.keys()) {
      const path = new Set<number>();
      let at = ino;
      while (!reached.has(at) && !path.has(at) && at !== 0) {
        path.add(at);
        at = this.#holders.get(at) ?? 0;
      }
      if (reached.has(at)) for (const step of path) reached.add(step);
      else this.#say(ino, 'the root does not lead to it');
    }
  }
}
