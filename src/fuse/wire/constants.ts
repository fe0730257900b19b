// Flags and codes of linux/fuse.h, protocol 7.45, under the kernel's names: those that something here uses or refuses. Frozen: these
// numbers are the kernel's.

export const FUSE_KERNEL_VERSION = 7;
/** The newest minor version that this code knows. */
export const FUSE_KERNEL_MINOR_VERSION = 45;
/** The oldest that it serves: Linux 5.4, the first with `FUSE_WRITE_KILL_PRIV` and all struct sizes as used here. */
export const FUSE_MINOR_FLOOR = 31;
/** The nodeid of the root of every mount (low half; the high half is 0). */
export const FUSE_ROOT_ID = 1;

/** The kernel refuses `error` values from 512 on (`fuse_dev_do_write`: "oh.error <= -512"). */
export const ERRNO_SPAN = 512;

/** `fuse_setattr_in.valid`. */
export const FATTR_MODE = 1 << 0;
export const FATTR_UID = 1 << 1;
export const FATTR_GID = 1 << 2;
export const FATTR_SIZE = 1 << 3;
export const FATTR_ATIME = 1 << 4;
export const FATTR_MTIME = 1 << 5;
export const FATTR_FH = 1 << 6;
export const FATTR_ATIME_NOW = 1 << 7;
export const FATTR_MTIME_NOW = 1 << 8;
export const FATTR_CTIME = 1 << 10;
export const FATTR_KILL_SUIDGID = 1 << 11;

/** `fuse_open_out.open_flags`. */
export const FOPEN_KEEP_CACHE = 1 << 1;
export const FOPEN_NOFLUSH = 1 << 5;

/** INIT flags, bits 0 to 31. Bit 31 is negative as a JavaScript number; nothing uses it. */
export const FUSE_ASYNC_READ = 1 << 0;
export const FUSE_POSIX_LOCKS = 1 << 1;
export const FUSE_ATOMIC_O_TRUNC = 1 << 3;
export const FUSE_EXPORT_SUPPORT = 1 << 4;
export const FUSE_BIG_WRITES = 1 << 5;
export const FUSE_DONT_MASK = 1 << 6;
export const FUSE_FLOCK_LOCKS = 1 << 10;
export const FUSE_DO_READDIRPLUS = 1 << 13;
export const FUSE_READDIRPLUS_AUTO = 1 << 14;
export const FUSE_ASYNC_DIO = 1 << 15;
export const FUSE_WRITEBACK_CACHE = 1 << 16;
export const FUSE_NO_OPEN_SUPPORT = 1 << 17;
export const FUSE_PARALLEL_DIROPS = 1 << 18;
export const FUSE_POSIX_ACL = 1 << 20;
export const FUSE_MAX_PAGES = 1 << 22;
export const FUSE_CACHE_SYMLINKS = 1 << 23;
export const FUSE_NO_OPENDIR_SUPPORT = 1 << 24;
export const FUSE_EXPLICIT_INVAL_DATA = 1 << 25;
export const FUSE_HANDLE_KILLPRIV_V2 = 1 << 28;
export const FUSE_SETXATTR_EXT = 1 << 29;
export const FUSE_INIT_EXT = 1 << 30;

/** INIT flags, bits 32 to 63, as they stand in `flags2` (shifted down by 32). */
export const FLAGS2_HAS_EXPIRE_ONLY = 1 << 3;
export const FLAGS2_PASSTHROUGH = 1 << 5;

export const FUSE_GETATTR_FH = 1 << 0;
export const FUSE_WRITE_CACHE = 1 << 0;
export const FUSE_WRITE_KILL_SUIDGID = 1 << 2;
export const FUSE_OPEN_KILL_SUIDGID = 1 << 0;
export const FUSE_SETXATTR_ACL_KILL_SGID = 1 << 0;
export const FUSE_EXPIRE_ONLY = 1 << 0;

/** `enum fuse_notify_code`: stands in `error` of a message to the kernel whose `unique` is 0. */
export const FUSE_NOTIFY_INVAL_INODE = 2;
export const FUSE_NOTIFY_INVAL_ENTRY = 3;
export const FUSE_NOTIFY_DELETE = 6;
export const FUSE_NOTIFY_INC_EPOCH = 8;
/** The first minor version whose kernel takes FUSE_NOTIFY_INC_EPOCH. */
export const INC_EPOCH_MINOR = 44;
