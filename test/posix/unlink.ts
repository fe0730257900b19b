import assert from 'node:assert/strict';
import fs from 'node:fs';
import { getcwd } from '../support/syscalls.ts';
import { fails, names, read, stat, tick, tool, withCwd, write, type PosixTable } from './posix-root.ts';

export const unlinkTests: PosixTable = {
  'unlink and rmdir refuse what is not theirs': (root) => {
    write(root.at('file'));
    fs.mkdirSync(root.at('full'));
    write(root.at('full', 'f'));
    fails(() => fs.unlinkSync(root.at('full')), 'EISDIR', 'EPERM');
    fails(() => fs.rmdirSync(root.at('file')), 'ENOTDIR');
    fails(() => fs.rmdirSync(root.at('full')), 'ENOTEMPTY', 'EEXIST');
    fails(() => fs.unlinkSync(root.at('missing')), 'ENOENT');
    fails(() => fs.rmdirSync(root.at('missing')), 'ENOENT');
    assert.deepEqual(names(root.dir), ['file', 'full']);
  },

  'unlink moves the times of the directory and the ctime of a file that is left': (root) => {
    fs.mkdirSync(root.at('d'));
    write(root.at('d', 'f'));
    fs.linkSync(root.at('d', 'f'), root.at('other'));
    const [dir, file] = [stat(root.at('d')), stat(root.at('other'))];
    tick();
    fs.unlinkSync(root.at('d', 'f'));
    assert.ok(stat(root.at('d')).mtimeNs > dir.mtimeNs);
    assert.ok(stat(root.at('d')).ctimeNs > dir.ctimeNs);
    assert.ok(stat(root.at('other')).ctimeNs > file.ctimeNs);
    assert.equal(stat(root.at('other')).mtimeNs, file.mtimeNs);
  },

  'unlink of a symbolic link leaves its target': (root) => {
    write(root.at('target'), 'kept');
    fs.symlinkSync('target', root.at('s'));
    fs.unlinkSync(root.at('s'));
    assert.deepEqual(names(root.dir), ['target']);
    assert.equal(read(root.at('target')), 'kept');
  },

  'a name can come back as something else': async (root) => {
    for (let round = 0; round < 3; round++) {
      write(root.at('x'), `file ${round}`);
      assert.equal(read(root.at('x')), `file ${round}`);
      fs.unlinkSync(root.at('x'));
      fs.mkdirSync(root.at('x'));
      write(root.at('x', 'in'));
      assert.ok(stat(root.at('x')).isDirectory());
      fs.unlinkSync(root.at('x', 'in'));
      fs.rmdirSync(root.at('x'));
      fs.symlinkSync('nowhere', root.at('x'));
      assert.equal(fs.readlinkSync(root.at('x')), 'nowhere');
      fs.unlinkSync(root.at('x'));
    }
    await root.refresh();
    assert.deepEqual(names(root.dir), []);
  },

  'a removed directory is empty and takes nothing in': (root) => {
    fs.mkdirSync(root.at('d'));
    withCwd(root.at('d'), () => {
      fs.rmdirSync(root.at('d'));
      assert.deepEqual(fs.readdirSync('.'), []);
      fails(() => fs.openSync('new', 'w'), 'ENOENT');
      fails(() => fs.mkdirSync('new'), 'ENOENT');
      fails(() => fs.symlinkSync('x', 'new'), 'ENOENT');
      write(root.at('outside'));
      fails(() => fs.renameSync(root.at('outside'), 'in'), 'ENOENT');
      fails(() => fs.linkSync(root.at('outside'), 'in'), 'ENOENT');
      fails(() => getcwd(), 'ENOENT');
      assert.equal(fs.statSync('.').nlink, 0);
    });
  },

  'rm -rf of a tree with hard links, links and deep directories': (root) => {
    const script = `
      for i in 1 2 3 4 5 6 7 8; do mkdir -p t/$i/a/b/c t/$i/x/y; for j in 1 2 3 4 5 6 7 8 9; do
        echo $i$j > t/$i/a/f$j; ln t/$i/a/f$j t/$i/x/y/g$j; ln -s ../a/f$j t/$i/x/s$j; done; done`;
    tool('sh', ['-c', script], { cwd: root.dir });
    assert.equal(stat(root.at('t')).nlink, 10n);
    tool('rm', ['-rf', root.at('t')]);
    assert.deepEqual(names(root.dir), []);
    assert.equal(stat(root.dir).nlink, 2n);
  },
};
