/**
 * Messages of the FUSE protocol from the kernel's side, for tests: requests are put together field by field, answers are taken apart. It
 * shares nothing with src/fuse/wire but the names of opcodes, so that a mistake there can't hide itself here.
 */

/** Puts a message together, little-endian. */
export class MessageWriter {
  readonly #parts: Buffer[] = [];

  u16(value: number): this {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(value);
    return this.#add(bytes);
  }

  u32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return this.#add(bytes);
  }

  /** A 64-bit field; negative values as two's complement. */
  u64(value: number | bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    return this.#add(bytes);
  }

  /** A name and its NUL. Text stands for UTF-8. */
  name(name: string | Uint8Array): this {
    return this.#add(Buffer.from(typeof name === 'string' ? Buffer.from(name) : name)).#add(Buffer.alloc(1));
  }

  raw(bytes: Uint8Array): this {
    return this.#add(Buffer.from(bytes));
  }

  #add(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Takes a message apart, little-endian, from the beginning on. */
export class MessageReader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  u16(): number {
    return this.#bytes.readUInt16LE((this.at += 2) - 2);
  }

  u32(): number {
    return this.#bytes.readUInt32LE((this.at += 4) - 4);
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64LE((this.at += 8) - 8);
  }

  i64(): bigint {
    return this.#bytes.readBigInt64LE((this.at += 8) - 8);
  }

  take(length: number): Buffer {
    if (length > this.left) throw new Error(`${length} bytes are wanted where ${this.left} are left`);
    return Buffer.from(this.#bytes.subarray(this.at, (this.at += length)));
  }

  skip(length: number): this {
    this.take(length);
    return this;
  }
}

/** A moment in nanoseconds since 1970. */
export type Nanoseconds = bigint;

/** `struct fuse_attr`. */
export interface KernelAttr {
  ino: bigint;
  size: number;
  blocks: number;
  atime: Nanoseconds;
  mtime: Nanoseconds;
  ctime: Nanoseconds;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  blksize: number;
  flags: number;
}

/** `struct fuse_entry_out`. */
export interface KernelEntry {
  node: bigint;
  generation: bigint;
  entryTimeoutMs: number;
  attrTimeoutMs: number;
  attr: KernelAttr;
}

const NSEC = 1_000_000_000n;

function readAttr(from: MessageReader): KernelAttr {
  const ino = from.u64();
  const size = Number(from.u64());
  const blocks = Number(from.u64());
  const seconds = [from.i64(), from.i64(), from.i64()] as const;
  const [atime, mtime, ctime] = seconds.map((sec) => sec * NSEC + BigInt(from.u32()));
  return {
    ino,
    size,
    blocks,
    atime: atime!,
    mtime: mtime!,
    ctime: ctime!,
    mode: from.u32(),
    nlink: from.u32(),
    uid: from.u32(),
    gid: from.u32(),
    rdev: from.u32(),
    blksize: from.u32(),
    flags: from.u32(),
  };
}

export function readEntry(from: MessageReader): KernelEntry {
  const node = from.u64();
  const generation = from.u64();
  const seconds = [Number(from.u64()), Number(from.u64())] as const;
  const entryTimeoutMs = seconds[0] * 1000 + from.u32() / 1e6;
  const attrTimeoutMs = seconds[1] * 1000 + from.u32() / 1e6;
  return { node, generation, entryTimeoutMs, attrTimeoutMs, attr: readAttr(from) };
}

/** `struct fuse_attr_out`. */
export function readAttrOut(from: MessageReader): { attrTimeoutMs: number; attr: KernelAttr } {
  const attrTimeoutMs = Number(from.u64()) * 1000 + from.u32() / 1e6;
  from.skip(4);
  return { attrTimeoutMs, attr: readAttr(from) };
}

/** One entry of READDIR; with `entry`, of READDIRPLUS. */
export interface KernelDirent {
  ino: bigint;
  nextOffset: number;
  type: number;
  name: Buffer;
  entry: KernelEntry | undefined;
}

/** The entries of one answer to READDIR or READDIRPLUS. */
export function readDirents(bytes: Buffer, plus: boolean): KernelDirent[] {
  const from = new MessageReader(bytes);
  const dirents: KernelDirent[] = [];
  while (from.left > 0) {
    const entry = plus ? readEntry(from) : undefined;
    const ino = from.u64();
    const nextOffset = Number(from.u64());
    const length = from.u32();
    const type = from.u32();
    const name = from.take(length);
    from.skip((8 - (length % 8)) % 8);
    dirents.push({ ino, nextOffset, type, name, entry });
  }
  return dirents;
}
