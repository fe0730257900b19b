// From inode numbers to paths, in one state of a filesystem.
//
// A directory says which directory holds it; any other inode has a hint that may be out of date. The name is then found among the entries of
// that directory. All that is wanted of a directory is looked for in one pass over it, so many changes in one directory cost no more than
// listing it. Where the hint leads nowhere (a hard link whose first name is gone), all names of the filesystem are gone through, once.

import { CorruptionError } from '../errors/index.ts';
import { ENTRY, type Inode, Key, createInode, keyIno, keyType } from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import { DirectoryScan, direntChild, direntName } from './dirents.ts';
import type { Name } from './diff-inodes.ts';
import { type Filesystem, ROOT_INO } from './filesystem.ts';
import { loadInode } from './inodes.ts';

/** Deeper than that is a circle. */
const DEPTH_MAX = 1_000_000;

export class NameFinder {
  readonly #fs: Filesystem;
  readonly #inode: Inode = createInode();
  /** Wanted inodes that are no directories: how many names they have, and how many of these must be found. */
  readonly #wanted = new Map<number, { nlink: number; needed: number }>();
  readonly #names = new Map<number, Name[]>();
  readonly #directories = new Set<number>();
  readonly #directoryNames = new Map<number, Name>();
  readonly #paths = new Map<number, string>([[ROOT_INO, '']]);

  constructor(fs: Filesystem) {
    this.#fs = fs;
  }

  /** Will be asked for the path of directory `dir`. */
  wantDirectory(dir: number): void {
    this.#directories.add(dir);
  }

  /** Will be asked for names of `ino`, of which it has `nlink`: for all of them with `all`, else for one at least. */
  wantNames(ino: number, nlink: number, all: boolean): void {
    this.#wanted.set(ino, { nlink, needed: all ? nlink : 1 });
  }

  /** Finds what is wanted. Wants may be added afterwards, for another call. */
  *find(): Generator<undefined, undefined, undefined> {
    yield* this.#findFiles();
    let pending = new Set(this.#directories);
    for (const names of this.#names.values()) for (const { dir } of names) pending.add(dir);
    for (let depth = 0; pending.size > 0; depth++) {
      if (depth > DEPTH_MAX) throw new CorruptionError('a directory', 'its parents do not lead to the root');
      pending = yield* this.#findDirectories(pending);
    }
  }

  /** The names of `ino` that were found; all of them only where all were wanted. */
  namesOf(ino: number): readonly Name[] {
    return this.#names.get(ino) ?? [];
  }

  /** From the root, which is "/". */
  pathOf({ dir, name }: Name): string {
    return `${this.#prefixOf(dir)}/${name}`;
  }

  pathOfDirectory(dir: number): string {
    const path = this.#prefixOf(dir);
    return path === '' ? '/' : path;
  }

  #prefixOf(dir: number): string {
    const below: Name[] = [];
    let at = dir;
    let path = this.#paths.get(at);
    while (path === undefined) {
      const name = this.#directoryNames.get(at);
      if (name === undefined || below.length > DEPTH_MAX)
        throw new CorruptionError(`directory ${at}`, 'it has no name where its parent should have it');
      below.push(name);
      at = name.dir;
      path = this.#paths.get(at);
    }
    for (const { name } of below.reverse()) path = `${path}/${name}`;
    this.#paths.set(dir, path);
    return path;
  }

  *#findFiles(): Generator<undefined, undefined, undefined> {
    const places = new Map<number, Set<number>>();
    for (const ino of this.#wanted.keys()) {
      if (this.#names.has(ino)) continue;
      loadInode(this.#fs, ino, this.#inode);
      if (this.#inode.parent !== 0) addTo(places, this.#inode.parent, ino);
    }
    for (const [dir, inos] of places) yield* this.#scan(dir, inos, this.#names);
    const missing = new Set<number>();
    for (const [ino, { needed }] of this.#wanted) if (this.namesOf(ino).length < needed) missing.add(ino);
    if (missing.size > 0) yield* this.#scanAll(missing);
    this.#wanted.clear();
  }

  /** Finds the names of directories; gives those that hold them and have no known names either. */
  *#findDirectories(dirs: ReadonlySet<number>): Generator<undefined, Set<number>, undefined> {
    const places = new Map<number, Set<number>>();
    for (const dir of dirs) {
      if (dir === ROOT_INO || this.#directoryNames.has(dir)) continue;
      loadInode(this.#fs, dir, this.#inode);
      addTo(places, this.#inode.parent, dir);
      yield;
    }
    const found = new Map<number, Name[]>();
    for (const [parent, inos] of places) yield* this.#scan(parent, inos, found);
    for (const [dir, [name]] of found) if (name !== undefined) this.#directoryNames.set(dir, name);
    return new Set(places.keys());
  }

  /** Notes under which names `dir` has some of `inos`. */
  *#scan(dir: number, inos: Set<number>, found: Map<number, Name[]>): Generator<undefined, undefined, undefined> {
    const fs = this.#fs;
    const scan = new DirectoryScan();
    const left = new Map([...inos].map((ino) => [ino, this.#wanted.get(ino)?.nlink ?? 1]));
    for (let more = scan.start(fs, dir, 0); more && left.size > 0; more = scan.next(fs)) {
      yield;
      const { child } = scan;
      if (!inos.has(child)) continue;
      const name = Buffer.from(scan.bytes.subarray(scan.nameStart, scan.nameEnd)).toString('latin1');
      push(found, child, { dir, name });
      const missing = (left.get(child) ?? 1) - 1;
      if (missing <= 0) left.delete(child);
      else left.set(child, missing);
    }
  }

  /** Notes all names of `inos`. */
  *#scanAll(inos: ReadonlySet<number>): Generator<undefined, undefined, undefined> {
    const { tree } = this.#fs;
    const at = new Cursor();
    for (const ino of inos) this.#names.delete(ino);
    for (let more = tree.seek(new Key().inode(0), at); more; more = tree.next(at)) {
      yield;
      const { page, keyAt } = at;
      if (keyType(page, keyAt) !== ENTRY.dirent) continue;
      const child = direntChild(page, at.valueAt);
      if (!inos.has(child)) continue;
      push(this.#names, child, { dir: keyIno(page, keyAt), name: direntName(page, at.valueAt, at.valueLength) });
    }
  }
}

function addTo(places: Map<number, Set<number>>, place: number, ino: number): void {
  const inos = places.get(place);
  if (inos === undefined) places.set(place, new Set([ino]));
  else inos.add(ino);
}

function push(found: Map<number, Name[]>, ino: number, name: Name): void {
  const names = found.get(ino);
  if (names === undefined) found.set(ino, [name]);
  else names.push(name);
}
