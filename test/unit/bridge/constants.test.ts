// Where vfs has numbers of its own that the kernel's messages bring, they are the same.

import { expect, test } from 'vitest';
import * as fuse from '../../../src/fuse/index.ts';
import * as attr from '../../../src/vfs/attr.ts';

test('what is to be set is numbered as in fuse_setattr_in', () => {
  expect([attr.SET_MODE, attr.SET_UID, attr.SET_GID, attr.SET_SIZE]).toEqual([
    fuse.FATTR_MODE,
    fuse.FATTR_UID,
    fuse.FATTR_GID,
    fuse.FATTR_SIZE,
  ]);
  expect([attr.SET_ATIME, attr.SET_MTIME, attr.SET_ATIME_NOW, attr.SET_MTIME_NOW, attr.SET_CTIME]).toEqual([
    fuse.FATTR_ATIME,
    fuse.FATTR_MTIME,
    fuse.FATTR_ATIME_NOW,
    fuse.FATTR_MTIME_NOW,
    fuse.FATTR_CTIME,
  ]);
  expect(attr.KILL_PRIVILEGES).toBe(fuse.FATTR_KILL_SUIDGID);
});
