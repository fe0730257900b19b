import assert from 'node:assert/strict';
import fs from 'node:fs';
import { fails, names, stat, tool, write, type PosixTable } from './posix-root.ts';

const manyCount = 10_000;

export const dirTests: PosixTable = {
  'mkdir and rmdir': (root) => {
    fs.mkdirSync(root.at('d'));
    assert.ok(stat(root.at('d')).isDirectory());
    assert.deepEqual(names(root.at('d')), []);
    fails(() => fs.mkdirSync(root.at('d')), 'EEXIST');
    fails(() => fs.mkdirSync(root.at('missing', 'd')), 'ENOENT');
    write(root.at('file'));
    fails(() => fs.mkdirSync(root.at('file')), 'EEXIST');
    fails(() => fs.mkdirSync(root.at('file', 'd')), 'ENOTDIR');
    fs.rmdirSync(root.at('d'));
    assert.deepEqual(names(root.dir), ['file']);
  },

  'a directory can be opened and synced but neither read nor written as a file': (root) => {
    fs.mkdirSync(root.at('d'));
    const fd = fs.openSync(root.at('d'), 'r');
    fails(() => fs.readSync(fd, Buffer.alloc(10)), 'EISDIR');
    fails(() => fs.writeSync(fd, 'x'), 'EBADF');
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fails(() => fs.readFileSync(root.at('d')), 'EISDIR');
    fails(() => fs.readdirSync(root.at('missing')), 'ENOENT');
    write(root.at('file'));
    fails(() => fs.readdirSync(root.at('file')), 'ENOTDIR');
  },

  [`${manyCount} names in one directory: all are listed, found, and removed`]: async (root) => {
    for (let index = 0; index < manyCount; index++) fs.closeSync(fs.openSync(root.at(`file-${index}`), 'wx'));
    await root.refresh();
    const listed = fs.readdirSync(root.dir);
    assert.equal(listed.length, manyCount);
    assert.equal(new Set(listed).size, manyCount);
    for (let index = 0; index < manyCount; index += 97) stat(root.at(`file-${index}`));
    fails(() => stat(root.at(`file-${manyCount}`)), 'ENOENT');
    for (let index = 0; index < manyCount; index += 2) fs.unlinkSync(root.at(`file-${index}`));
    const left = fs.readdirSync(root.dir);
    assert.equal(left.length, manyCount / 2);
    assert.ok(left.every((name) => Number(name.slice(5)) % 2 === 1));
  },

  'ls, find, du and stat agree on a tree': (root) => {
    fs.mkdirSync(root.at('a', 'b'), { recursive: true });
    write(root.at('a', 'f'), 'x'.repeat(10_000));
    write(root.at('a', 'b', 'g'), 'y');
    fs.symlinkSync('f', root.at('a', 's'));
    const listed = tool('find', ['.', '-printf', '%P %y %s %n\n'], { cwd: root.dir });
    const lines = listed.split('\n').filter((line) => /^\S+ [fl] /.test(line));
    assert.deepEqual(lines.sort(), ['a/b/g f 1 1', 'a/f f 10000 1', 'a/s l 1 1']);
    assert.equal(tool('ls', ['-A', root.at('a')]), 'b\nf\ns\n');
    assert.ok(Number(tool('du', ['-s', '--apparent-size', '-B1', root.dir]).split('\t')[0]) >= 10_001);
    assert.equal(tool('stat', ['-c', '%F %s %h', root.at('a', 'f')]), 'regular file 10000 1\n');
  },

  'cp -a keeps a tree exactly': (root) => {
    fs.mkdirSync(root.at('from', 'sub'), { recursive: true });
    write(root.at('from', 'f'), 'data');
    fs.chmodSync(root.at('from', 'f'), 0o4751);
    fs.linkSync(root.at('from', 'f'), root.at('from', 'sub', 'hard'));
    fs.symlinkSync('../f', root.at('from', 'sub', 'soft'));
    fs.utimesSync(root.at('from', 'f'), 1, 2);
    fs.utimesSync(root.at('from', 'sub'), 3, 4);
    tool('cp', ['-a', root.at('from'), root.at('to')]);
    tool('diff', ['-r', '--no-dereference', root.at('from'), root.at('to')]);
    const [file, dir] = [stat(root.at('to', 'f')), stat(root.at('to', 'sub'))];
    assert.deepEqual([file.mtimeMs, dir.mtimeMs, file.nlink], [2000n, 4000n, 2n]);
    assert.equal(file.mode & 0o7777n, 0o4751n);
  },
};
