import { aclTests } from './acl.ts';
import { appendTests } from './append.ts';
import { attrTests } from './attr.ts';
import { copyRangeTests } from './copy-range.ts';
import { createTests } from './create.ts';
import { dataTests } from './data.ts';
import { dirTests } from './dir.ts';
import { linkTests } from './link.ts';
import { lockTests } from './locks.ts';
import { mmapTests } from './mmap.ts';
import { nameTests } from './names.ts';
import { orphanTests } from './orphans.ts';
import { permissionTests } from './permissions.ts';
import { type PosixTable } from './posix-root.ts';
import { readdirTests } from './readdir.ts';
import { renameFlagTests } from './rename-flags.ts';
import { renameTests } from './rename.ts';
import { sparseTests } from './sparse.ts';
import { specialTests } from './special.ts';
import { timeTests } from './times.ts';
import { unlinkTests } from './unlink.ts';
import { xattrTests } from './xattr.ts';

const families: Record<string, PosixTable> = {
  names: nameTests,
  create: createTests,
  link: linkTests,
  rename: renameTests,
  'rename flags': renameFlagTests,
  unlink: unlinkTests,
  orphans: orphanTests,
  attr: attrTests,
  times: timeTests,
  xattr: xattrTests,
  acl: aclTests,
  dir: dirTests,
  readdir: readdirTests,
  data: dataTests,
  'copy range': copyRangeTests,
  mmap: mmapTests,
  sparse: sparseTests,
  append: appendTests,
  special: specialTests,
  locks: lockTests,
  permissions: permissionTests,
};

/** Every POSIX test by `family: name`. */
export const posixTable: PosixTable = Object.fromEntries(
  Object.entries(families).flatMap(([family, table]) =>
    Object.entries(table).map(([name, test]) => [`${family}: ${name}`, test]),
  ),
);
