// INIT: what the kernel offers, what is wanted, and what follows. The effect of each flag is in native-notes/fuse.md, with its source.

import type { InitOut } from '../wire/encode-init.ts';
import type { InitIn } from '../wire/decode-session.ts';
import {
  FLAGS2_HAS_EXPIRE_ONLY,
  FUSE_ASYNC_DIO,
  FUSE_ASYNC_READ,
  FUSE_ATOMIC_O_TRUNC,
  FUSE_BIG_WRITES,
  FUSE_CACHE_SYMLINKS,
  FUSE_DONT_MASK,
  FUSE_DO_READDIRPLUS,
  FUSE_EXPLICIT_INVAL_DATA,
  FUSE_HANDLE_KILLPRIV_V2,
  FUSE_INIT_EXT,
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  FUSE_MAX_PAGES,
  FUSE_MINOR_FLOOR,
  FUSE_NO_OPENDIR_SUPPORT,
  FUSE_NO_OPEN_SUPPORT,
  FUSE_PARALLEL_DIROPS,
  FUSE_POSIX_ACL,
  FUSE_READDIRPLUS_AUTO,
  FUSE_SETXATTR_EXT,
  FUSE_WRITEBACK_CACHE,
} from '../wire/constants.ts';
import type { SessionLimits } from './handlers.ts';

const PAGE_BYTES = 4096;

/** What the caller wants of the kernel. All have defaults; what an older kernel lacks is left out silently and shows in the limits. */
export interface InitOptions {
  /** The largest READ and WRITE: 4 KiB to 1 MiB, a multiple of 4 KiB. Default 1 MiB, the most that kernels take unless tuned. */
  readonly maxTransferBytes?: number;
  /** Read-ahead. The kernel takes the smaller of this and its own (128 KiB); the device transport raises its own, where it may. */
  readonly maxReadaheadBytes?: number;
  /** Reads ahead and asynchronous direct I/O at a time. Default 64; unprivileged mounts get no more than the host allows. */
  readonly maxBackground?: number;
  /** The kernel keeps written data and times for itself until it flushes. Default false (design section 6, promise 5). */
  readonly writebackCache?: boolean;
  /** Access control lists, and the umask left to the server (`FUSE_DONT_MASK`). Default true. */
  readonly posixAcl?: boolean;
  /** READDIRPLUS: `auto` where the kernel thinks that it helps (default), `always`, `never`. */
  readonly readdirplus?: 'auto' | 'always' | 'never';
  /** Targets of symlinks stay in the page cache. Default true. */
  readonly cacheSymlinks?: boolean;
  /** Lookups and readdir of one directory at the same time. Default true. */
  readonly parallelDirops?: boolean;
  /** OPEN with O_TRUNC is one request instead of an OPEN and a SETATTR. Default true. */
  readonly atomicTruncate?: boolean;
  /** The server clears setuid, setgid and capabilities where it must; the kernel asks for no `security.capability`. Default true. */
  readonly handleKillpriv?: boolean;
  /** Cached data stay until the server says that they are stale, also where it reports another size or time. Default true. */
  readonly explicitInvalidation?: boolean;
}

/** The result: what to answer, and what the session is told; or why there is no session. */
export type Negotiation =
  | { readonly kind: 'agreed'; readonly out: InitOut; readonly limits: SessionLimits }
  /** The kernel is newer by a major version: it gets our version and asks again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'refused'; readonly why: string };

const DEFAULT_TRANSFER_BYTES = 1024 * 1024;
const DEFAULT_READAHEAD_BYTES = 1024 * 1024;
const DEFAULT_BACKGROUND = 64;

/** `maxTransferBytes` as it holds for a session with `options`: the payload of one READ, READDIR or WRITE. */
export function transferBytes(options: InitOptions): number {
  const wanted = options.maxTransferBytes ?? DEFAULT_TRANSFER_BYTES;
  const pages = Math.floor(Math.min(Math.max(wanted, PAGE_BYTES), DEFAULT_TRANSFER_BYTES) / PAGE_BYTES);
  return pages * PAGE_BYTES;
}

/** The read-ahead that `options` ask for, in bytes. */
export function readaheadBytes(options: InitOptions): number {
  return options.maxReadaheadBytes ?? DEFAULT_READAHEAD_BYTES;
}

function wantedFlags(options: InitOptions): number {
  const { readdirplus = 'auto' } = options;
  const writeback = options.writebackCache === true;
  let flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_ASYNC_DIO | FUSE_MAX_PAGES | FUSE_SETXATTR_EXT | FUSE_INIT_EXT;
  // These two say only that the kernel knows the zero-message open; a server uses it by answering ENOSYS.
  flags |= FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT;
  if (options.parallelDirops !== false) flags |= FUSE_PARALLEL_DIROPS;
  if (options.atomicTruncate !== false) flags |= FUSE_ATOMIC_O_TRUNC;
  if (options.cacheSymlinks !== false) flags |= FUSE_CACHE_SYMLINKS;
  if (options.handleKillpriv !== false) flags |= FUSE_HANDLE_KILLPRIV_V2;
  if (options.explicitInvalidation !== false) flags |= FUSE_EXPLICIT_INVAL_DATA;
  if (options.posixAcl !== false) flags |= FUSE_POSIX_ACL | FUSE_DONT_MASK;
  if (readdirplus !== 'never') flags |= FUSE_DO_READDIRPLUS;
  if (readdirplus === 'auto') flags |= FUSE_READDIRPLUS_AUTO;
  if (writeback) flags |= FUSE_WRITEBACK_CACHE;
  return flags;
}

/** Answers the kernel's INIT. Pure: the same offer and options give the same result. */
export function negotiate(offer: InitIn, options: InitOptions): Negotiation {
  const version = `${offer.major}.${offer.minor}`;
  const floor = `${FUSE_KERNEL_VERSION}.${FUSE_MINOR_FLOOR}`;
  if (offer.major > FUSE_KERNEL_VERSION) return { kind: 'again' };
  if (offer.major < FUSE_KERNEL_VERSION || offer.minor < FUSE_MINOR_FLOOR) {
    return { kind: 'refused', why: `the kernel speaks FUSE ${version}; at least ${floor} is needed (Linux 5.4)` };
  }
  if ((offer.flags & FUSE_MAX_PAGES) === 0) {
    return { kind: 'refused', why: `the kernel speaks FUSE ${version} but offers no FUSE_MAX_PAGES` };
  }
  const minor = Math.min(offer.minor, FUSE_KERNEL_MINOR_VERSION);
  const flags = offer.flags & wantedFlags(options);
  const flags2 = (flags & FUSE_INIT_EXT) !== 0 ? offer.flags2 & FLAGS2_HAS_EXPIRE_ONLY : 0;
  const maxBytes = transferBytes(options);
  const maxBackground = Math.min(Math.max(options.maxBackground ?? DEFAULT_BACKGROUND, 1), 0xffff);
  return {
    kind: 'agreed',
    out: {
      minor,
      maxReadaheadBytes: readaheadBytes(options),
      flags,
      flags2,
      maxBackground,
      congestionThreshold: Math.max(Math.floor((maxBackground * 3) / 4), 1),
      maxWriteBytes: maxBytes,
      timeGran: 1,
      maxPages: maxBytes / PAGE_BYTES,
    },
    limits: { minor, flags, flags2, maxWriteBytes: maxBytes, maxPayloadBytes: maxBytes },
  };
}
