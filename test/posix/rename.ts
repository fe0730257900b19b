import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  ended,
  fails,
  names,
  read,
  startScript,
  firstOutput,
  stat,
  tick,
  tool,
  withCwd,
  withOpen,
  write,
  type PosixTable,
} from './posix-root.ts';
import { getcwd } from '../support/syscalls.ts';

export const renameTests: PosixTable = {
  'rename moves a file and keeps its inode': (root) => {
    write(root.at('a'), 'x');
    const before = stat(root.at('a'));
    fs.mkdirSync(root.at('d'));
    fs.renameSync(root.at('a'), root.at('d', 'b'));
    const after = stat(root.at('d', 'b'));
    assert.equal(after.ino, before.ino);
    assert.equal(after.mtimeNs, before.mtimeNs);
    assert.deepEqual(names(root.dir), ['d']);
    assert.equal(read(root.at('d', 'b')), 'x');
  },

  'rename replaces a file': (root) => {
    write(root.at('a'), 'new');
    write(root.at('b'), 'old');
    fs.linkSync(root.at('b'), root.at('c'));
    fs.renameSync(root.at('a'), root.at('b'));
    assert.equal(read(root.at('b')), 'new');
    assert.equal(read(root.at('c')), 'old');
    assert.equal(stat(root.at('c')).nlink, 1n);
    assert.deepEqual(names(root.dir), ['b', 'c']);
  },

  'rename replaces an empty directory, not a full one': (root) => {
    fs.mkdirSync(root.at('source'));
    write(root.at('source', 'f'));
    fs.mkdirSync(root.at('empty'));
    fs.mkdirSync(root.at('full'));
    write(root.at('full', 'g'));
    fails(() => fs.renameSync(root.at('source'), root.at('full')), 'ENOTEMPTY', 'EEXIST');
    fs.renameSync(root.at('source'), root.at('empty'));
    assert.deepEqual(names(root.at('empty')), ['f']);
    assert.deepEqual(names(root.at('full')), ['g']);
    assert.deepEqual(names(root.dir), ['empty', 'full']);
  },

  'rename between a file and a directory is refused': (root) => {
    write(root.at('file'));
    fs.mkdirSync(root.at('dir'));
    fails(() => fs.renameSync(root.at('file'), root.at('dir')), 'EISDIR');
    fails(() => fs.renameSync(root.at('dir'), root.at('file')), 'ENOTDIR');
    fails(() => fs.renameSync(root.at('missing'), root.at('file')), 'ENOENT');
    assert.deepEqual(names(root.dir), ['dir', 'file']);
  },

  'a directory cannot move below itself, nor can dot and dot-dot': (root) => {
    fs.mkdirSync(root.at('d', 'e', 'f'), { recursive: true });
    fails(() => fs.renameSync(root.at('d'), root.at('d', 'x')), 'EINVAL');
    fails(() => fs.renameSync(root.at('d'), root.at('d', 'e', 'f', 'x')), 'EINVAL');
    fails(() => fs.renameSync(root.at('d', 'e', 'f'), root.at('d')), 'ENOTEMPTY');
    fails(() => fs.renameSync(`${root.at('d')}/.`, root.at('x')), 'EBUSY', 'EINVAL');
    fails(() => fs.renameSync(`${root.at('d')}/..`, root.at('x')), 'EBUSY', 'EINVAL');
    assert.deepEqual(names(root.dir), ['d']);
  },

  'rename onto another name of the same inode does nothing': (root) => {
    write(root.at('a'), 'x');
    fs.linkSync(root.at('a'), root.at('b'));
    fs.renameSync(root.at('a'), root.at('b'));
    fs.renameSync(root.at('a'), root.at('a'));
    assert.deepEqual(names(root.dir), ['a', 'b']);
    assert.equal(stat(root.at('a')).nlink, 2n);
  },

  'a directory that moves takes its link along and learns its new parent': async (root) => {
    fs.mkdirSync(root.at('from', 'child', 'deep'), { recursive: true });
    fs.mkdirSync(root.at('to'));
    assert.deepEqual([stat(root.at('from')).nlink, stat(root.at('to')).nlink], [3n, 2n]);
    fs.renameSync(root.at('from', 'child'), root.at('to', 'child'));
    for (let pass = 0; pass < 2; pass++) {
      assert.deepEqual([stat(root.at('from')).nlink, stat(root.at('to')).nlink], [2n, 3n]);
      assert.equal(stat(`${root.at('to', 'child')}/..`).ino, stat(root.at('to')).ino);
      assert.equal(stat(`${root.at('to', 'child', 'deep')}/../..`).ino, stat(root.at('to')).ino);
      await root.refresh();
    }
  },

  'the working directory follows a rename': (root) => {
    fs.mkdirSync(root.at('old', 'in'), { recursive: true });
    withCwd(root.at('old', 'in'), () => {
      fs.renameSync(root.at('old'), root.at('new'));
      assert.equal(getcwd(), root.at('new', 'in'));
      write('file', 'x');
    });
    assert.equal(read(root.at('new', 'in', 'file')), 'x');
  },

  'rename moves the times of both directories, and the ctime of what moves': (root) => {
    for (const dir of ['from', 'to']) fs.mkdirSync(root.at(dir));
    fs.mkdirSync(root.at('from', 'd'));
    write(root.at('from', 'f'));
    for (const name of ['d', 'f']) {
      const before = [root.at('from'), root.at('to'), root.at('from', name)].map(stat);
      tick();
      fs.renameSync(root.at('from', name), root.at('to', name));
      const after = [root.at('from'), root.at('to'), root.at('to', name)].map(stat);
      assert.ok(after[0]!.mtimeNs > before[0]!.mtimeNs && after[0]!.ctimeNs > before[0]!.ctimeNs, 'old directory');
      assert.ok(after[1]!.mtimeNs > before[1]!.mtimeNs && after[1]!.ctimeNs > before[1]!.ctimeNs, 'new directory');
      assert.ok(after[2]!.ctimeNs > before[2]!.ctimeNs, 'ctime of what moved');
      if (name === 'f') assert.equal(after[2]!.mtimeNs, before[2]!.mtimeNs);
    }
  },

  'a rename that fails changes no times': (root) => {
    fs.mkdirSync(root.at('full'));
    write(root.at('full', 'x'));
    fs.mkdirSync(root.at('d'));
    const before = [root.dir, root.at('full'), root.at('d')].map(stat);
    tick();
    fails(() => fs.renameSync(root.at('d'), root.at('full')), 'ENOTEMPTY', 'EEXIST');
    const after = [root.dir, root.at('full'), root.at('d')].map(stat);
    after.forEach((status, index) => {
      assert.equal(status.mtimeNs, before[index]!.mtimeNs);
      assert.equal(status.ctimeNs, before[index]!.ctimeNs);
    });
  },

  'a file that is replaced while it is open keeps its content for the one who has it': (root) => {
    write(root.at('new'), 'new');
    write(root.at('target'), 'old');
    withOpen(root.at('target'), 'r+', (fd) => {
      fs.renameSync(root.at('new'), root.at('target'));
      assert.equal(fs.readFileSync(fd, 'utf8'), 'old');
      fs.writeSync(fd, 'OLD!', 0);
      assert.equal(fs.fstatSync(fd).nlink, 0);
      assert.equal(fs.fstatSync(fd).size, 4);
    });
    assert.equal(read(root.at('target')), 'new');
  },

  'whoever reads the target of renames finds the old or the new file, never none': async (root) => {
    const script = `
      const fs = require('node:fs');
      process.chdir(process.argv[1]);
      process.stdout.write('ready');
      for (let round = 0; round < 400; round++) {
        fs.writeFileSync('tmp', String(round % 10).repeat(100));
        fs.renameSync('tmp', 'target');
      }`;
    write(root.at('target'), '0'.repeat(100));
    const writer = startScript(script, [root.dir]);
    const done = ended(writer);
    await firstOutput(writer);
    let reads = 0;
    while (writer.exitCode === null && writer.signalCode === null) {
      for (let again = 0; again < 20; again++) {
        assert.match(read(root.at('target')), /^(\d)\1{99}$/);
        reads++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await done, 0);
    assert.ok(reads > 20);
  },

  'directories moved across each other by two processes never get lost': async (root) => {
    for (const side of ['left', 'right']) fs.mkdirSync(root.at(side, side), { recursive: true });
    write(root.at('left', 'left', 'file'), 'l');
    write(root.at('right', 'right', 'file'), 'r');
    const script = `
      const fs = require('node:fs');
      const [, dir, own, other] = process.argv;
      process.chdir(dir);
      for (let round = 0; round < 300; round++) {
        for (const [from, to] of [[own, other], [other, own]]) {
          try { fs.renameSync(from + '/' + own, to + '/' + own); }
          catch (error) { if (error.code !== 'ENOENT') throw error; }
        }
      }`;
    const movers = [startScript(script, [root.dir, 'left', 'right']), startScript(script, [root.dir, 'right', 'left'])];
    assert.deepEqual(await Promise.all(movers.map(ended)), [0, 0]);
    const files = tool('find', [root.dir, '-name', 'file']).split('\n').filter(Boolean);
    assert.equal(files.length, 2);
    assert.equal(stat(root.at('left')).nlink + stat(root.at('right')).nlink, 6n);
  },
};
