// What the filesystem tells the kernel about a file: mutable objects that a handler keeps and fills again for each reply, so that
// a reply allocates nothing. Every field is written by the encoder; a handler must set all of them or keep them at 0.

/** `struct fuse_attr`, as the handler fills it. Numbers are unsigned 32-bit where nothing else is said. */
export class Attr {
  /** The high and low half of `st_ino`. */
  inoHi = 0;
  inoLo = 0;
  /** Length in bytes, 0 to 2^53-1. */
  size = 0;
  /** `st_blocks`: units of 512 bytes whatever `blksize` says, 0 to 2^53-1. */
  blocks = 0;
  /** Seconds since 1970, negative before; nanoseconds count forward from that second (0 to 999,999,999). */
  atimeSec = 0;
  atimeNsec = 0;
  mtimeSec = 0;
  mtimeNsec = 0;
  ctimeSec = 0;
  ctimeNsec = 0;
  /** File type and permission bits (`S_IFREG | 0o644`). */
  mode = 0;
  nlink = 0;
  uid = 0;
  gid = 0;
  /** The device of a device node in the kernel's encoding (`new_encode_dev`), as MKNOD brought it. */
  rdev = 0;
  /** `st_blksize`. The kernel reads its log2: a power of two of at least 512, or 0 for the page size. */
  blksize = 0;
  /** `FUSE_ATTR_*`. */
  flags = 0;
}

/** `struct fuse_entry_out`: a name resolved. The kernel counts one more look-up of the nodeid for each one that is sent. */
export class EntryOut {
  /** 0/0 is "no such name" for LOOKUP and "not looked up" within READDIRPLUS; never the nodeid of a file. */
  nodeHi = 0;
  nodeLo = 0;
  /** With the nodeid unique for the life of the filesystem; 0 to 2^53-1. */
  generation = 0;
  /** How long the kernel may trust the name and the attributes without asking, in milliseconds. */
  entryTimeoutMs = 0;
  attrTimeoutMs = 0;
  readonly attr = new Attr();
}

/** `struct fuse_kstatfs`. Counts are 0 to 2^53-1; `blocks`, `bfree` and `bavail` are in units of `frsize` bytes. */
export class StatfsOut {
  blocks = 0;
  bfree = 0;
  bavail = 0;
  files = 0;
  ffree = 0;
  bsize = 0;
  namelen = 0;
  frsize = 0;
}

/** `struct fuse_statx`: what `Attr` says, and the time of birth. */
export class StatxOut {
  readonly attr = new Attr();
  /** `STATX_*`: which fields hold something. */
  mask = 0;
  btimeSec = 0;
  btimeNsec = 0;
  /** `STATX_ATTR_*`, and which of them are meant at all. */
  attributes = 0;
  attributesMask = 0;
}
