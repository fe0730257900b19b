import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  getxattr,
  getxattrSize,
  listxattr,
  listxattrSize,
  mknod,
  removexattr,
  setxattr,
  XATTR_CREATE,
  XATTR_REPLACE,
} from '../support/syscalls.ts';
import {
  asUser,
  ended,
  fails,
  firstOutput,
  requireCommand,
  requireRoot,
  startScript,
  stat,
  tick,
  tool,
  write,
  type PosixTable,
} from './posix-root.ts';

export const xattrTests: PosixTable = {
  'attributes are set, replaced, listed, removed': async (root) => {
    write(root.at('f'));
    fs.mkdirSync(root.at('d'));
    for (const name of ['f', 'd']) {
      const file = root.at(name);
      setxattr(file, 'user.one', 'first');
      setxattr(file, 'user.two', Buffer.from('00ff00', 'hex'));
      setxattr(file, 'user.one', 'a longer value than before');
      setxattr(file, 'user.gone', 'x');
      removexattr(file, 'user.gone');
    }
    await root.refresh();
    for (const name of ['f', 'd']) {
      assert.deepEqual(listxattr(root.at(name)), ['user.one', 'user.two']);
      assert.equal(getxattr(root.at(name), 'user.one').toString(), 'a longer value than before');
      assert.equal(getxattr(root.at(name), 'user.two').toString('hex'), '00ff00');
    }
  },

  'XATTR_CREATE and XATTR_REPLACE, and what is missing': (root) => {
    write(root.at('f'));
    fails(() => setxattr(root.at('f'), 'user.k', 'v', XATTR_REPLACE), 'ENODATA');
    setxattr(root.at('f'), 'user.k', 'v', XATTR_CREATE);
    fails(() => setxattr(root.at('f'), 'user.k', 'w', XATTR_CREATE), 'EEXIST');
    setxattr(root.at('f'), 'user.k', 'w', XATTR_REPLACE);
    assert.equal(getxattr(root.at('f'), 'user.k').toString(), 'w');
    fails(() => getxattr(root.at('f'), 'user.missing'), 'ENODATA');
    fails(() => removexattr(root.at('f'), 'user.missing'), 'ENODATA');
    fails(() => setxattr(root.at('f'), 'unknown.k', 'v'), 'EOPNOTSUPP');
    fails(() => getxattr(root.at('missing'), 'user.k'), 'ENOENT');
  },

  'sizes: a query without a buffer, a buffer too small, an empty value': (root) => {
    write(root.at('f'));
    setxattr(root.at('f'), 'user.k', 'x'.repeat(100));
    assert.equal(getxattrSize(root.at('f'), 'user.k'), 100);
    fails(() => getxattr(root.at('f'), 'user.k', 99), 'ERANGE');
    assert.equal(getxattr(root.at('f'), 'user.k', 100).length, 100);
    assert.equal(listxattrSize(root.at('f')), 'user.k'.length + 1);
    fails(() => listxattr(root.at('f'), 6), 'ERANGE');
    assert.deepEqual(listxattr(root.at('f'), 7), ['user.k']);
    setxattr(root.at('f'), 'user.empty', '');
    assert.equal(getxattrSize(root.at('f'), 'user.empty'), 0);
    assert.equal(getxattr(root.at('f'), 'user.empty').length, 0);
    assert.deepEqual(listxattr(root.at('f')), ['user.empty', 'user.k']);
  },

  'names: a slash, one letter, the longest, bytes; a file without attributes': (root) => {
    write(root.at('f'));
    assert.deepEqual(listxattr(root.at('f')), []);
    assert.equal(listxattrSize(root.at('f')), 0);
    const longest = `user.${'n'.repeat(250)}`;
    for (const name of ['user.a/b', 'user.x', longest]) setxattr(root.at('f'), name, name);
    setxattr(root.at('f'), Buffer.from('user.\xff\x01', 'latin1'), 'bytes');
    assert.deepEqual(listxattr(root.at('f')), ['user.a/b', longest, 'user.x', 'user.\xff\x01'].sort());
    assert.equal(getxattr(root.at('f'), longest).toString(), longest);
    assert.equal(getxattr(root.at('f'), Buffer.from('user.\xff\x01', 'latin1')).toString(), 'bytes');
    fails(() => setxattr(root.at('f'), `${longest}n`, 'v'), 'ERANGE', 'ENAMETOOLONG');
    fails(() => setxattr(root.at('f'), 'user.', 'v'), 'EINVAL');
  },

  'a value of 64 KiB fits, one byte more gives E2BIG': async (root) => {
    write(root.at('f'));
    const value = Buffer.alloc(65_536);
    for (let index = 0; index < value.length; index++) value[index] = (index * 7) & 255;
    setxattr(root.at('f'), 'user.big', value);
    fails(() => setxattr(root.at('f'), 'user.bigger', Buffer.alloc(65_537)), 'E2BIG');
    await root.refresh();
    assert.ok(getxattr(root.at('f'), 'user.big').equals(value));
    setxattr(root.at('f'), 'user.big', 'small again');
    assert.equal(getxattr(root.at('f'), 'user.big').toString(), 'small again');
  },

  '500 attributes of one file': async (root) => {
    write(root.at('f'));
    for (let index = 0; index < 500; index++) setxattr(root.at('f'), `user.number${index}`, `value ${index}`);
    for (let index = 0; index < 500; index += 2) removexattr(root.at('f'), `user.number${index}`);
    await root.refresh();
    assert.equal(listxattr(root.at('f')).length, 250);
    assert.equal(getxattr(root.at('f'), 'user.number333').toString(), 'value 333');
  },

  'user attributes are for files and directories only': (root) => {
    requireRoot();
    fs.symlinkSync('x', root.at('symlink'));
    mknod(root.at('fifo'), fs.constants.S_IFIFO | 0o600);
    for (const name of ['symlink', 'fifo']) {
      fails(() => setxattr(root.at(name), 'user.k', 'v'), 'EPERM');
      setxattr(root.at(name), 'trusted.k', 'v');
      assert.equal(getxattr(root.at(name), 'trusted.k').toString(), 'v');
    }
  },

  'trusted attributes are hidden from all but the administrator': (root) => {
    requireRoot();
    write(root.at('f'));
    fs.chmodSync(root.at('f'), 0o666);
    setxattr(root.at('f'), 'trusted.k', 'secret');
    setxattr(root.at('f'), 'user.k', 'open');
    asUser(1234, 1234, [], () => {
      assert.ok(!listxattr(root.at('f')).includes('trusted.k'));
      fails(() => getxattr(root.at('f'), 'trusted.k'), 'ENODATA', 'EPERM');
      fails(() => setxattr(root.at('f'), 'trusted.k', 'v'), 'EPERM');
      assert.equal(getxattr(root.at('f'), 'user.k').toString(), 'open');
      setxattr(root.at('f'), 'user.k2', 'by another');
    });
    assert.ok(listxattr(root.at('f')).includes('trusted.k'));
  },

  'user attributes follow the permissions of the file': (root) => {
    requireRoot();
    write(root.at('f'));
    setxattr(root.at('f'), 'user.k', 'v');
    fs.chmodSync(root.at('f'), 0o600);
    asUser(1234, 1234, [], () => {
      fails(() => getxattr(root.at('f'), 'user.k'), 'EACCES');
      fails(() => setxattr(root.at('f'), 'user.k', 'w'), 'EACCES');
      fails(() => removexattr(root.at('f'), 'user.k'), 'EACCES');
    });
  },

  'setting an attribute moves ctime at once, mtime never': (root) => {
    write(root.at('f'));
    const before = stat(root.at('f'));
    tick();
    setxattr(root.at('f'), 'user.k', 'v');
    const after = stat(root.at('f'));
    assert.ok(after.ctimeNs > before.ctimeNs);
    assert.equal(after.mtimeNs, before.mtimeNs);
  },

  'whoever reads an attribute while it is replaced gets the old or the new value': async (root) => {
    write(root.at('f'));
    const script = `
      const { execFileSync } = require('node:child_process');
      for (let round = 0; round < 60; round++) {
        const value = String(round % 10).repeat(round % 2 ? 10 : 3000);
        execFileSync('setfattr', ['-n', 'user.k', '-v', value, process.argv[1]]);
        if (round === 2) process.stdout.write('ready');
      }`;
    requireCommand('setfattr', 'attr');
    const writer = startScript(script, [root.at('f')]);
    const done = ended(writer);
    await firstOutput(writer);
    while (writer.exitCode === null && writer.signalCode === null) {
      assert.match(getxattr(root.at('f'), 'user.k').toString(), /^(\d)\1*$/);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await done, 0);
  },

  'setfattr and getfattr agree with each other': (root) => {
    requireCommand('setfattr', 'attr');
    write(root.at('f'));
    tool('setfattr', ['-n', 'user.from-tool', '-v', '0x0001ff', root.at('f')]);
    assert.equal(getxattr(root.at('f'), 'user.from-tool').toString('hex'), '0001ff');
    const dump = tool('getfattr', ['-d', '-m-', '-e', 'hex', '--absolute-names', root.at('f')]);
    assert.match(dump, /^user\.from-tool=0x0001ff$/m);
    tool('setfattr', ['-x', 'user.from-tool', root.at('f')]);
    assert.deepEqual(listxattr(root.at('f')), []);
  },
};
