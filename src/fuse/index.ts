// The FUSE kernel protocol over /dev/fuse. This room never knows what an inode means: a nodeid is an opaque pair of 32-bit halves.
export { Attr, EntryOut, StatfsOut, StatxOut } from './wire/attr-types.ts';
export type {
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
} from './wire/bodies.ts';
export {
  FATTR_ATIME,
  FATTR_ATIME_NOW,
  FATTR_CTIME,
  FATTR_GID,
  FATTR_KILL_SUIDGID,
  FATTR_MODE,
  FATTR_MTIME,
  FATTR_MTIME_NOW,
  FATTR_SIZE,
  FATTR_UID,
  FOPEN_KEEP_CACHE,
  FOPEN_NOFLUSH,
  FUSE_OPEN_KILL_SUIDGID,
  FUSE_ROOT_ID,
  FUSE_SETXATTR_ACL_KILL_SGID,
  FUSE_WRITE_CACHE,
  FUSE_WRITE_KILL_SUIDGID,
} from './wire/constants.ts';
export { OPCODE, opcodeName, type OpcodeName } from './wire/opcodes.ts';
export type { Channel, RequestSink, SendOutcome } from './session/channel.ts';
export type { Answer, DeferredReply, FuseHandlers, Reply, Request, SessionLimits } from './session/handlers.ts';
export type { InitOptions } from './session/init.ts';
export type { Notifier, NotifyResult } from './session/notifier.ts';
export { REFUSED, type Refusal } from './session/refused.ts';
export { ProtocolSession, type SessionEnd } from './session/session.ts';
export type { SessionStatistics } from './session/statistics.ts';
export type { FuseSession, MountOptions, Transport } from './session/transport.ts';
export { connectionOf } from './device/connection.ts';
export { deviceTransport } from './device/device-transport.ts';
export { canonicalMountPoint, mountHealth, type MountHealth } from './device/mount-point.ts';
export type { MountEntry } from './device/mountinfo.ts';
export { unmount, type UnmountOptions } from './device/unmount.ts';
