// What is asked of the kernel for a mount. The effect of each flag is in native-notes/fuse.md.

import type { InitOptions } from '../fuse/index.ts';

/** The options of INIT that the handlers of this room rely on. */
export const SESSION_OPTIONS: InitOptions = {
  // Acknowledged writes are in the daemon when a snapshot is taken (design, section 6, promise 5); the kernel keeps
  // none back.
  writebackCache: false,
  // acl.ts and create.ts apply lists and the umask.
  posixAcl: true,
  // openFile cuts a file off at O_TRUNC.
  atomicTruncate: true,
  // privileges.ts takes setuid, setgid and capabilities away when the kernel says so.
  handleKillpriv: true,
  // The daemon is the only writer: cached data stay until it says otherwise.
  explicitInvalidation: true,
  cacheSymlinks: true,
  parallelDirops: true,
  readdirplus: 'auto',
};
