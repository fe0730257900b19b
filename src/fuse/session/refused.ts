// The operations that are never handed to a handler, each with its cause. The dispatch table and PROTOCOL.md are complete together: an
// opcode is handled, or it stands here (checked by test/unit/fuse/dispatch.test.ts).

import { ERRNO } from '../../errors/index.ts';
import type { OpcodeName } from '../wire/opcodes.ts';

export interface Refusal {
  readonly errno: number;
  readonly cause: string;
}

const LOCKS =
  'POSIX and BSD locks stay with the kernel, which keeps them for local processes unless INIT asks for them';
const DAX = 'there is no device memory to map files from; needs FUSE_MAP_ALIGNMENT, which is not agreed';

export const REFUSED: Partial<Record<OpcodeName, Refusal>> = {
  FUSE_GETLK: { errno: ERRNO.ENOSYS, cause: LOCKS },
  FUSE_SETLK: { errno: ERRNO.ENOSYS, cause: LOCKS },
  FUSE_SETLKW: { errno: ERRNO.ENOSYS, cause: LOCKS },
  FUSE_BMAP: { errno: ERRNO.ENOSYS, cause: 'a file has no blocks of a device to tell; sent for fuseblk mounts alone' },
  FUSE_POLL: { errno: ERRNO.ENOSYS, cause: 'regular files are always ready; the kernel then says so by itself' },
  FUSE_NOTIFY_REPLY: { errno: ERRNO.ENOSYS, cause: 'answers FUSE_NOTIFY_RETRIEVE, which is never sent' },
  FUSE_SETUPMAPPING: { errno: ERRNO.ENOSYS, cause: DAX },
  FUSE_REMOVEMAPPING: { errno: ERRNO.ENOSYS, cause: DAX },
};
