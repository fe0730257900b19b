import assert from 'node:assert/strict';
import fs from 'node:fs';
import { linkFollow, linkOpenFile, mknod, setxattr, getxattr } from '../support/syscalls.ts';
import { fails, modeOf, names, read, stat, tick, tool, withOpen, write, type PosixTable } from './posix-root.ts';

export const linkTests: PosixTable = {
  'hard links share everything': async (root) => {
    write(root.at('a'), 'one');
    fs.linkSync(root.at('a'), root.at('b'));
    fs.mkdirSync(root.at('d'));
    fs.linkSync(root.at('b'), root.at('d', 'c'));
    fs.appendFileSync(root.at('b'), ' two');
    fs.chmodSync(root.at('d', 'c'), 0o640);
    setxattr(root.at('a'), 'user.k', 'v');
    fs.utimesSync(root.at('b'), 1000, 2000);
    await root.refresh();
    const all = [root.at('a'), root.at('b'), root.at('d', 'c')];
    for (const file of all) {
      assert.equal(read(file), 'one two');
      assert.equal(modeOf(file), 0o640);
      assert.equal(getxattr(file, 'user.k').toString(), 'v');
      const status = stat(file);
      assert.equal(status.nlink, 3n);
      assert.equal(status.mtimeMs, 2_000_000n);
      assert.equal(status.ino, stat(root.at('a')).ino);
    }
  },

  'removing one link leaves the others': (root) => {
    write(root.at('a'), 'x');
    fs.linkSync(root.at('a'), root.at('b'));
    fs.unlinkSync(root.at('a'));
    assert.equal(stat(root.at('b')).nlink, 1n);
    assert.equal(read(root.at('b')), 'x');
    assert.deepEqual(names(root.dir), ['b']);
  },

  'an open file sees its link count change': (root) => {
    write(root.at('a'));
    withOpen(root.at('a'), 'r', (fd) => {
      fs.linkSync(root.at('a'), root.at('b'));
      assert.equal(fs.fstatSync(fd).nlink, 2);
      fs.unlinkSync(root.at('a'));
      assert.equal(fs.fstatSync(fd).nlink, 1);
      fs.unlinkSync(root.at('b'));
      assert.equal(fs.fstatSync(fd).nlink, 0);
    });
  },

  'link refuses directories, taken names and missing sources': (root) => {
    fs.mkdirSync(root.at('dir'));
    write(root.at('file'));
    write(root.at('taken'), 'kept');
    fails(() => fs.linkSync(root.at('dir'), root.at('x')), 'EPERM');
    fails(() => fs.linkSync(root.at('file'), root.at('taken')), 'EEXIST');
    fails(() => fs.linkSync(root.at('file'), root.at('dir')), 'EEXIST');
    fails(() => fs.linkSync(root.at('file'), root.at('file')), 'EEXIST');
    fails(() => fs.linkSync(root.at('missing'), root.at('x')), 'ENOENT');
    assert.equal(read(root.at('taken')), 'kept');
    assert.equal(stat(root.at('file')).nlink, 1n);
  },

  'a file without a name left gets none by link': (root) => {
    write(root.at('f'));
    withOpen(root.at('f'), 'r', (fd) => {
      fs.unlinkSync(root.at('f'));
      fails(() => linkOpenFile(fd, root.at('g')), 'ENOENT');
    });
    assert.deepEqual(names(root.dir), []);
  },

  'link moves the ctime of the file and the times of the directory': (root) => {
    write(root.at('f'));
    fs.mkdirSync(root.at('d'));
    const [file, dir] = [stat(root.at('f')), stat(root.at('d'))];
    tick();
    fs.linkSync(root.at('f'), root.at('d', 'g'));
    assert.ok(stat(root.at('f')).ctimeNs > file.ctimeNs);
    assert.equal(stat(root.at('f')).mtimeNs, file.mtimeNs);
    assert.ok(stat(root.at('d')).mtimeNs > dir.mtimeNs);
    assert.ok(stat(root.at('d')).ctimeNs > dir.ctimeNs);
  },

  'a symbolic link can be hard linked, itself or its target': (root) => {
    write(root.at('file'), 'x');
    fs.symlinkSync('file', root.at('s'));
    fs.linkSync(root.at('s'), root.at('second'));
    linkFollow(root.at('s'), root.at('third'));
    assert.ok(stat(root.at('second')).isSymbolicLink());
    assert.equal(stat(root.at('s')).nlink, 2n);
    assert.equal(stat(root.at('third')).ino, stat(root.at('file')).ino);
  },

  '1,000 links to one file': async (root) => {
    write(root.at('f'), 'x');
    for (let index = 0; index < 1000; index++) fs.linkSync(root.at('f'), root.at(`link${index}`));
    await root.refresh();
    assert.equal(stat(root.at('link999')).nlink, 1001n);
    for (let index = 0; index < 1000; index += 2) fs.unlinkSync(root.at(`link${index}`));
    assert.equal(stat(root.at('f')).nlink, 501n);
    assert.equal(read(root.at('link777')), 'x');
    assert.equal(names(root.dir).length, 501);
  },

  'a hard link to a fifo is the same fifo': (root) => {
    mknod(root.at('fifo'), fs.constants.S_IFIFO | 0o600);
    fs.linkSync(root.at('fifo'), root.at('second'));
    assert.ok(stat(root.at('second')).isFIFO());
    assert.equal(stat(root.at('second')).ino, stat(root.at('fifo')).ino);
    const output = tool('sh', ['-c', '(echo same > second) & cat fifo; wait'], { cwd: root.dir });
    assert.equal(output, 'same\n');
  },

  'a symbolic link keeps its target byte for byte, up to 4095': async (root) => {
    const targets = ['x', '/absolute//path/', '../..', 'a'.repeat(255), `${'d/'.repeat(2047)}e`, ' ', '\n'];
    targets.forEach((target, index) => fs.symlinkSync(target, root.at(`s${index}`)));
    fs.symlinkSync(Buffer.from('ff80fe2f01', 'hex'), root.at('bytes'));
    await root.refresh();
    targets.forEach((target, index) => {
      assert.equal(fs.readlinkSync(root.at(`s${index}`)), target);
      assert.equal(stat(root.at(`s${index}`)).size, BigInt(target.length));
    });
    assert.equal(fs.readlinkSync(root.at('bytes'), { encoding: 'buffer' }).toString('hex'), 'ff80fe2f01');
    fails(() => fs.symlinkSync('a'.repeat(4096), root.at('long')), 'ENAMETOOLONG');
    fails(() => fs.symlinkSync('', root.at('empty')), 'ENOENT');
    fails(() => fs.symlinkSync('x', root.at('s0')), 'EEXIST');
  },

  'symbolic links that lead in a circle give ELOOP': (root) => {
    fs.symlinkSync('b', root.at('a'));
    fs.symlinkSync('a', root.at('b'));
    fails(() => fs.statSync(root.at('a')), 'ELOOP');
    fails(() => fs.openSync(root.at('a'), 'r'), 'ELOOP');
    fails(() => fs.openSync(root.at('a'), 'w'), 'ELOOP');
    fails(() => fs.mkdirSync(root.at('a', 'x')), 'ELOOP');
    fails(() => fs.chmodSync(root.at('a'), 0o600), 'ELOOP');
    fails(() => fs.truncateSync(root.at('a'), 0), 'ELOOP');
    fails(() => fs.readdirSync(root.at('a')), 'ELOOP');
    assert.ok(stat(root.at('a')).isSymbolicLink());
  },

  'a dangling symbolic link gives ENOENT': (root) => {
    fs.symlinkSync('nowhere', root.at('s'));
    fails(() => fs.statSync(root.at('s')), 'ENOENT');
    fails(() => fs.openSync(root.at('s'), 'r'), 'ENOENT');
    fails(() => fs.chmodSync(root.at('s'), 0o600), 'ENOENT');
    fails(() => fs.readdirSync(root.at('s')), 'ENOENT');
    fails(() => fs.readlinkSync(root.at('missing')), 'ENOENT');
    fails(() => fs.mkdirSync(root.at('s')), 'EEXIST');
  },

  'readlink of anything else gives EINVAL': (root) => {
    write(root.at('file'));
    fails(() => fs.readlinkSync(root.at('file')), 'EINVAL');
    fails(() => fs.readlinkSync(root.dir), 'EINVAL');
  },

  'symbolic links are followed: relative, upwards, through directories': (root) => {
    fs.mkdirSync(root.at('d', 'e'), { recursive: true });
    write(root.at('d', 'f'), 'found');
    fs.symlinkSync('../f', root.at('d', 'e', 'up'));
    fs.symlinkSync('d/e', root.at('short'));
    fs.symlinkSync(root.at('short'), root.at('absolute'));
    assert.equal(read(root.at('absolute', 'up')), 'found');
    assert.equal(fs.realpathSync(root.at('absolute', 'up')), root.at('d', 'f'));
    write(root.at('short', 'new'), 'x');
    assert.equal(read(root.at('d', 'e', 'new')), 'x');
  },
};
