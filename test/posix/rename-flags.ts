import assert from 'node:assert/strict';
import fs from 'node:fs';
import { renameat2, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../support/syscalls.ts';
import { fails, names, read, requireRoot, stat, write, type PosixTable } from './posix-root.ts';

export const renameFlagTests: PosixTable = {
  'RENAME_NOREPLACE refuses a taken name and changes nothing': (root) => {
    write(root.at('a'), 'a');
    write(root.at('b'), 'b');
    fs.mkdirSync(root.at('d'));
    fails(() => renameat2(root.at('a'), root.at('b'), RENAME_NOREPLACE), 'EEXIST');
    fails(() => renameat2(root.at('a'), root.at('d'), RENAME_NOREPLACE), 'EEXIST');
    assert.deepEqual([read(root.at('a')), read(root.at('b'))], ['a', 'b']);
    renameat2(root.at('a'), root.at('c'), RENAME_NOREPLACE);
    assert.deepEqual(names(root.dir), ['b', 'c', 'd']);
    assert.equal(read(root.at('c')), 'a');
  },

  'RENAME_EXCHANGE swaps things of any two kinds; both keep their inodes': async (root) => {
    fs.mkdirSync(root.at('x'));
    fs.mkdirSync(root.at('y'));
    write(root.at('x', 'file'), 'f');
    fs.mkdirSync(root.at('x', 'dir', 'sub'), { recursive: true });
    write(root.at('x', 'dir', 'inner'), 'i');
    fs.symlinkSync('nowhere', root.at('x', 'symlink'));
    const kinds = ['file', 'dir', 'symlink'];
    for (const one of kinds) {
      for (const two of kinds) {
        if (one === two) continue;
        const before = [stat(root.at('x', one)).ino, stat(root.at('x', two)).ino];
        renameat2(root.at('x', one), root.at('x', two), RENAME_EXCHANGE);
        assert.deepEqual([stat(root.at('x', two)).ino, stat(root.at('x', one)).ino], before);
        renameat2(root.at('x', one), root.at('x', two), RENAME_EXCHANGE);
      }
    }
    write(root.at('y', 'plain'), 'p');
    renameat2(root.at('x', 'dir'), root.at('y', 'plain'), RENAME_EXCHANGE);
    await root.refresh();
    assert.equal(read(root.at('x', 'dir')), 'p');
    assert.equal(read(root.at('y', 'plain', 'inner')), 'i');
    assert.deepEqual([stat(root.at('x')).nlink, stat(root.at('y')).nlink], [2n, 3n]);
    assert.equal(stat(`${root.at('y', 'plain')}/..`).ino, stat(root.at('y')).ino);
  },

  'RENAME_EXCHANGE refuses a missing side, and a directory with its own descendant': (root) => {
    write(root.at('a'));
    fs.mkdirSync(root.at('d', 'e'), { recursive: true });
    fails(() => renameat2(root.at('a'), root.at('missing'), RENAME_EXCHANGE), 'ENOENT');
    fails(() => renameat2(root.at('missing'), root.at('a'), RENAME_EXCHANGE), 'ENOENT');
    fails(() => renameat2(root.at('d'), root.at('d', 'e'), RENAME_EXCHANGE), 'EINVAL');
    fails(() => renameat2(root.at('d', 'e'), root.at('d'), RENAME_EXCHANGE), 'EINVAL', 'ENOTEMPTY');
    assert.deepEqual(names(root.dir), ['a', 'd']);
  },

  'flags that exclude each other, and unknown ones, give EINVAL': (root) => {
    write(root.at('a'));
    write(root.at('b'));
    fails(() => renameat2(root.at('a'), root.at('b'), RENAME_NOREPLACE | RENAME_EXCHANGE), 'EINVAL');
    fails(() => renameat2(root.at('a'), root.at('b'), RENAME_WHITEOUT | RENAME_EXCHANGE), 'EINVAL');
    fails(() => renameat2(root.at('a'), root.at('b'), 64), 'EINVAL');
    assert.deepEqual(names(root.dir), ['a', 'b']);
  },

  'RENAME_WHITEOUT leaves a character device 0:0 behind': (root) => {
    requireRoot();
    write(root.at('a'), 'x');
    write(root.at('b'), 'old');
    renameat2(root.at('a'), root.at('b'), RENAME_WHITEOUT);
    assert.equal(read(root.at('b')), 'x');
    const left = stat(root.at('a'));
    assert.ok(left.isCharacterDevice());
    assert.equal(left.rdev, 0n);
  },
};
