// The structs of linux/fuse.h, protocol 7.31 to 7.45: byte offsets of their fields from the start of the struct, and SIZE. All numbers
// are in the byte order of the host, all structs start at a multiple of four, so fields are read as 32-bit words; a 64-bit field is its
// low word and then its high word. Frozen: these numbers are the kernel's.

export const FUSE_IN_HEADER = {
  len: 0,
  opcode: 4,
  unique: 8,
  nodeid: 16,
  uid: 24,
  gid: 28,
  pid: 32,
  /** u16, in units of 8 bytes; since 7.38, zero before. */
  total_extlen: 36,
  SIZE: 40,
} as const;

export const FUSE_OUT_HEADER = { len: 0, error: 4, unique: 8, SIZE: 16 } as const;

export const FUSE_ATTR = {
  ino: 0,
  size: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimensec: 48,
  mtimensec: 52,
  ctimensec: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blksize: 80,
  flags: 84,
  SIZE: 88,
} as const;

export const FUSE_ENTRY_OUT = {
  nodeid: 0,
  generation: 8,
  entry_valid: 16,
  attr_valid: 24,
  entry_valid_nsec: 32,
  attr_valid_nsec: 36,
  attr: 40,
  SIZE: 128,
} as const;

export const FUSE_ATTR_OUT = { attr_valid: 0, attr_valid_nsec: 8, attr: 16, SIZE: 104 } as const;
export const FUSE_OPEN_OUT = { fh: 0, open_flags: 8, SIZE: 16 } as const;
export const FUSE_WRITE_OUT = { size: 0, SIZE: 8 } as const;
export const FUSE_COPY_FILE_RANGE_OUT = { bytes_copied: 0, SIZE: 8 } as const;
export const FUSE_GETXATTR_OUT = { size: 0, SIZE: 8 } as const;
export const FUSE_LSEEK_OUT = { offset: 0, SIZE: 8 } as const;
export const FUSE_DIRENT = { ino: 0, off: 8, namelen: 16, type: 20, SIZE: 24 } as const;
export const FUSE_DIRENTPLUS = { entry_out: 0, dirent: 128, SIZE: 152 } as const;

export const FUSE_STATFS_OUT = {
  blocks: 0,
  bfree: 8,
  bavail: 16,
  files: 24,
  ffree: 32,
  bsize: 40,
  namelen: 44,
  frsize: 48,
  SIZE: 80,
} as const;

/** `struct fuse_statx_out` with the `struct fuse_statx` in it, which starts at `stat`. */
export const FUSE_STATX_OUT = {
  attr_valid: 0,
  attr_valid_nsec: 8,
  stat: 32,
  mask: 32,
  blksize: 36,
  attributes: 40,
  nlink: 48,
  uid: 52,
  gid: 56,
  /** u16 */
  mode: 60,
  ino: 64,
  size: 72,
  blocks: 80,
  attributes_mask: 88,
  atime: 96,
  btime: 112,
  ctime: 128,
  mtime: 144,
  rdev_major: 160,
  rdev_minor: 164,
  dev_major: 168,
  dev_minor: 172,
  SIZE: 288,
} as const;

export const FUSE_INIT_IN = { major: 0, minor: 4, max_readahead: 8, flags: 12, flags2: 16, SIZE: 64 } as const;
/** What kernels before 7.36 send. */
export const FUSE_INIT_IN_SIZE_BEFORE_EXT = 16;
export const FUSE_INIT_OUT = {
  major: 0,
  minor: 4,
  max_readahead: 8,
  flags: 12,
  /** u16, then u16 congestion_threshold. */
  max_background: 16,
  congestion_threshold: 18,
  max_write: 20,
  time_gran: 24,
  /** u16, then u16 map_alignment. */
  max_pages: 28,
  map_alignment: 30,
  flags2: 32,
  SIZE: 64,
} as const;

export const FUSE_GETATTR_IN = { getattr_flags: 0, fh: 8, SIZE: 16 } as const;
export const FUSE_STATX_IN = { getattr_flags: 0, fh: 8, sx_flags: 16, sx_mask: 20, SIZE: 24 } as const;
export const FUSE_SETATTR_IN = {
  valid: 0,
  fh: 8,
  size: 16,
  lock_owner: 24,
  atime: 32,
  mtime: 40,
  ctime: 48,
  atimensec: 56,
  mtimensec: 60,
  ctimensec: 64,
  mode: 68,
  uid: 76,
  gid: 80,
  SIZE: 88,
} as const;
export const FUSE_ACCESS_IN = { mask: 0, SIZE: 8 } as const;

export const FUSE_MKNOD_IN = { mode: 0, rdev: 4, umask: 8, SIZE: 16 } as const;
export const FUSE_MKDIR_IN = { mode: 0, umask: 4, SIZE: 8 } as const;
export const FUSE_RENAME_IN = { newdir: 0, SIZE: 8 } as const;
export const FUSE_RENAME2_IN = { newdir: 0, flags: 8, SIZE: 16 } as const;
export const FUSE_LINK_IN = { oldnodeid: 0, SIZE: 8 } as const;

export const FUSE_OPEN_IN = { flags: 0, open_flags: 4, SIZE: 8 } as const;
export const FUSE_CREATE_IN = { flags: 0, mode: 4, umask: 8, open_flags: 12, SIZE: 16 } as const;
export const FUSE_READ_IN = {
  fh: 0,
  offset: 8,
  size: 16,
  read_flags: 20,
  lock_owner: 24,
  flags: 32,
  SIZE: 40,
} as const;
export const FUSE_WRITE_IN = {
  fh: 0,
  offset: 8,
  size: 16,
  write_flags: 20,
  lock_owner: 24,
  flags: 32,
  SIZE: 40,
} as const;
export const FUSE_RELEASE_IN = { fh: 0, flags: 8, release_flags: 12, lock_owner: 16, SIZE: 24 } as const;
export const FUSE_FLUSH_IN = { fh: 0, lock_owner: 16, SIZE: 24 } as const;
export const FUSE_FSYNC_IN = { fh: 0, fsync_flags: 8, SIZE: 16 } as const;
export const FUSE_FALLOCATE_IN = { fh: 0, offset: 8, length: 16, mode: 24, SIZE: 32 } as const;
export const FUSE_LSEEK_IN = { fh: 0, offset: 8, whence: 16, SIZE: 24 } as const;
export const FUSE_COPY_FILE_RANGE_IN = {
  fh_in: 0,
  off_in: 8,
  nodeid_out: 16,
  fh_out: 24,
  off_out: 32,
  len: 40,
  flags: 48,
  SIZE: 56,
} as const;
export const FUSE_IOCTL_IN = { fh: 0, flags: 8, cmd: 12, arg: 16, in_size: 24, out_size: 28, SIZE: 32 } as const;

export const FUSE_SETXATTR_IN = { size: 0, flags: 4, setxattr_flags: 8, SIZE: 16 } as const;
/** Without `FUSE_SETXATTR_EXT` (FUSE_COMPAT_SETXATTR_IN_SIZE). */
export const FUSE_SETXATTR_IN_SIZE_BEFORE_EXT = 8;
export const FUSE_GETXATTR_IN = { size: 0, SIZE: 8 } as const;

export const FUSE_FORGET_IN = { nlookup: 0, SIZE: 8 } as const;
export const FUSE_BATCH_FORGET_IN = { count: 0, SIZE: 8 } as const;
export const FUSE_FORGET_ONE = { nodeid: 0, nlookup: 8, SIZE: 16 } as const;
export const FUSE_INTERRUPT_IN = { unique: 0, SIZE: 8 } as const;

export const FUSE_NOTIFY_INVAL_INODE_OUT = { ino: 0, off: 8, len: 16, SIZE: 24 } as const;
export const FUSE_NOTIFY_INVAL_ENTRY_OUT = { parent: 0, namelen: 8, flags: 12, SIZE: 16 } as const;
export const FUSE_NOTIFY_DELETE_OUT = { parent: 0, child: 8, namelen: 16, SIZE: 24 } as const;
