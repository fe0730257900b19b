/**
 * A mount over the fake kernel: the calls that the kernel makes for files and directories, and its count of look-ups. All of them answer at
 * once unless their name says `Later`; a deferred answer to one that should not be is an error.
 *
 *   const mount = await FakeMount.open(handlers);
 *   const { entry, fh } = mount.create(1n, 'file', 0o644);
 *   mount.write(entry.node, fh, 0, Buffer.from('text'));
 */
import { ProtocolSession, type FuseHandlers, type InitOptions, type SessionLimits } from '../../src/fuse/index.ts';
import { noLog, type Log } from '../../src/util/index.ts';
import { FakeKernel, KernelError, type KernelReply } from './fake-kernel.ts';
import {
  MessageReader,
  MessageWriter,
  readAttrOut,
  readDirents,
  readEntry,
  type KernelAttr,
  type KernelDirent,
  type KernelEntry,
  type Nanoseconds,
} from './fuse-message.ts';

/** What a kernel offers in INIT. The default is Linux 6.18. */
export interface KernelOffer {
  major: number;
  minor: number;
  maxReadahead: number;
  flags: number;
  flags2: number;
}

export const LINUX_6_18: KernelOffer = {
  major: 7,
  minor: 45,
  maxReadahead: 131_072,
  flags: 0x73ff_fffb,
  flags2: 0x7fd,
};

/** Changes for {@link FakeMount.setattr}; times in nanoseconds, `'now'` for the server's clock. */
export interface AttrChange {
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atime?: Nanoseconds | 'now';
  mtime?: Nanoseconds | 'now';
  ctime?: Nanoseconds;
  fh?: number;
  killSuidgid?: boolean;
}

export interface KernelStatfs {
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  bsize: number;
  namelen: number;
  frsize: number;
}

type Name = string | Uint8Array;

const FATTR = { mode: 1, uid: 2, gid: 4, size: 8, atime: 16, mtime: 32, fh: 64, atimeNow: 128, mtimeNow: 256 } as const;
const FATTR_CTIME = 1024;
const FATTR_KILL_SUIDGID = 2048;
const NSEC = 1_000_000_000n;

function body(): MessageWriter {
  return new MessageWriter();
}

export class FakeMount {
  readonly kernel: FakeKernel;
  readonly session: ProtocolSession;
  readonly limits: SessionLimits;
  /** How often each node was looked up and not yet forgotten: what a server must not lose count of. */
  readonly nlookup = new Map<bigint, number>();
  umask = 0o022;

  constructor(kernel: FakeKernel, session: ProtocolSession, limits: SessionLimits) {
    this.kernel = kernel;
    this.session = session;
    this.limits = limits;
  }

  /** Mounts `handlers`: INIT is agreed when it resolves. Rejects if the server refuses. */
  static async open(
    handlers: FuseHandlers,
    options: { offer?: Partial<KernelOffer>; init?: InitOptions; log?: Log } = {},
  ): Promise<FakeMount> {
    const kernel = new FakeKernel();
    const session = new ProtocolSession(kernel, handlers, options.init ?? {}, options.log ?? noLog);
    const offer = { ...LINUX_6_18, ...options.offer };
    const message = body().u32(offer.major).u32(offer.minor).u32(offer.maxReadahead).u32(offer.flags);
    if (offer.minor >= 36) message.u32(offer.flags2).raw(Buffer.alloc(44));
    const reply = await kernel.request('FUSE_INIT', 0n, message.bytes(), 64);
    if (reply.error !== 0) {
      kernel.unmount();
      throw new KernelError('FUSE_INIT', reply.error);
    }
    return new FakeMount(kernel, session, await session.ready);
  }

  lookup(parent: bigint, name: Name): KernelEntry {
    return this.#entry(this.kernel.requestNow('FUSE_LOOKUP', parent, body().name(name).bytes()));
  }

  forget(node: bigint, nlookup = this.nlookup.get(node) ?? 0): void {
    this.kernel.tell('FUSE_FORGET', node, body().u64(nlookup).bytes());
    this.#uncount(node, nlookup);
  }

  /** Forgets many nodes with one message, each as often as it was looked up. */
  batchForget(nodes: readonly bigint[]): void {
    const message = body().u32(nodes.length).u32(0);
    for (const node of nodes) message.u64(node).u64(this.nlookup.get(node) ?? 0);
    this.kernel.tell('FUSE_BATCH_FORGET', 0n, message.bytes());
    for (const node of nodes) this.nlookup.delete(node);
  }

  getattr(node: bigint, fh?: number): KernelAttr {
    const message = body()
      .u32(fh === undefined ? 0 : 1)
      .u32(0)
      .u64(fh ?? 0);
    return readAttrOut(new MessageReader(this.kernel.requestNow('FUSE_GETATTR', node, message.bytes()))).attr;
  }

  setattr(node: bigint, change: AttrChange): KernelAttr {
    let valid = change.ctime === undefined ? 0 : FATTR_CTIME;
    for (const field of ['mode', 'uid', 'gid', 'size', 'fh'] as const) {
      if (change[field] !== undefined) valid |= FATTR[field];
    }
    for (const field of ['atime', 'mtime'] as const) {
      if (change[field] !== undefined) valid |= FATTR[field];
      if (change[field] === 'now') valid |= FATTR[`${field}Now`];
    }
    if (change.killSuidgid === true) valid |= FATTR_KILL_SUIDGID;
    const times = [change.atime, change.mtime, change.ctime].map((time) => (typeof time === 'bigint' ? time : 0n));
    const nsecs = times.map((time) => ((time % NSEC) + NSEC) % NSEC);
    const message = body()
      .u32(valid)
      .u32(0)
      .u64(change.fh ?? 0)
      .u64(change.size ?? 0)
      .u64(0);
    times.forEach((time, i) => message.u64((time - nsecs[i]!) / NSEC));
    for (const nsec of nsecs) message.u32(Number(nsec));
    message.u32(change.mode ?? 0).u32(0);
    message
      .u32(change.uid ?? 0)
      .u32(change.gid ?? 0)
      .u32(0);
    return readAttrOut(new MessageReader(this.kernel.requestNow('FUSE_SETATTR', node, message.bytes()))).attr;
  }

  access(node: bigint, mask: number): void {
    this.kernel.requestNow('FUSE_ACCESS', node, body().u32(mask).u32(0).bytes());
  }

  readlink(node: bigint): Buffer {
    return this.kernel.requestNow('FUSE_READLINK', node, Buffer.alloc(0), 4095);
  }

  symlink(parent: bigint, name: Name, target: Name): KernelEntry {
    return this.#entry(this.kernel.requestNow('FUSE_SYMLINK', parent, body().name(name).name(target).bytes()));
  }

  mknod(parent: bigint, name: Name, mode: number, rdev = 0): KernelEntry {
    const message = body().u32(mode).u32(rdev).u32(this.umask).u32(0).name(name);
    return this.#entry(this.kernel.requestNow('FUSE_MKNOD', parent, message.bytes()));
  }

  mkdir(parent: bigint, name: Name, mode = 0o777): KernelEntry {
    const message = body().u32(mode).u32(this.umask).name(name);
    return this.#entry(this.kernel.requestNow('FUSE_MKDIR', parent, message.bytes()));
  }

  unlink(parent: bigint, name: Name): void {
    this.kernel.requestNow('FUSE_UNLINK', parent, body().name(name).bytes());
  }

  rmdir(parent: bigint, name: Name): void {
    this.kernel.requestNow('FUSE_RMDIR', parent, body().name(name).bytes());
  }

  rename(parent: bigint, name: Name, newParent: bigint, newName: Name, flags = 0): void {
    const message = body().u64(newParent);
    if (flags !== 0) message.u32(flags).u32(0);
    message.name(name).name(newName);
    this.kernel.requestNow(flags === 0 ? 'FUSE_RENAME' : 'FUSE_RENAME2', parent, message.bytes());
  }

  link(node: bigint, newParent: bigint, newName: Name): KernelEntry {
    return this.#entry(this.kernel.requestNow('FUSE_LINK', newParent, body().u64(node).name(newName).bytes()));
  }

  open(node: bigint, flags = 0): { fh: number; openFlags: number } {
    return readOpened(this.kernel.requestNow('FUSE_OPEN', node, body().u32(flags).u32(0).bytes()));
  }

  create(parent: bigint, name: Name, mode = 0o644, flags = 0o102): { entry: KernelEntry; fh: number } {
    return this.#created('FUSE_CREATE', parent, name, 0o100000 | mode, flags);
  }

  tmpfile(parent: bigint, mode = 0o600, flags = 2): { entry: KernelEntry; fh: number } {
    return this.#created('FUSE_TMPFILE', parent, '/', 0o100000 | mode, flags);
  }

  read(node: bigint, fh: number, offset: number, size: number): Buffer {
    return this.kernel.requestNow('FUSE_READ', node, readBody(fh, offset, size), size);
  }

  /** As `read`, for servers that may answer later. */
  async readLater(node: bigint, fh: number, offset: number, size: number): Promise<Buffer> {
    return orThrow('FUSE_READ', await this.kernel.request('FUSE_READ', node, readBody(fh, offset, size), size));
  }

  write(node: bigint, fh: number, offset: number, data: Uint8Array, writeFlags = 0): number {
    const message = writeBody(fh, offset, data, writeFlags);
    return this.kernel.requestNow('FUSE_WRITE', node, message).readUInt32LE(0);
  }

  async writeLater(node: bigint, fh: number, offset: number, data: Uint8Array, writeFlags = 0): Promise<number> {
    const message = writeBody(fh, offset, data, writeFlags);
    return orThrow('FUSE_WRITE', await this.kernel.request('FUSE_WRITE', node, message)).readUInt32LE(0);
  }

  async flush(node: bigint, fh: number): Promise<void> {
    const message = body().u64(fh).u64(0).u64(0).bytes();
    orThrow('FUSE_FLUSH', await this.kernel.request('FUSE_FLUSH', node, message));
  }

  async release(node: bigint, fh: number, flags = 0): Promise<void> {
    const message = body().u64(fh).u32(flags).u32(0).u64(0).bytes();
    orThrow('FUSE_RELEASE', await this.kernel.request('FUSE_RELEASE', node, message));
  }

  async fsync(node: bigint, fh: number, dataOnly = false): Promise<void> {
    const message = body()
      .u64(fh)
      .u32(dataOnly ? 1 : 0)
      .u32(0)
      .bytes();
    orThrow('FUSE_FSYNC', await this.kernel.request('FUSE_FSYNC', node, message));
  }

  async fsyncdir(node: bigint, fh: number): Promise<void> {
    const message = body().u64(fh).u32(0).u32(0).bytes();
    orThrow('FUSE_FSYNCDIR', await this.kernel.request('FUSE_FSYNCDIR', node, message));
  }

  async syncfs(): Promise<void> {
    orThrow('FUSE_SYNCFS', await this.kernel.request('FUSE_SYNCFS', 1n, body().u64(0).bytes()));
  }

  async fallocate(node: bigint, fh: number, mode: number, offset: number, length: number): Promise<void> {
    const message = body().u64(fh).u64(offset).u64(length).u32(mode).u32(0).bytes();
    orThrow('FUSE_FALLOCATE', await this.kernel.request('FUSE_FALLOCATE', node, message));
  }

  lseek(node: bigint, fh: number, offset: number, whence: number): number {
    const message = body().u64(fh).u64(offset).u32(whence).u32(0).bytes();
    return Number(this.kernel.requestNow('FUSE_LSEEK', node, message).readBigUInt64LE(0));
  }

  async copyFileRange(
    from: { node: bigint; fh: number; offset: number },
    to: { node: bigint; fh: number; offset: number },
    length: number | bigint,
  ): Promise<number> {
    const message = body().u64(from.fh).u64(from.offset).u64(to.node).u64(to.fh).u64(to.offset).u64(length).u64(0);
    const reply = await this.kernel.request('FUSE_COPY_FILE_RANGE_64', from.node, message.bytes());
    return Number(orThrow('FUSE_COPY_FILE_RANGE_64', reply).readBigUInt64LE(0));
  }

  opendir(node: bigint, flags = 0o200000): { fh: number; openFlags: number } {
    return readOpened(this.kernel.requestNow('FUSE_OPENDIR', node, body().u32(flags).u32(0).bytes()));
  }

  async releasedir(node: bigint, fh: number): Promise<void> {
    const message = body().u64(fh).u32(0).u32(0).u64(0).bytes();
    orThrow('FUSE_RELEASEDIR', await this.kernel.request('FUSE_RELEASEDIR', node, message));
  }

  /** One READDIR from `offset` on. */
  readdirOnce(node: bigint, fh: number, offset = 0, size = 4096): KernelDirent[] {
    return readDirents(this.kernel.requestNow('FUSE_READDIR', node, readBody(fh, offset, size), size), false);
  }

  /** One READDIRPLUS from `offset` on; counts the look-ups as the kernel does. */
  readdirplusOnce(node: bigint, fh: number, offset = 0, size = 4096): KernelDirent[] {
    const reply = this.kernel.requestNow('FUSE_READDIRPLUS', node, readBody(fh, offset, size), size);
    const dirents = readDirents(reply, true);
    for (const { name, entry } of dirents) {
      // fuse_direntplus_link: nothing is taken for "." and "..".
      if (name.equals(Buffer.from('.')) || name.equals(Buffer.from('..'))) continue;
      if (entry!.node !== 0n) this.#count(entry!.node);
    }
    return dirents;
  }

  /** The whole directory, opened and read to its end in answers of `size` bytes. */
  async readdir(node: bigint, size = 4096, plus = false): Promise<KernelDirent[]> {
    const { fh } = this.opendir(node);
    const all: KernelDirent[] = [];
    for (;;) {
      const offset = all.at(-1)?.nextOffset ?? 0;
      const some = plus ? this.readdirplusOnce(node, fh, offset, size) : this.readdirOnce(node, fh, offset, size);
      if (some.length === 0) break;
      all.push(...some);
    }
    await this.releasedir(node, fh);
    return all;
  }

  setxattr(node: bigint, name: Name, value: Uint8Array, flags = 0): void {
    const message = body().u32(value.length).u32(flags).u32(0).u32(0).name(name).raw(value);
    this.kernel.requestNow('FUSE_SETXATTR', node, message.bytes());
  }

  /** The value, asked for with `size` bytes of room; with `size` 0 the answer is how many there are. */
  getxattr(node: bigint, name: Name, size = 65_536): Buffer {
    return this.kernel.requestNow('FUSE_GETXATTR', node, body().u32(size).u32(0).name(name).bytes(), size);
  }

  listxattr(node: bigint, size = 65_536): string[] {
    const list = this.kernel.requestNow('FUSE_LISTXATTR', node, body().u32(size).u32(0).bytes(), size);
    return list.toString().split('\0').slice(0, -1);
  }

  removexattr(node: bigint, name: Name): void {
    this.kernel.requestNow('FUSE_REMOVEXATTR', node, body().name(name).bytes());
  }

  statfs(node = 1n): KernelStatfs {
    const from = new MessageReader(this.kernel.requestNow('FUSE_STATFS', node, Buffer.alloc(0)));
    const count = (): number => Number(from.u64());
    return {
      blocks: count(),
      bfree: count(),
      bavail: count(),
      files: count(),
      ffree: count(),
      bsize: from.u32(),
      namelen: from.u32(),
      frsize: from.u32(),
    };
  }

  unmount(): void {
    this.kernel.unmount();
  }

  #created(
    opcode: 'FUSE_CREATE' | 'FUSE_TMPFILE',
    parent: bigint,
    name: Name,
    mode: number,
    flags: number,
  ): { entry: KernelEntry; fh: number; openFlags: number } {
    const message = body().u32(flags).u32(mode).u32(this.umask).u32(0).name(name);
    const reply = this.kernel.requestNow(opcode, parent, message.bytes());
    return { entry: this.#entry(reply.subarray(0, 128)), ...readOpened(reply.subarray(128)) };
  }

  /** Takes an entry in, as the kernel does: an entry of a node is one more look-up of it; nodeid 0 is "no such file". */
  #entry(reply: Buffer): KernelEntry {
    const entry = readEntry(new MessageReader(reply));
    if (entry.node === 0n) throw new KernelError('FUSE_LOOKUP', 2);
    this.#count(entry.node);
    return entry;
  }

  #count(node: bigint): void {
    this.nlookup.set(node, (this.nlookup.get(node) ?? 0) + 1);
  }

  #uncount(node: bigint, nlookup: number): void {
    const left = (this.nlookup.get(node) ?? 0) - nlookup;
    if (left > 0) this.nlookup.set(node, left);
    else this.nlookup.delete(node);
  }
}

function readOpened(reply: Buffer): { fh: number; openFlags: number } {
  return { fh: Number(reply.readBigUInt64LE(0)), openFlags: reply.readUInt32LE(8) };
}

function readBody(fh: number, offset: number, size: number): Buffer {
  return body().u64(fh).u64(offset).u32(size).u32(0).u64(0).u32(0).u32(0).bytes();
}

function writeBody(fh: number, offset: number, data: Uint8Array, writeFlags: number): Buffer {
  return body().u64(fh).u64(offset).u32(data.length).u32(writeFlags).u64(0).u32(0).u32(0).raw(data).bytes();
}

function orThrow(opcode: string, reply: KernelReply): Buffer {
  if (reply.error !== 0) throw new KernelError(opcode, reply.error);
  return reply.body;
}
