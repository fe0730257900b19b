// The contract between this room and whoever implements a filesystem on it (the bridge).
//
// A handler gets a `Request` (the header), the decoded body of its operation and a `Reply`. All three are reused for the next request:
// nothing of them may be kept after the handler returned. A handler answers exactly once, before it returns, through `reply`; or it calls
// `reply.defer()` before it returns and answers exactly once, later, through what that gave. A second answer throws AssertionError.
// A handler that returns without either answers EIO (and is logged as a bug).
//
// A handler may throw: FsError becomes its errno, everything else EIO and a line in the log. The session lives on in each case.
// An absent handler answers ENOSYS, which the kernel remembers for most operations and does not send them again; `ioctl` answers ENOTTY.

import type { Attr, EntryOut, StatfsOut, StatxOut } from '../wire/attr-types.ts';
import type {
  AccessIn,
  CopyFileRangeIn,
  CreateIn,
  FallocateIn,
  FlushIn,
  FsyncIn,
  GetattrIn,
  GetxattrIn,
  IoctlIn,
  LinkIn,
  LseekIn,
  MknodIn,
  NameIn,
  OpenIn,
  ReadIn,
  ReleaseIn,
  RenameIn,
  SetattrIn,
  SetxattrIn,
  StatxIn,
  SymlinkIn,
  WriteIn,
} from '../wire/bodies.ts';

/** The header of the request at hand (`struct fuse_in_header`). Ids are pairs of unsigned 32-bit halves. */
export interface Request {
  readonly opcode: number;
  readonly uniqueHi: number;
  readonly uniqueLo: number;
  readonly nodeHi: number;
  readonly nodeLo: number;
  /** The caller's fsuid and fsgid, and the thread id; all 0 or meaningless for work that the kernel does by itself. */
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** The ways to answer. Each of them sends at once and may be called once for a request. */
export interface Answer {
  /** `errno` is a positive Linux error number (1 to 511; larger ones the kernel does not take). */
  error(errno: number): void;
  /** As a thrown error is answered: FsError by its errno, everything else by EIO and a line in the log. */
  fail(error: unknown): void;
  /** Success without a body: UNLINK, RMDIR, RENAME, FLUSH, RELEASE, FSYNC, SETXATTR, REMOVEXATTR, ACCESS, FALLOCATE, SYNCFS, ... */
  ok(): void;
  /** LOOKUP, SYMLINK, MKNOD, MKDIR, LINK. */
  entry(entry: EntryOut): void;
  /** LOOKUP of a name that does not exist: the kernel may remember that for `timeoutMs`. */
  negativeEntry(timeoutMs: number): void;
  /** GETATTR, SETATTR. */
  attr(attr: Attr, timeoutMs: number): void;
  /** STATX. */
  statx(statx: StatxOut, timeoutMs: number): void;
  /** OPEN, OPENDIR. `fh` is 0 to 2^53-1, `openFlags` are `FOPEN_*`. */
  opened(fh: number, openFlags: number): void;
  /** CREATE, TMPFILE. */
  created(entry: EntryOut, fh: number, openFlags: number): void;
  /** WRITE, COPY_FILE_RANGE, COPY_FILE_RANGE_64: bytes done. */
  written(sizeBytes: number): void;
  /** READ, READLINK, GETXATTR, LISTXATTR: the first `lengthBytes` of `payload` are the answer. */
  data(lengthBytes: number): void;
  /** The same with bytes that lie elsewhere: `bytes[start]` to `bytes[end - 1]` are copied. */
  bytes(bytes: Uint8Array, start?: number, end?: number): void;
  /** GETXATTR and LISTXATTR with `size` 0: how many bytes there are. */
  xattrSize(sizeBytes: number): void;
  /** STATFS. */
  statfs(statfs: StatfsOut): void;
  /** LSEEK. */
  lseek(offset: number): void;
  /**
   * READDIR: packs one entry; false if the size that the kernel asked for is used up (this entry is then not in).
   * `nextOffset` (1 to 2^53-1) is where a later READDIR goes on after this entry; `type` is `DT_*`, that is `mode >>> 12`.
   */
  dirent(
    inoHi: number,
    inoLo: number,
    nextOffset: number,
    type: number,
    name: Uint8Array,
    start?: number,
    end?: number,
  ): boolean;
  /**
   * READDIRPLUS: as `dirent`, with ino and type from `entry.attr`. The kernel counts a look-up of `entry`'s nodeid if this gives true,
   * except with nodeid 0/0 (required for "." and "..", allowed anywhere), which means "not looked up".
   */
  direntPlus(entry: EntryOut, nextOffset: number, name: Uint8Array, start?: number, end?: number): boolean;
  /** READDIR, READDIRPLUS: sends the packed entries; without any of them it says that the directory ends here. */
  dirents(): void;
}

/** The answer to the request at hand. */
export interface Reply extends Answer {
  /**
   * Where `data` takes its bytes from: read straight into it. At least `maxPayloadBytes` of the session long, the same buffer every time.
   */
  readonly payload: Buffer;
  /** Takes the obligation to answer out of this call. Whatever was packed by `dirent` so far is not carried along. */
  defer(): DeferredReply;
}

/** An answer that comes later. It must come: the kernel and the calling process wait for it. */
export interface DeferredReply extends Answer {
  /** `struct fuse_in_header`'s unique, for logs. */
  readonly uniqueHi: number;
  readonly uniqueLo: number;
  /** Whether it was answered. */
  readonly done: boolean;
  /** Whether the kernel asked to give up (a signal reached the caller). The answer may then be `error(EINTR)`. */
  readonly interrupted: boolean;
  /** Called when the kernel asks to give up; a handler that can't give up ignores it. */
  onInterrupt: (() => void) | undefined;
  /** A buffer of at least `sizeBytes` for `data`, its own until the answer; the same one at each call. */
  payload(sizeBytes: number): Buffer;
  /** Memory to work in until the answer, each time another piece. What all answers that are owed hold is bounded. */
  scratch(sizeBytes: number): Uint8Array;
}

/** What INIT agreed on. */
export interface SessionLimits {
  /** The protocol version in use: 7.`minor`. */
  readonly minor: number;
  /** The `FUSE_*` INIT flags in use: bits 0-31 and 32-63. */
  readonly flags: number;
  readonly flags2: number;
  /** The largest WRITE, and the largest READ. */
  readonly maxWriteBytes: number;
  readonly maxPayloadBytes: number;
}

/** One method per operation. `forget`, `forgetMany`, `init` and `destroy` have no answer. */
export interface FuseHandlers {
  /** Called once, before any other. */
  init?: (limits: SessionLimits) => void;
  /** The mount is gone; called once, at the end of every session that had an `init`, whether or not the kernel sent DESTROY. */
  destroy?: () => void;
  /** FORGET and each item of BATCH_FORGET: the kernel gives back `nlookup` look-ups of the node. */
  forget?: (nodeHi: number, nodeLo: number, nlookup: number) => void;

  /**
   * Called before each answer is sent, late ones included: what the answer acknowledges must not get lost from then on. Where it throws, the
   * answer becomes EIO.
   */
  beforeAnswer?: () => void;

  /**
   * Asked, once for a request, when its handler threw `error` and answered nothing: what to wait for before the request is handled anew, or
   * undefined to answer with the error. What it gives must not reject, nor wait for another request.
   */
  retryAfter?: (error: unknown) => Promise<void> | undefined;

  lookup?: (request: Request, body: NameIn, reply: Reply) => void;
  getattr?: (request: Request, body: GetattrIn, reply: Reply) => void;
  statx?: (request: Request, body: StatxIn, reply: Reply) => void;
  setattr?: (request: Request, body: SetattrIn, reply: Reply) => void;
  access?: (request: Request, body: AccessIn, reply: Reply) => void;

  readlink?: (request: Request, reply: Reply) => void;
  symlink?: (request: Request, body: SymlinkIn, reply: Reply) => void;
  link?: (request: Request, body: LinkIn, reply: Reply) => void;
  mknod?: (request: Request, body: MknodIn, reply: Reply) => void;
  mkdir?: (request: Request, body: MknodIn, reply: Reply) => void;
  unlink?: (request: Request, body: NameIn, reply: Reply) => void;
  rmdir?: (request: Request, body: NameIn, reply: Reply) => void;
  /** RENAME and RENAME2. */
  rename?: (request: Request, body: RenameIn, reply: Reply) => void;

  open?: (request: Request, body: OpenIn, reply: Reply) => void;
  create?: (request: Request, body: CreateIn, reply: Reply) => void;
  tmpfile?: (request: Request, body: CreateIn, reply: Reply) => void;
  read?: (request: Request, body: ReadIn, reply: Reply) => void;
  write?: (request: Request, body: WriteIn, reply: Reply) => void;
  flush?: (request: Request, body: FlushIn, reply: Reply) => void;
  release?: (request: Request, body: ReleaseIn, reply: Reply) => void;
  fsync?: (request: Request, body: FsyncIn, reply: Reply) => void;
  fallocate?: (request: Request, body: FallocateIn, reply: Reply) => void;
  lseek?: (request: Request, body: LseekIn, reply: Reply) => void;
  /** COPY_FILE_RANGE and COPY_FILE_RANGE_64. */
  copyFileRange?: (request: Request, body: CopyFileRangeIn, reply: Reply) => void;
  ioctl?: (request: Request, body: IoctlIn, reply: Reply) => void;

  opendir?: (request: Request, body: OpenIn, reply: Reply) => void;
  readdir?: (request: Request, body: ReadIn, reply: Reply) => void;
  readdirplus?: (request: Request, body: ReadIn, reply: Reply) => void;
  releasedir?: (request: Request, body: ReleaseIn, reply: Reply) => void;
  fsyncdir?: (request: Request, body: FsyncIn, reply: Reply) => void;

  setxattr?: (request: Request, body: SetxattrIn, reply: Reply) => void;
  getxattr?: (request: Request, body: GetxattrIn, reply: Reply) => void;
  listxattr?: (request: Request, body: GetxattrIn, reply: Reply) => void;
  removexattr?: (request: Request, body: NameIn, reply: Reply) => void;

  statfs?: (request: Request, reply: Reply) => void;
  syncfs?: (request: Request, reply: Reply) => void;
}
