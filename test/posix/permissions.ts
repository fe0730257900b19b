import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setxattr, listxattr, utimens, UTIME_NOW } from '../support/syscalls.ts';
import {
  asUser,
  fails,
  modeOf,
  names,
  read,
  requireRoot,
  stat,
  withOpen,
  write,
  type PosixRoot,
  type PosixTable,
} from './posix-root.ts';

const minusOne = 0xffffffff;
const now = { sec: 0, nsec: UTIME_NOW };

/** Runs `action` as user 1234 of group 1234, who is in no other group. */
function asOwner<T>(action: () => T): T {
  return asUser(1234, 1234, [], action);
}

/** Runs `action` as user 5678 of group 5678. */
function asOther<T>(action: () => T): T {
  return asUser(5678, 5678, [], action);
}

/** A file that belongs to user and group 1234. */
function ownedFile(root: PosixRoot, name: string, mode: number, content = 'x'): string {
  requireRoot();
  const file = root.at(name);
  write(file, content);
  fs.chownSync(file, 1234, 1234);
  fs.chmodSync(file, mode);
  return file;
}

/** A directory that belongs to root, with a mode. */
function directory(root: PosixRoot, name: string, mode: number): string {
  requireRoot();
  fs.mkdirSync(root.at(name));
  fs.chmodSync(root.at(name), mode);
  return root.at(name);
}

export const permissionTests: PosixTable = {
  'read, write and search follow the bits of owner, group and others': (root) => {
    const file = ownedFile(root, 'f', 0o640);
    asOwner(() => {
      assert.equal(read(file), 'x');
      fs.appendFileSync(file, 'y');
    });
    asUser(5678, 1234, [], () => {
      assert.equal(read(file), 'xy');
      fails(() => fs.openSync(file, 'a'), 'EACCES');
    });
    asUser(5678, 5678, [1234], () => assert.equal(read(file), 'xy'));
    asOther(() => fails(() => fs.openSync(file, 'r'), 'EACCES'));
    fs.chmodSync(file, 0o077);
    asOwner(() => fails(() => fs.openSync(file, 'r'), 'EACCES'));
    assert.equal(read(file), 'xy');
  },

  'directories: x to pass, r to list, w to change': (root) => {
    const dir = directory(root, 'd', 0o711);
    write(`${dir}/known`, 'x');
    asOther(() => {
      assert.equal(read(`${dir}/known`), 'x');
      fails(() => fs.readdirSync(dir), 'EACCES');
      for (const change of [
        () => fs.openSync(`${dir}/new`, 'w'),
        () => fs.mkdirSync(`${dir}/new`),
        () => fs.symlinkSync('x', `${dir}/new`),
        () => fs.unlinkSync(`${dir}/known`),
        () => fs.renameSync(`${dir}/known`, `${dir}/new`),
        () => fs.linkSync(`${dir}/known`, `${dir}/new`),
      ]) {
        fails(change, 'EACCES', 'EPERM');
      }
    });
    fs.chmodSync(dir, 0o744);
    asOther(() => {
      assert.deepEqual(names(dir), ['known']);
      fails(() => fs.statSync(`${dir}/known`), 'EACCES');
    });
    assert.deepEqual(names(dir), ['known']);
  },

  'chmod, chown, times and attributes are for the owner': (root) => {
    const file = ownedFile(root, 'f', 0o644);
    asOther(() => {
      fails(() => fs.chmodSync(file, 0o777), 'EPERM');
      fails(() => fs.chownSync(file, 5678, minusOne), 'EPERM');
      fails(() => fs.chownSync(file, minusOne, 5678), 'EPERM');
      fails(() => utimens(file, { sec: 1, nsec: 0 }, { sec: 1, nsec: 0 }), 'EPERM');
      fails(() => utimens(file, now, now), 'EACCES');
      fails(() => fs.truncateSync(file, 0), 'EACCES');
      fails(() => setxattr(file, 'user.k', 'v'), 'EACCES');
    });
    asOwner(() => {
      fs.chmodSync(file, 0o600);
      fails(() => fs.chownSync(file, 5678, minusOne), 'EPERM');
      utimens(file, { sec: 1, nsec: 0 }, { sec: 2, nsec: 0 });
    });
    assert.equal(modeOf(file), 0o600);
    assert.equal(stat(file).mtimeMs, 2000n);
  },

  'who may write may set the times to now, both at once, and no others': (root) => {
    const file = ownedFile(root, 'f', 0o666);
    asOther(() => {
      utimens(file, now, now);
      fails(() => utimens(file, { sec: 1, nsec: 0 }, now), 'EPERM');
      fails(() => utimens(file, now, { sec: 1, nsec: 0 }), 'EPERM');
    });
    assert.ok(stat(file).mtimeMs > BigInt(Date.now() - 60_000));
  },

  'an owner may give his file to his own groups only': (root) => {
    const file = ownedFile(root, 'f', 0o644);
    asUser(1234, 1234, [2345, 3456], () => {
      fs.chownSync(file, minusOne, 3456);
      fails(() => fs.chownSync(file, minusOne, 4567), 'EPERM');
    });
    assert.equal(stat(file).gid, 3456n);
  },

  'chmod by someone outside the group clears setgid': (root) => {
    const file = ownedFile(root, 'f', 0o644);
    fs.chownSync(file, 1234, 2345);
    asOwner(() => fs.chmodSync(file, 0o2755));
    assert.equal(modeOf(file), 0o755);
    asUser(1234, 1234, [2345], () => fs.chmodSync(file, 0o2755));
    assert.equal(modeOf(file), 0o2755);
  },

  'chown by an ordinary user clears setuid and setgid': (root) => {
    const file = ownedFile(root, 'f', 0o6755);
    asUser(1234, 1234, [2345], () => fs.chownSync(file, minusOne, 2345));
    assert.equal(modeOf(file), 0o755);
  },

  'write and truncate by an ordinary user clear setuid and setgid': (root) => {
    const changes: ((file: string) => void)[] = [
      (file) => fs.appendFileSync(file, 'y'),
      (file) => fs.truncateSync(file, 0),
      (file) => withOpen(file, 'r+', (fd) => fs.ftruncateSync(fd, 10)),
      (file) => fs.writeFileSync(file, 'new'),
    ];
    for (const [index, change] of changes.entries()) {
      const file = ownedFile(root, `f${index}`, 0o6777);
      asOther(() => change(file));
      assert.equal(modeOf(file), 0o777, `change ${index}`);
    }
  },

  'a write takes the capabilities of a file away': (root) => {
    requireRoot();
    write(root.at('f'), 'x');
    fs.chmodSync(root.at('f'), 0o666);
    // struct vfs_cap_data, revision 2 with the effective bit: CAP_NET_BIND_SERVICE permitted (linux/capability.h).
    setxattr(root.at('f'), 'security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex'));
    assert.ok(listxattr(root.at('f')).includes('security.capability'));
    asOther(() => fs.appendFileSync(root.at('f'), 'y'));
    assert.ok(!listxattr(root.at('f')).includes('security.capability'));
  },

  'sticky: only owners of entry or directory remove, rename or replace it': (root) => {
    const dir = directory(root, 'd', 0o1777);
    asOwner(() => {
      write(`${dir}/mine`, 'x');
      fs.mkdirSync(`${dir}/minedir`);
    });
    asOther(() => {
      write(`${dir}/other`, 'y');
      fails(() => fs.unlinkSync(`${dir}/mine`), 'EPERM', 'EACCES');
      fails(() => fs.rmdirSync(`${dir}/minedir`), 'EPERM', 'EACCES');
      fails(() => fs.renameSync(`${dir}/mine`, `${dir}/taken`), 'EPERM', 'EACCES');
      fails(() => fs.renameSync(`${dir}/other`, `${dir}/mine`), 'EPERM', 'EACCES');
      fs.unlinkSync(`${dir}/other`);
    });
    asOwner(() => fs.renameSync(`${dir}/mine`, `${dir}/moved`));
    fs.unlinkSync(`${dir}/moved`);
    assert.deepEqual(names(dir), ['minedir']);
  },

  'a directory of another owner cannot be moved without the right to change its dot-dot': (root) => {
    const from = directory(root, 'from', 0o777);
    const to = directory(root, 'to', 0o777);
    fs.mkdirSync(`${from}/dir`, 0o755);
    asOther(() => fails(() => fs.renameSync(`${from}/dir`, `${to}/dir`), 'EACCES'));
    assert.deepEqual(names(from), ['dir']);
  },

  'a descriptor keeps the rights that it was opened with': (root) => {
    const file = ownedFile(root, 'f', 0o600);
    const fd = asOwner(() => fs.openSync(file, 'r+'));
    fs.chmodSync(file, 0);
    fs.chownSync(file, 0, 0);
    asOwner(() => {
      fs.writeSync(fd, 'still', 0);
      assert.equal(fs.readFileSync(fd, 'latin1'), 'still');
      fails(() => fs.openSync(file, 'r'), 'EACCES');
    });
    fs.closeSync(fd);
    assert.equal(read(file), 'still');
  },

  'without search permission on the way nothing can be reached': (root) => {
    const dir = directory(root, 'd', 0o755);
    fs.mkdirSync(`${dir}/closed`, 0o700);
    write(`${dir}/closed/f`);
    fs.chmodSync(`${dir}/closed/f`, 0o666);
    asOther(() => {
      fails(() => fs.statSync(`${dir}/closed/f`), 'EACCES');
      fails(() => fs.statSync(`${dir}/closed/missing`), 'EACCES');
      fails(() => fs.renameSync(`${dir}/closed/f`, `${dir}/g`), 'EACCES');
    });
  },
};
