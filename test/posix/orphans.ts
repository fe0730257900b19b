import assert from 'node:assert/strict';
import fs from 'node:fs';
import { MAP_SHARED, PROT_READ, PROT_WRITE, mapFile } from '../support/memory-map.ts';
import { fgetxattr, fsetxattr, getdents, linkOpenFile, O_TMPFILE_BIT } from '../support/syscalls.ts';
import { fails, names, read, stat, tool, withOpen, write, type PosixTable } from './posix-root.ts';

const { O_RDWR, O_WRONLY, O_EXCL, O_DIRECTORY, O_RDONLY } = fs.constants;
const O_TMPFILE = O_TMPFILE_BIT | O_DIRECTORY;

export const orphanTests: PosixTable = {
  'an unlinked file that is open works on: read, write, truncate, mode, attributes, map': (root) => {
    write(root.at('f'), 'content');
    withOpen(root.at('f'), O_RDWR, (fd) => {
      fs.unlinkSync(root.at('f'));
      fails(() => stat(root.at('f')), 'ENOENT');
      assert.equal(fs.fstatSync(fd).nlink, 0);
      fs.writeSync(fd, Buffer.alloc(300_000, 'y'), 0, 300_000, 100_000);
      assert.equal(fs.fstatSync(fd).size, 400_000);
      fs.ftruncateSync(fd, 5);
      assert.equal(fs.readFileSync(fd, 'utf8'), 'conte');
      fs.fchmodSync(fd, 0o600);
      assert.equal(fs.fstatSync(fd).mode & 0o777, 0o600);
      fs.futimesSync(fd, 5, 6);
      assert.equal(fs.fstatSync(fd).mtimeMs, 6000);
      fsetxattr(fd, 'user.k', 'v');
      assert.equal(fgetxattr(fd, 'user.k').toString(), 'v');
      fs.ftruncateSync(fd, 8192);
      const map = mapFile(fd, 8192, PROT_READ | PROT_WRITE, MAP_SHARED);
      map.bytes.write('mapped', 4096);
      map.sync();
      map.unmap();
      const back = Buffer.alloc(6);
      fs.readSync(fd, back, 0, 6, 4096);
      assert.equal(back.toString(), 'mapped');
      fs.fsyncSync(fd);
    });
    assert.deepEqual(names(root.dir), []);
  },

  'an unlinked file can be opened again through /proc': (root) => {
    write(root.at('f'), 'x');
    withOpen(root.at('f'), 'r', (fd) => {
      fs.unlinkSync(root.at('f'));
      withOpen(`/proc/self/fd/${fd}`, 'r+', (second) => fs.writeSync(second, 'second', 0));
      assert.equal(fs.readFileSync(fd, 'utf8'), 'second');
    });
  },

  'a removed directory that is open can be asked and listed': (root) => {
    fs.mkdirSync(root.at('d'));
    withOpen(root.at('d'), O_RDONLY | O_DIRECTORY, (fd) => {
      fs.rmdirSync(root.at('d'));
      assert.ok(fs.fstatSync(fd).isDirectory());
      assert.equal(fs.fstatSync(fd).nlink, 0);
      // The kernel itself refuses to list a dead directory (iterate_dir in fs/readdir.c); the C library makes it empty.
      fails(() => getdents(fd), 'ENOENT');
      assert.deepEqual(fs.readdirSync(`/proc/self/fd/${fd}/`), []);
      fails(() => fs.openSync(`/proc/self/fd/${fd}/new`, 'w'), 'ENOENT');
    });
  },

  'rm -rf of a directory with open files leaves nothing, no hidden names either': (root) => {
    fs.mkdirSync(root.at('d'));
    const open = ['a', 'b', 'c'].map((name) => fs.openSync(root.at('d', name), 'w+'));
    tool('rm', ['-rf', root.at('d')]);
    assert.deepEqual(names(root.dir), []);
    for (const fd of open) {
      fs.writeSync(fd, 'still here', 0);
      assert.equal(fs.readFileSync(fd, 'utf8'), 'still here');
      fs.closeSync(fd);
    }
    assert.deepEqual(names(root.dir), []);
  },

  'a removed name is free at once while the old file stays open': (root) => {
    write(root.at('f'), 'old');
    withOpen(root.at('f'), 'r', (fd) => {
      fs.unlinkSync(root.at('f'));
      write(root.at('f'), 'new');
      assert.deepEqual(names(root.dir), ['f']);
      assert.equal(fs.readFileSync(fd, 'utf8'), 'old');
      assert.notEqual(fs.fstatSync(fd, { bigint: true }).ino, stat(root.at('f')).ino);
    });
    assert.equal(read(root.at('f')), 'new');
  },

  'O_TMPFILE makes a file without a name, that link can name': async (root) => {
    withOpen(root.dir, O_TMPFILE | O_RDWR, (fd) => {
      assert.deepEqual(names(root.dir), []);
      assert.equal(fs.fstatSync(fd).nlink, 0);
      fs.writeSync(fd, 'temporary');
      fsetxattr(fd, 'user.k', 'v');
      fs.fchmodSync(fd, 0o640);
      linkOpenFile(fd, root.at('named'));
      assert.equal(fs.fstatSync(fd).nlink, 1);
      fails(() => linkOpenFile(fd, root.at('named')), 'EEXIST');
      fs.writeSync(fd, ' and more');
    });
    await root.refresh();
    assert.equal(read(root.at('named')), 'temporary and more');
    assert.equal(stat(root.at('named')).nlink, 1n);
  },

  'O_TMPFILE with O_EXCL can never be named': (root) => {
    withOpen(root.dir, O_TMPFILE | O_EXCL | O_WRONLY, (fd) => {
      fails(() => linkOpenFile(fd, root.at('named')), 'ENOENT');
    });
    assert.deepEqual(names(root.dir), []);
  },

  'O_TMPFILE needs a directory and write access': (root) => {
    write(root.at('file'));
    fails(() => fs.openSync(root.at('file'), O_TMPFILE | O_RDWR), 'ENOTDIR');
    fails(() => fs.openSync(root.dir, O_TMPFILE | O_RDONLY), 'EINVAL');
    fails(() => fs.openSync(root.at('missing'), O_TMPFILE | O_RDWR), 'ENOENT');
  },

  '500 temporary files at once, all gone when closed': (root) => {
    const open: number[] = [];
    for (let index = 0; index < 500; index++) open.push(fs.openSync(root.dir, O_TMPFILE | O_RDWR, 0o600));
    for (const [index, fd] of open.entries()) fs.writeSync(fd, `number ${index}`);
    const buffer = Buffer.alloc(20);
    for (const [index, fd] of open.entries()) {
      const length = fs.readSync(fd, buffer, 0, 20, 0);
      assert.equal(buffer.toString('utf8', 0, length), `number ${index}`);
    }
    assert.deepEqual(names(root.dir), []);
    for (const fd of open) fs.closeSync(fd);
    assert.equal(stat(root.dir).nlink, 2n);
  },
};
