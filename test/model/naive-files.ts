// The files of one version, naively: a map of inodes, each with all that it holds. Inodes have the numbers that the real filesystem gave
// them, so whoever compares sees hard links and mistaken identities. Each operation either does all of its work or throws a Refusal
// before it did any.

import { Refusal, refuse } from './refusal.ts';

const ROOT = 1;

export type Kind = 'file' | 'dir' | 'symlink';

export interface NaiveInode {
  readonly kind: Kind;
  nlink: number;
  /** What a file holds; the target of a symlink. */
  content: Buffer;
  readonly xattrs: Map<string, Buffer>;
  /** Of a directory. */
  readonly children: Map<string, number>;
  /** The directory that a directory is in. */
  parent: number;
}

export interface NaiveEntry {
  readonly dir: number;
  readonly name: string;
  readonly ino: number;
}

export class NaiveFiles {
  readonly inodes = new Map<number, NaiveInode>();

  constructor() {
    this.inodes.set(ROOT, newInode('dir', ROOT));
  }

  /** A deep copy, without the files that have no name: they belong to whoever has them open. */
  copy(): NaiveFiles {
    const copy = new NaiveFiles();
    for (const [ino, inode] of this.inodes) {
      if (inode.nlink === 0) continue;
      const { kind, nlink, content, parent } = inode;
      const [xattrs, children] = [new Map(inode.xattrs), new Map(inode.children)];
      copy.inodes.set(ino, { kind, nlink, content: Buffer.from(content), xattrs, children, parent });
    }
    return copy;
  }

  /** The numbers of all inodes of these kinds, those without a name too. */
  inosOf(...kinds: Kind[]): number[] {
    return [...this.inodes].filter(([, { kind }]) => kinds.includes(kind)).map(([ino]) => ino);
  }

  /** All names. */
  entries(): NaiveEntry[] {
    return [...this.inodes].flatMap(([dir, { children }]) => [...children].map(([name, ino]) => ({ dir, name, ino })));
  }

  /** Throws where `name` can't be made in `dir`. */
  checkFree(dir: number, name: string): void {
    refuse(this.inode(dir).nlink === 0, 'ENOENT');
    refuse(this.inode(dir).children.has(name), 'EEXIST');
  }

  create(dir: number, name: string, ino: number, kind: Kind, content = ''): void {
    this.checkFree(dir, name);
    this.inodes.set(ino, { ...newInode(kind, dir), content: Buffer.from(content) });
    this.#attach(dir, name, ino);
  }

  link(ino: number, dir: number, name: string): void {
    refuse(this.inode(dir).nlink === 0, 'ENOENT');
    refuse(this.inode(ino).kind === 'dir', 'EPERM');
    this.checkFree(dir, name);
    this.inode(ino).nlink++;
    this.#attach(dir, name, ino);
  }

  /** Gives the number of what has no name left now, or 0. */
  unlink(dir: number, name: string): number {
    const victim = this.#child(dir, name);
    refuse(victim.kind === 'dir', 'EISDIR');
    return this.#dropName(dir, name);
  }

  /** Gives the number of the directory, which has no name left. */
  rmdir(dir: number, name: string): number {
    const victim = this.#child(dir, name);
    refuse(victim.kind !== 'dir', 'ENOTDIR');
    refuse(victim.children.size > 0, 'ENOTEMPTY');
    return this.#dropName(dir, name);
  }

  /** Gives the number of what was replaced and has no name left now, or 0. */
  rename(dir: number, name: string, toDir: number, toName: string): number {
    refuse(this.inode(toDir).nlink === 0, 'ENOENT');
    const source = this.#child(dir, name);
    const ino = this.inode(dir).children.get(name)!;
    const targetIno = this.inode(toDir).children.get(toName);
    if (ino === targetIno) return 0;
    refuse(this.#isInside(toDir, ino), 'EINVAL');
    if (targetIno !== undefined) {
      const target = this.inode(targetIno);
      refuse(source.kind === 'dir' && target.kind !== 'dir', 'ENOTDIR');
      refuse(source.kind !== 'dir' && target.kind === 'dir', 'EISDIR');
      refuse(target.children.size > 0, 'ENOTEMPTY');
    }
    const replaced = targetIno === undefined ? 0 : this.#dropName(toDir, toName);
    this.#detach(dir, name);
    this.#attach(toDir, toName, ino);
    return replaced;
  }

  exchange(dir: number, name: string, toDir: number, toName: string): void {
    refuse(this.inode(toDir).nlink === 0, 'ENOENT');
    this.#child(dir, name);
    const ino = this.inode(dir).children.get(name)!;
    const other = this.inode(toDir).children.get(toName);
    if (ino === other) return;
    refuse(this.#isInside(toDir, ino), 'EINVAL');
    if (other === undefined) throw new Refusal('ENOENT');
    refuse(this.#isInside(dir, other), 'EINVAL');
    this.#detach(dir, name);
    this.#detach(toDir, toName);
    this.#attach(dir, name, other);
    this.#attach(toDir, toName, ino);
  }

  /** Forgets an inode that has no name. */
  destroy(ino: number): void {
    this.inodes.delete(ino);
  }

  write(ino: number, at: number, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#grow(ino, at + bytes.length);
    bytes.copy(this.inode(ino).content, at);
  }

  truncate(ino: number, sizeBytes: number): void {
    this.#grow(ino, sizeBytes);
    const inode = this.inode(ino);
    inode.content = Buffer.from(inode.content.subarray(0, sizeBytes));
  }

  /** Zeros from `from` to `to`; behind the end of the file only with `extend`. */
  zero(ino: number, from: number, to: number, extend: boolean): void {
    if (extend) this.#grow(ino, to);
    const { content } = this.inode(ino);
    content.fill(0, Math.min(from, content.length), Math.min(to, content.length));
  }

  setXattr(ino: number, name: string, value: Buffer): void {
    this.inode(ino).xattrs.set(name, value);
  }

  removeXattr(ino: number, name: string): void {
    refuse(!this.inode(ino).xattrs.delete(name), 'ENODATA');
  }

  inode(ino: number): NaiveInode {
    return this.inodes.get(ino)!;
  }

  #grow(ino: number, sizeBytes: number): void {
    const inode = this.inode(ino);
    if (sizeBytes <= inode.content.length) return;
    inode.content = Buffer.concat([inode.content, Buffer.alloc(sizeBytes - inode.content.length)]);
  }

  #child(dir: number, name: string): NaiveInode {
    const ino = this.inode(dir).children.get(name);
    if (ino === undefined) throw new Refusal('ENOENT');
    return this.inode(ino);
  }

  #attach(dir: number, name: string, ino: number): void {
    this.inode(dir).children.set(name, ino);
    const inode = this.inode(ino);
    if (inode.kind !== 'dir') return;
    inode.parent = dir;
    this.inode(dir).nlink++;
  }

  #detach(dir: number, name: string): void {
    const { children } = this.inode(dir);
    if (this.inode(children.get(name)!).kind === 'dir') this.inode(dir).nlink--;
    children.delete(name);
  }

  #dropName(dir: number, name: string): number {
    const ino = this.inode(dir).children.get(name)!;
    this.#detach(dir, name);
    const inode = this.inode(ino);
    inode.nlink = inode.kind === 'dir' ? 0 : inode.nlink - 1;
    return inode.nlink === 0 ? ino : 0;
  }

  /** Whether `ino` is the directory `dir` or one that it lies in. */
  #isInside(dir: number, ino: number): boolean {
    for (let at = dir; at !== ROOT; at = this.inode(at).parent) if (at === ino) return true;
    return false;
  }
}

function newInode(kind: Kind, parent: number): NaiveInode {
  const nlink = kind === 'dir' ? 2 : 1;
  return { kind, nlink, content: Buffer.alloc(0), xattrs: new Map(), children: new Map(), parent };
}
