import assert from 'node:assert/strict';
import fs from 'node:fs';
import { O_PATH } from '../support/syscalls.ts';
import {
  asUser,
  ended,
  fails,
  modeOf,
  names,
  read,
  requireRoot,
  startScript,
  stat,
  tick,
  withOpen,
  withUmask,
  write,
  type PosixRoot,
  type PosixTable,
} from './posix-root.ts';

const { O_CREAT, O_EXCL, O_TRUNC, O_RDONLY, O_WRONLY, O_RDWR, O_NOFOLLOW, O_DIRECTORY } = fs.constants;

/** Starts `count` processes that all try the same thing at one moment; returns how many of them succeeded. */
async function race(root: PosixRoot, count: number, attempt: string): Promise<number> {
  const script = `
    const fs = require('node:fs');
    const [, dir, own] = process.argv;
    process.stdout.write('ready');
    process.stdin.once('data', () => {
      try { ${attempt} } catch (error) { process.exit(['EEXIST', 'ENOENT'].includes(error.code) ? 1 : 2); }
      process.exit(0);
    });`;
  const children = Array.from({ length: count }, (_, index) => startScript(script, [root.dir, String(index)]));
  await Promise.all(children.map((child) => new Promise((resolve) => child.stdout?.once('data', resolve))));
  for (const child of children) child.stdin?.write('go');
  const statuses = await Promise.all(children.map(ended));
  assert.ok(
    statuses.every((status) => status === 0 || status === 1),
    `statuses ${statuses.join(' ')}`,
  );
  return statuses.filter((status) => status === 0).length;
}

export const createTests: PosixTable = {
  'O_CREAT makes an empty regular file with one link': (root) => {
    withOpen(root.at('f'), O_CREAT | O_WRONLY, (fd) => {
      const status = fs.fstatSync(fd);
      assert.ok(status.isFile());
      assert.equal(status.size, 0);
      assert.equal(status.nlink, 1);
      assert.equal(status.blocks, 0);
    });
  },

  'O_EXCL refuses what exists, of any kind, and leaves it alone': (root) => {
    write(root.at('file'), 'kept');
    fs.mkdirSync(root.at('dir'));
    fs.symlinkSync('nowhere', root.at('dangling'));
    for (const name of ['file', 'dir', 'dangling']) {
      fails(() => fs.openSync(root.at(name), O_CREAT | O_EXCL | O_WRONLY), 'EEXIST');
    }
    assert.equal(read(root.at('file')), 'kept');
    assert.deepEqual(names(root.dir), ['dangling', 'dir', 'file']);
  },

  'O_CREAT on an existing file opens it and keeps its mode': (root) => {
    fs.writeFileSync(root.at('f'), 'kept', { mode: 0o600 });
    withOpen(root.at('f'), O_CREAT | O_RDWR, (fd) => {
      assert.equal(fs.readFileSync(fd, 'utf8'), 'kept');
    });
    assert.equal(modeOf(root.at('f')), 0o600);
  },

  'O_CREAT through a dangling symbolic link makes its target': (root) => {
    fs.symlinkSync('target', root.at('link'));
    withOpen(root.at('link'), O_CREAT | O_WRONLY, (fd) => fs.writeSync(fd, 'x'));
    assert.equal(read(root.at('target')), 'x');
  },

  'O_TRUNC empties the file; nothing of it comes back': (root) => {
    write(root.at('f'), 'a'.repeat(10_000));
    withOpen(root.at('f'), O_WRONLY | O_TRUNC, (fd) => {
      assert.equal(fs.fstatSync(fd).size, 0);
      fs.writeSync(fd, 'b', 9_000);
    });
    assert.equal(read(root.at('f')), `${'\0'.repeat(9_000)}b`);
  },

  'O_NOFOLLOW and O_DIRECTORY refuse what they should': (root) => {
    write(root.at('file'));
    fs.mkdirSync(root.at('dir'));
    fs.symlinkSync('file', root.at('link'));
    fails(() => fs.openSync(root.at('link'), O_RDONLY | O_NOFOLLOW), 'ELOOP');
    fails(() => fs.openSync(root.at('file'), O_RDONLY | O_DIRECTORY), 'ENOTDIR');
    fails(() => fs.openSync(root.at('dir'), O_WRONLY), 'EISDIR');
    fails(() => fs.openSync(root.at('dir'), O_RDWR), 'EISDIR');
    fails(() => fs.openSync(root.at('dir'), O_CREAT | O_WRONLY), 'EISDIR');
    withOpen(root.at('dir'), O_RDONLY | O_DIRECTORY, (fd) => {
      assert.ok(fs.fstatSync(fd).isDirectory());
    });
  },

  'O_PATH gives a descriptor that can be asked but not read': (root) => {
    write(root.at('file'), 'x');
    withOpen(root.at('file'), O_PATH, (fd) => {
      assert.equal(fs.fstatSync(fd).size, 1);
      fails(() => fs.readSync(fd, Buffer.alloc(1)), 'EBADF');
    });
  },

  'the mode of a new file or directory is cut by the umask': (root) => {
    withUmask(0o027, () => {
      fs.closeSync(fs.openSync(root.at('file'), 'w', 0o666));
      fs.mkdirSync(root.at('dir'), 0o777);
    });
    withUmask(0, () => {
      fs.closeSync(fs.openSync(root.at('open'), 'w', 0o666));
      fs.mkdirSync(root.at('sticky'), 0o1777);
    });
    assert.equal(modeOf(root.at('file')), 0o640);
    assert.equal(modeOf(root.at('dir')), 0o750);
    assert.equal(modeOf(root.at('open')), 0o666);
    assert.equal(modeOf(root.at('sticky')), 0o1777);
  },

  'the descriptor that made a file may write, whatever mode the file got': (root) => {
    withOpen(root.at('f'), O_CREAT | O_EXCL | O_RDWR, (fd) => fs.writeSync(fd, 'written'), 0);
    assert.equal(modeOf(root.at('f')), 0);
    fs.chmodSync(root.at('f'), 0o600);
    assert.equal(read(root.at('f')), 'written');
  },

  'making something moves the times of its directory and sets its own': (root) => {
    const makers: (() => void)[] = [
      () => write(root.at('d', 'file')),
      () => fs.mkdirSync(root.at('d', 'dir')),
      () => fs.symlinkSync('x', root.at('d', 'symlink')),
    ];
    fs.mkdirSync(root.at('d'));
    for (const make of makers) {
      const before = stat(root.at('d'));
      tick();
      make();
      const after = stat(root.at('d'));
      assert.ok(after.mtimeNs > before.mtimeNs);
      assert.ok(after.ctimeNs > before.ctimeNs);
    }
    const made = stat(root.at('d', 'symlink'));
    // Both are the present; that they come from one look at the clock is not asked for.
    const difference = stat(root.at('d')).mtimeNs - made.mtimeNs;
    assert.ok(difference > -1_000_000_000n && difference < 1_000_000_000n);
  },

  'a new object belongs to the one who made it': (root) => {
    requireRoot();
    fs.mkdirSync(root.at('d'));
    fs.chmodSync(root.at('d'), 0o777);
    asUser(1234, 2345, [2345], () => {
      write(root.at('d', 'file'));
      fs.mkdirSync(root.at('d', 'dir'));
      fs.symlinkSync('x', root.at('d', 'symlink'));
    });
    for (const name of ['file', 'dir', 'symlink']) {
      const { uid, gid } = stat(root.at('d', name));
      assert.deepEqual([uid, gid], [1234n, 2345n], name);
    }
  },

  'in a setgid directory the group is inherited, and by directories the bit too': (root) => {
    requireRoot();
    fs.mkdirSync(root.at('d'));
    fs.chownSync(root.at('d'), 0, 3456);
    fs.chmodSync(root.at('d'), 0o2777);
    asUser(1234, 2345, [2345], () => {
      withUmask(0, () => {
        fs.closeSync(fs.openSync(root.at('d', 'file'), 'w', 0o666));
        fs.mkdirSync(root.at('d', 'dir'), 0o777);
      });
    });
    assert.equal(stat(root.at('d', 'file')).gid, 3456n);
    assert.equal(stat(root.at('d', 'dir')).gid, 3456n);
    assert.equal(modeOf(root.at('d', 'file')), 0o666);
    assert.equal(modeOf(root.at('d', 'dir')), 0o2777);
  },

  'setgid on a new file is dropped when its maker is not in the group': (root) => {
    requireRoot();
    fs.mkdirSync(root.at('d'));
    fs.chownSync(root.at('d'), 0, 3456);
    fs.chmodSync(root.at('d'), 0o2777);
    const make = (name: string): void => {
      withUmask(0, () => fs.closeSync(fs.openSync(root.at('d', name), 'w', 0o2775)));
    };
    asUser(1234, 2345, [2345], () => make('outsider'));
    asUser(1234, 2345, [2345, 3456], () => make('member'));
    assert.equal(modeOf(root.at('d', 'outsider')), 0o775);
    assert.equal(modeOf(root.at('d', 'member')), 0o2775);
  },

  'of six processes that create one name with O_EXCL one wins': async (root) => {
    assert.equal(await race(root, 6, `fs.closeSync(fs.openSync(dir + '/one', 'wx'));`), 1);
  },

  'of six processes that make one directory one wins': async (root) => {
    assert.equal(await race(root, 6, `fs.mkdirSync(dir + '/one');`), 1);
  },

  'of six processes that link one name one wins': async (root) => {
    write(root.at('source'));
    assert.equal(await race(root, 6, `fs.linkSync(dir + '/source', dir + '/one');`), 1);
    assert.equal(stat(root.at('source')).nlink, 2n);
  },

  'of six processes that rename one source one wins': async (root) => {
    write(root.at('source'), 'x');
    assert.equal(await race(root, 6, `fs.renameSync(dir + '/source', dir + '/target' + own);`), 1);
    assert.equal(names(root.dir).length, 1);
  },
};
