// The decoded body of each request, one reused object per operation. A field keeps the kernel's word in camelCase.
//
// INVARIANT: whatever points into the request buffer (`name`, `value`, `bytes` ...) is valid during the handler's call alone; a handler
// that defers its reply copies what it still needs (checked by test/unit/fuse/session.test.ts).
//
// Sizes and offsets are exact numbers from 0 to 2^53-1: the decoder refuses larger ones with an errno that fits the operation.
// `fh` is whatever the handler answered to OPEN, OPENDIR or CREATE (0 if the session runs without OPEN), 0 to 2^53-1.
// A 64-bit id stays a pair of unsigned 32-bit halves.

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** LOOKUP, UNLINK, RMDIR, REMOVEXATTR: a name and nothing else. */
export class NameIn {
  name = NO_BYTES;
}

/** GETATTR. `fh` holds only with `FUSE_GETATTR_FH` in `getattrFlags`. */
export class GetattrIn {
  getattrFlags = 0;
  fh = 0;
}

/** STATX. `fh` holds only with `FUSE_GETATTR_FH` in `getattrFlags`; `mask` is the `STATX_*` that was asked for. */
export class StatxIn {
  getattrFlags = 0;
  fh = 0;
  flags = 0;
  mask = 0;
}

/** SETATTR. `valid` (`FATTR_*`) says which fields hold; times with `FATTR_*_NOW` are to be replaced by the server's clock. */
export class SetattrIn {
  valid = 0;
  fh = 0;
  size = 0;
  lockOwnerHi = 0;
  lockOwnerLo = 0;
  atimeSec = 0;
  atimeNsec = 0;
  mtimeSec = 0;
  mtimeNsec = 0;
  ctimeSec = 0;
  ctimeNsec = 0;
  /** Permission bits and file type. */
  mode = 0;
  uid = 0;
  gid = 0;
}

/** SYMLINK: `name` in the directory of the request shall point to `target`. */
export class SymlinkIn {
  name = NO_BYTES;
  target = NO_BYTES;
}

/** MKNOD and MKDIR (`rdev` 0). The kernel applies `umask` itself unless `FUSE_DONT_MASK` was agreed. */
export class MknodIn {
  name = NO_BYTES;
  mode = 0;
  rdev = 0;
  umask = 0;
}

/** RENAME (`flags` 0) and RENAME2 (`RENAME_NOREPLACE`, `RENAME_EXCHANGE`, `RENAME_WHITEOUT`). */
export class RenameIn {
  oldName = NO_BYTES;
  newDirHi = 0;
  newDirLo = 0;
  newName = NO_BYTES;
  flags = 0;
}

/** LINK: the request's node is the directory that gets `newName`, the old node is the file. */
export class LinkIn {
  oldNodeHi = 0;
  oldNodeLo = 0;
  newName = NO_BYTES;
}

/** OPEN, OPENDIR: `flags` as in open(2) without O_CREAT, O_EXCL, O_NOCTTY; `openFlags` are `FUSE_OPEN_*`. */
export class OpenIn {
  flags = 0;
  openFlags = 0;
}

/** CREATE and TMPFILE (whose name is a placeholder and means nothing). */
export class CreateIn {
  name = NO_BYTES;
  flags = 0;
  mode = 0;
  umask = 0;
  openFlags = 0;
}

/** READ, READDIR, READDIRPLUS. For the latter two `offset` is the `nextOffset` of the last entry taken, 0 at first. */
export class ReadIn {
  fh = 0;
  offset = 0;
  /** Bytes wanted; never more than the reply's payload holds. */
  size = 0;
  readFlags = 0;
  lockOwnerHi = 0;
  lockOwnerLo = 0;
  /** The file's current open flags (`O_DIRECT` and so on). */
  flags = 0;
}

/** WRITE. The data are `bytes[start]` to `bytes[start + size - 1]`. */
export class WriteIn {
  fh = 0;
  offset = 0;
  size = 0;
  /** `FUSE_WRITE_*`; with `FUSE_WRITE_CACHE` uid, gid and pid of the request mean nothing. */
  writeFlags = 0;
  lockOwnerHi = 0;
  lockOwnerLo = 0;
  /** The file's current open flags. */
  flags = 0;
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
}

/** RELEASE and RELEASEDIR: the last reference to `fh` is gone. Their errors reach nobody. */
export class ReleaseIn {
  fh = 0;
  flags = 0;
  releaseFlags = 0;
  lockOwnerHi = 0;
  lockOwnerLo = 0;
}

/** FLUSH: one of the descriptors of `fh` was closed; may come several times for one OPEN. */
export class FlushIn {
  fh = 0;
  lockOwnerHi = 0;
  lockOwnerLo = 0;
}

/** FSYNC and FSYNCDIR. `fsyncFlags` has `FUSE_FSYNC_FDATASYNC` for fdatasync(2). */
export class FsyncIn {
  fh = 0;
  fsyncFlags = 0;
}

/** SETXATTR. `flags` are `XATTR_CREATE` and `XATTR_REPLACE`, `setxattrFlags` are `FUSE_SETXATTR_*` (0 without `FUSE_SETXATTR_EXT`). */
export class SetxattrIn {
  name = NO_BYTES;
  value = NO_BYTES;
  flags = 0;
  setxattrFlags = 0;
}

/** GETXATTR and LISTXATTR (empty `name`). `size` 0 asks for the size alone; a value that is larger than `size` answers ERANGE. */
export class GetxattrIn {
  name = NO_BYTES;
  size = 0;
}

/** ACCESS, sent only without `default_permissions`. */
export class AccessIn {
  mask = 0;
}

/** FALLOCATE. `mode` is `FALLOC_FL_*`. */
export class FallocateIn {
  fh = 0;
  offset = 0;
  length = 0;
  mode = 0;
}

/** LSEEK: `whence` is `SEEK_DATA` (3) or `SEEK_HOLE` (4), all others the kernel does alone. */
export class LseekIn {
  fh = 0;
  offset = 0;
  whence = 0;
}

/** COPY_FILE_RANGE and COPY_FILE_RANGE_64: from the request's node to another node of the same mount. */
export class CopyFileRangeIn {
  fhIn = 0;
  offsetIn = 0;
  nodeOutHi = 0;
  nodeOutLo = 0;
  fhOut = 0;
  offsetOut = 0;
  /** Bytes wanted; a reply may say less. Beyond 2^53-1 this is 2^53-1. */
  length = 0;
  flags = 0;
}

/** IOCTL. The input is `bytes[start]` to `bytes[start + inSize - 1]`. */
export class IoctlIn {
  fh = 0;
  flags = 0;
  cmd = 0;
  argHi = 0;
  argLo = 0;
  inSize = 0;
  outSize = 0;
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
}
