import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  fallocate,
  FALLOC_FL_KEEP_SIZE,
  futimens,
  O_NOATIME,
  removexattr,
  setxattr,
  utimens,
  UTIME_NOW,
  UTIME_OMIT,
} from '../support/syscalls.ts';
import { fails, SkipTest, stat, tick, tool, withOpen, write, type PosixTable } from './posix-root.ts';

const now = { sec: 0, nsec: UTIME_NOW };
const omit = { sec: 0, nsec: UTIME_OMIT };

function ns(sec: number, nsec: number): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nsec);
}

export const timeTests: PosixTable = {
  'atime and mtime keep their nanoseconds, apart from each other': async (root) => {
    write(root.at('f'));
    fs.mkdirSync(root.at('d'));
    fs.symlinkSync('f', root.at('s'));
    const all = ['f', 'd', 's'];
    for (const name of all) {
      utimens(root.at(name), { sec: 1_111_111_111, nsec: 123_456_789 }, { sec: 1_222_222_222, nsec: 987_654_321 });
    }
    await root.refresh();
    for (const name of all) {
      const status = stat(root.at(name));
      assert.equal(status.atimeNs, ns(1_111_111_111, 123_456_789), name);
      assert.equal(status.mtimeNs, ns(1_222_222_222, 987_654_321), name);
    }
  },

  'times before 1970 and after 2038 and 2106 are kept': async (root) => {
    const seconds = [-1, -2_000_000_000, 0, 2_147_483_648, 4_294_967_296, 5_000_000_000, 9_000_000_000];
    seconds.forEach((sec, index) => {
      write(root.at(`f${index}`));
      utimens(root.at(`f${index}`), { sec, nsec: 1 }, { sec, nsec: 999_999_999 });
    });
    await root.refresh();
    seconds.forEach((sec, index) => {
      assert.equal(stat(root.at(`f${index}`)).atimeNs, ns(sec, 1), String(sec));
      assert.equal(stat(root.at(`f${index}`)).mtimeNs, ns(sec, 999_999_999), String(sec));
    });
  },

  'UTIME_OMIT leaves a time alone, on either side and on both': (root) => {
    write(root.at('f'));
    utimens(root.at('f'), { sec: 100, nsec: 1 }, { sec: 200, nsec: 2 });
    utimens(root.at('f'), omit, { sec: 300, nsec: 3 });
    assert.deepEqual([stat(root.at('f')).atimeNs, stat(root.at('f')).mtimeNs], [ns(100, 1), ns(300, 3)]);
    utimens(root.at('f'), { sec: 400, nsec: 4 }, omit);
    assert.deepEqual([stat(root.at('f')).atimeNs, stat(root.at('f')).mtimeNs], [ns(400, 4), ns(300, 3)]);
    const before = stat(root.at('f'));
    tick();
    utimens(root.at('f'), omit, omit);
    assert.equal(stat(root.at('f')).ctimeNs, before.ctimeNs);
  },

  'UTIME_NOW sets the present, on either side': (root) => {
    write(root.at('f'));
    utimens(root.at('f'), { sec: 1, nsec: 0 }, { sec: 2, nsec: 0 });
    const start = BigInt(Date.now() - 2000) * 1_000_000n;
    utimens(root.at('f'), now, omit);
    assert.ok(stat(root.at('f')).atimeNs > start);
    assert.equal(stat(root.at('f')).mtimeNs, ns(2, 0));
    utimens(root.at('f'), { sec: 1, nsec: 0 }, now);
    assert.ok(stat(root.at('f')).mtimeNs > start);
    assert.equal(stat(root.at('f')).atimeNs, ns(1, 0));
    withOpen(root.at('f'), 'r', (fd) => futimens(fd, { sec: 7, nsec: 8 }, { sec: 9, nsec: 10 }));
    assert.equal(stat(root.at('f')).mtimeNs, ns(9, 10));
  },

  'nanoseconds out of range give EINVAL': (root) => {
    write(root.at('f'));
    const before = stat(root.at('f'));
    fails(() => utimens(root.at('f'), { sec: 1, nsec: 1_000_000_000 }, omit), 'EINVAL');
    fails(() => utimens(root.at('f'), omit, { sec: 1, nsec: -1 }), 'EINVAL');
    assert.equal(stat(root.at('f')).mtimeNs, before.mtimeNs);
  },

  'setting times moves the ctime': (root) => {
    write(root.at('f'));
    const before = stat(root.at('f')).ctimeNs;
    tick();
    utimens(root.at('f'), { sec: 1, nsec: 0 }, { sec: 1, nsec: 0 });
    assert.ok(stat(root.at('f')).ctimeNs > before);
  },

  'every change of a file moves its ctime': (root) => {
    write(root.at('f'), 'x');
    const changes: Record<string, () => void> = {
      chmod: () => fs.chmodSync(root.at('f'), 0o600),
      chown: () => fs.chownSync(root.at('f'), process.getuid?.() ?? 0, process.getgid?.() ?? 0),
      link: () => fs.linkSync(root.at('f'), root.at('g')),
      unlink: () => fs.unlinkSync(root.at('g')),
      rename: () => {
        fs.renameSync(root.at('f'), root.at('g'));
        fs.renameSync(root.at('g'), root.at('f'));
      },
      setxattr: () => setxattr(root.at('f'), 'user.k', 'v'),
      removexattr: () => removexattr(root.at('f'), 'user.k'),
      truncate: () => fs.truncateSync(root.at('f'), 100),
      write: () => fs.writeFileSync(root.at('f'), 'y', { flag: 'r+' }),
    };
    for (const [name, change] of Object.entries(changes)) {
      const before = stat(root.at('f')).ctimeNs;
      tick();
      change();
      assert.ok(stat(root.at('f')).ctimeNs > before, name);
    }
  },

  'write and truncate move the mtime; chmod, link and attributes do not': (root) => {
    write(root.at('f'), 'x');
    const changes: [boolean, () => void][] = [
      [true, () => fs.writeFileSync(root.at('f'), 'y', { flag: 'r+' })],
      [true, () => fs.truncateSync(root.at('f'), 50)],
      [false, () => fs.chmodSync(root.at('f'), 0o600)],
      [false, () => fs.linkSync(root.at('f'), root.at('g'))],
      [false, () => setxattr(root.at('f'), 'user.k', 'v')],
      [true, () => fs.appendFileSync(root.at('f'), 'z')],
    ];
    for (const [moves, change] of changes) {
      const before = stat(root.at('f')).mtimeNs;
      tick();
      change();
      assert.equal(stat(root.at('f')).mtimeNs > before, moves);
    }
  },

  'calls that fail and empty writes change no times': (root) => {
    write(root.at('f'), 'x');
    fs.mkdirSync(root.at('d'));
    const before = [root.at('f'), root.at('d'), root.dir].map(stat);
    tick();
    fails(() => fs.openSync(root.at('f'), 'wx'), 'EEXIST');
    fails(() => fs.mkdirSync(root.at('d')), 'EEXIST');
    fails(() => fs.rmdirSync(root.at('f')), 'ENOTDIR');
    fails(() => fs.linkSync(root.at('f'), root.at('d')), 'EEXIST');
    fails(() => removexattr(root.at('f'), 'user.missing'), 'ENODATA');
    withOpen(root.at('f'), 'r+', (fd) => {
      assert.equal(fs.writeSync(fd, Buffer.alloc(0), 0, 0, 0), 0);
      assert.equal(fs.writeSync(fd, Buffer.alloc(0), 0, 0, 1_000_000), 0);
    });
    [root.at('f'), root.at('d'), root.dir].map(stat).forEach((status, index) => {
      assert.equal(status.mtimeNs, before[index]!.mtimeNs);
      assert.equal(status.ctimeNs, before[index]!.ctimeNs);
      assert.equal(status.size, before[index]!.size);
    });
  },

  'fallocate that extends moves mtime and ctime; kept size moves neither size nor mtime': (root) => {
    write(root.at('f'), 'x');
    withOpen(root.at('f'), 'r+', (fd) => {
      const before = stat(root.at('f'));
      tick();
      fallocate(fd, 0, 0, 8192);
      const extended = stat(root.at('f'));
      assert.ok(extended.mtimeNs > before.mtimeNs && extended.ctimeNs > before.ctimeNs);
      assert.equal(extended.size, 8192n);
      tick();
      fallocate(fd, FALLOC_FL_KEEP_SIZE, 8192, 65_536);
      assert.equal(stat(root.at('f')).size, 8192n);
    });
  },

  'a file opened with O_TRUNC while empty or full moves its times': (root) => {
    write(root.at('f'), 'x');
    const before = stat(root.at('f'));
    tick();
    write(root.at('f'), '');
    assert.ok(stat(root.at('f')).mtimeNs > before.mtimeNs);
    assert.ok(stat(root.at('f')).ctimeNs > before.ctimeNs);
  },

  'the birth time is the creation and never changes': async (root) => {
    const start = BigInt(Date.now() - 1000) * 1_000_000n;
    write(root.at('f'), 'x');
    const birth = stat(root.at('f')).birthtimeNs;
    assert.ok(birth > start);
    tick();
    fs.appendFileSync(root.at('f'), 'y');
    fs.chmodSync(root.at('f'), 0o600);
    utimens(root.at('f'), { sec: 5, nsec: 0 }, { sec: 6, nsec: 0 });
    fs.renameSync(root.at('f'), root.at('g'));
    await root.refresh();
    assert.equal(stat(root.at('g')).birthtimeNs, birth);
  },

  'reading moves an access time that is older than the modification, and no other (relatime)': async (root) => {
    const options = tool('findmnt', ['--noheadings', '--output', 'OPTIONS', '--target', root.dir]);
    if (root.kind === 'host' && /\bnoatime\b/.test(options)) throw new SkipTest('this filesystem is mounted noatime');
    write(root.at('f'), 'content');
    utimens(root.at('f'), { sec: 1_000_000_000, nsec: 5 }, { sec: 1_500_000_000, nsec: 6 });
    // The rule compares with the time of the change too, which is the present here.
    tick();
    await root.refresh();
    assert.equal(fs.readFileSync(root.at('f'), 'utf8'), 'content');
    const moved = stat(root.at('f'));
    assert.ok(moved.atimeNs > BigInt(Date.now() - 60_000) * 1_000_000n);
    assert.equal(moved.mtimeNs, ns(1_500_000_000, 6));
    await root.refresh();
    tick();
    assert.equal(fs.readFileSync(root.at('f'), 'utf8'), 'content');
    assert.equal(stat(root.at('f')).atimeNs, moved.atimeNs);
  },

  'O_NOATIME leaves the access time alone': async (root) => {
    write(root.at('f'), 'content');
    utimens(root.at('f'), { sec: 1_000_000_000, nsec: 5 }, { sec: 1_500_000_000, nsec: 6 });
    await root.refresh();
    withOpen(root.at('f'), fs.constants.O_RDONLY | O_NOATIME, (fd) =>
      assert.equal(fs.readFileSync(fd, 'utf8'), 'content'),
    );
    assert.equal(stat(root.at('f')).atimeNs, ns(1_000_000_000, 5));
  },

  'a written time is the present, and read after a refresh as before': async (root) => {
    const start = BigInt(Date.now() - 1000) * 1_000_000n;
    write(root.at('f'), 'x');
    const before = stat(root.at('f'));
    assert.ok(before.mtimeNs > start && before.mtimeNs < start + 60_000_000_000n);
    await root.refresh();
    const after = stat(root.at('f'));
    assert.equal(after.mtimeNs, before.mtimeNs);
    assert.equal(after.ctimeNs, before.ctimeNs);
  },
};
