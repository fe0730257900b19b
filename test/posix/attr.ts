import assert from 'node:assert/strict';
import fs from 'node:fs';
import { asUser, fails, modeOf, requireRoot, stat, withOpen, write, type PosixTable } from './posix-root.ts';

const minusOne = 0xffffffff;

export const attrTests: PosixTable = {
  'chmod sets each of the twelve bits, by path and by descriptor': async (root) => {
    write(root.at('f'));
    fs.mkdirSync(root.at('d'));
    const modes = [0, 0o7777, 0o4711, 0o2755, 0o1777, ...Array.from({ length: 12 }, (_, bit) => 1 << bit)];
    for (const mode of modes) {
      fs.chmodSync(root.at('f'), mode);
      assert.equal(modeOf(root.at('f')), mode);
      fs.chmodSync(root.at('d'), mode);
      assert.equal(modeOf(root.at('d')), mode);
    }
    fs.chmodSync(root.at('d'), 0o3771);
    fs.chmodSync(root.at('f'), 0o644);
    withOpen(root.at('f'), 'r', (fd) => fs.fchmodSync(fd, 0o6751));
    await root.refresh();
    assert.equal(modeOf(root.at('f')), 0o6751);
    assert.equal(modeOf(root.at('d')), 0o3771);
    assert.ok(stat(root.at('f')).isFile());
  },

  'chmod goes through a symbolic link, whose own mode is 0777': (root) => {
    write(root.at('f'));
    fs.symlinkSync('f', root.at('s'));
    fs.chmodSync(root.at('s'), 0o601);
    assert.equal(modeOf(root.at('f')), 0o601);
    assert.equal(modeOf(root.at('s')), 0o777);
  },

  'chown sets owner and group, each alone or both; -1 leaves one': async (root) => {
    requireRoot();
    write(root.at('f'));
    fs.mkdirSync(root.at('d'));
    fs.chownSync(root.at('f'), 70_000, 80_000);
    fs.chownSync(root.at('f'), minusOne, 0xfffffffe);
    fs.chownSync(root.at('d'), 0xfffffffe, minusOne);
    await root.refresh();
    assert.deepEqual([stat(root.at('f')).uid, stat(root.at('f')).gid], [70_000n, 0xfffffffen]);
    assert.deepEqual([stat(root.at('d')).uid, stat(root.at('d')).gid], [0xfffffffen, 0n]);
  },

  'lchown changes the symbolic link, not its target': (root) => {
    requireRoot();
    write(root.at('f'));
    fs.symlinkSync('f', root.at('s'));
    fs.lchownSync(root.at('s'), 11, 12);
    assert.deepEqual([stat(root.at('s')).uid, stat(root.at('s')).gid], [11n, 12n]);
    assert.deepEqual([stat(root.at('f')).uid, stat(root.at('f')).gid], [0n, 0n]);
  },

  'chown of -1 and -1 by the owner succeeds and leaves all alone': (root) => {
    requireRoot();
    write(root.at('f'));
    fs.chownSync(root.at('f'), 1234, 2345);
    asUser(1234, 2345, [2345], () => fs.chownSync(root.at('f'), minusOne, minusOne));
    assert.deepEqual([stat(root.at('f')).uid, stat(root.at('f')).gid], [1234n, 2345n]);
  },

  'truncate sets the size, down and up, by path and by descriptor': (root) => {
    write(root.at('f'), 'x'.repeat(100));
    for (const size of [50, 5000, 0, 1 << 20, 4096, 4097, 1]) {
      fs.truncateSync(root.at('f'), size);
      assert.equal(stat(root.at('f')).size, BigInt(size));
    }
    withOpen(root.at('f'), 'r+', (fd) => fs.ftruncateSync(fd, 12_345));
    assert.equal(stat(root.at('f')).size, 12_345n);
    fails(() => fs.truncateSync(root.dir, 0), 'EISDIR');
    withOpen(root.at('f'), 'r', (fd) => fails(() => fs.ftruncateSync(fd, 0), 'EINVAL', 'EBADF'));
  },

  'the inode number stays the same through all changes and refreshes': async (root) => {
    write(root.at('f'));
    fs.mkdirSync(root.at('d'));
    const before = ['f', 'd'].map((name) => stat(root.at(name)));
    fs.chmodSync(root.at('f'), 0o600);
    fs.appendFileSync(root.at('f'), 'x'.repeat(100_000));
    write(root.at('d', 'in'));
    await root.refresh();
    const after = ['f', 'd'].map((name) => stat(root.at(name)));
    assert.deepEqual(
      after.map(({ ino }) => ino),
      before.map(({ ino }) => ino),
    );
    assert.notEqual(after[0]!.ino, after[1]!.ino);
  },

  'stat by path, by link and by descriptor agree; the device is the same throughout': (root) => {
    write(root.at('f'), 'x'.repeat(10_000));
    fs.mkdirSync(root.at('d'));
    const byPath = fs.statSync(root.at('f'), { bigint: true });
    withOpen(root.at('f'), 'r', (fd) => assert.deepEqual(fs.fstatSync(fd, { bigint: true }), byPath));
    assert.deepEqual(stat(root.at('f')), byPath);
    assert.equal(stat(root.at('d')).dev, byPath.dev);
    assert.ok(byPath.blksize > 0n && (byPath.blksize & (byPath.blksize - 1n)) === 0n);
  },

  'directories count two links and one for each directory in them': async (root) => {
    for (const name of ['a', 'b', 'c']) fs.mkdirSync(root.at('d', name), { recursive: true });
    write(root.at('d', 'file'));
    fs.rmdirSync(root.at('d', 'b'));
    await root.refresh();
    assert.equal(stat(root.at('d')).nlink, 4n);
    assert.equal(stat(root.at('d', 'a')).nlink, 2n);
  },

  'statfs reports sensible figures': (root) => {
    const figures = fs.statfsSync(root.dir);
    assert.ok(figures.blocks > 0 && figures.bsize > 0);
    assert.ok(figures.bavail <= figures.bfree && figures.bfree <= figures.blocks);
    assert.ok(figures.ffree <= figures.files);
  },
};
