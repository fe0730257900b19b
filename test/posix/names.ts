import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mknod } from '../support/syscalls.ts';
import { ended, fails, names, startScript, stat, tool, withCwd, write, type PosixTable } from './posix-root.ts';

const longest = 'n'.repeat(255);
const tooLong = 'n'.repeat(256);

/** Every call that takes a name, with `name` as the name that it looks up or creates. */
function callsOn(at: (name: string) => string, name: string): (() => unknown)[] {
  const file = at('file');
  return [
    () => fs.openSync(at(name), 'r'),
    () => fs.openSync(at(name), 'w'),
    () => fs.mkdirSync(at(name)),
    () => fs.symlinkSync('x', at(name)),
    () => fs.linkSync(file, at(name)),
    () => fs.linkSync(at(name), at('linked')),
    () => fs.renameSync(file, at(name)),
    () => fs.renameSync(at(name), at('renamed')),
    () => mknod(at(name), fs.constants.S_IFIFO | 0o600),
    () => fs.unlinkSync(at(name)),
    () => fs.rmdirSync(at(name)),
    () => fs.lstatSync(at(name)),
    () => fs.chmodSync(at(name), 0o600),
    () => fs.readlinkSync(at(name)),
    () => fs.truncateSync(at(name), 0),
  ];
}

export const nameTests: PosixTable = {
  'a name of 255 bytes works in every way': (root) => {
    write(root.at(longest), 'x');
    assert.equal(fs.readFileSync(root.at(longest), 'utf8'), 'x');
    fs.renameSync(root.at(longest), root.at('m'.repeat(255)));
    fs.linkSync(root.at('m'.repeat(255)), root.at('l'.repeat(255)));
    fs.symlinkSync('t', root.at('s'.repeat(255)));
    fs.mkdirSync(root.at('d'.repeat(255)));
    assert.deepEqual(
      names(root.dir),
      ['d', 'l', 'm', 's'].map((letter) => letter.repeat(255)),
    );
    fs.rmdirSync(root.at('d'.repeat(255)));
    for (const letter of ['l', 'm', 's']) fs.unlinkSync(root.at(letter.repeat(255)));
    assert.deepEqual(names(root.dir), []);
  },

  'a name of 256 bytes gives ENAMETOOLONG in every call': (root) => {
    write(root.at('file'));
    for (const call of callsOn(root.at, tooLong)) fails(call, 'ENAMETOOLONG');
    assert.deepEqual(names(root.dir), ['file']);
  },

  'a path of 4096 bytes gives ENAMETOOLONG, one of 4095 does not': (root) => {
    const padding = './'.repeat(2048);
    const prefix = `${root.dir}/`;
    write(root.at('f'));
    const longestPath = `${prefix}${padding.slice(0, 2 * Math.floor((4095 - prefix.length - 1) / 2))}f`;
    assert.ok(longestPath.length <= 4095);
    assert.ok(stat(longestPath).isFile());
    fails(() => fs.lstatSync(`${prefix}${padding}f`), 'ENAMETOOLONG');
  },

  'a file as a directory of a path gives ENOTDIR in every call': (root) => {
    write(root.at('file'));
    write(root.at('blocker'));
    for (const call of callsOn(root.at, 'blocker/name')) fails(call, 'ENOTDIR');
  },

  'a missing directory of a path gives ENOENT in every call': (root) => {
    write(root.at('file'));
    for (const call of callsOn(root.at, 'missing/name')) fails(call, 'ENOENT');
    assert.deepEqual(names(root.dir), ['file']);
  },

  'names are bytes: every byte but slash and zero is kept': (root) => {
    const wanted: string[] = [];
    for (let byte = 1; byte < 256; byte++) {
      if (byte === 0x2f || byte === 0x2e) continue;
      const name = Buffer.of(byte);
      fs.writeFileSync(root.atBytes(name), Buffer.of(byte));
      wanted.push(name.toString('hex'));
    }
    const found = fs.readdirSync(root.dir, { encoding: 'buffer' }).map((name) => name.toString('hex'));
    assert.deepEqual(found.sort(), wanted.sort());
    for (const hex of wanted) {
      const content = fs.readFileSync(root.atBytes(Buffer.from(hex, 'hex')));
      assert.equal(content.toString('hex'), hex);
    }
  },

  'names that are not UTF-8 survive the loss of all caches': async (root) => {
    const invalid = ['ff', 'c0af', 'eda080', 'f4908080', 'e282', '61ff62', 'fefe'];
    for (const hex of invalid) fs.writeFileSync(root.atBytes(Buffer.from(hex, 'hex')), hex);
    await root.refresh();
    const found = fs.readdirSync(root.dir, { encoding: 'buffer' }).map((name) => name.toString('hex'));
    assert.deepEqual(found.sort(), [...invalid].sort());
    for (const hex of invalid) assert.equal(fs.readFileSync(root.atBytes(Buffer.from(hex, 'hex')), 'utf8'), hex);
  },

  'normal forms, look-alikes and cases of a letter are different names': (root) => {
    // Composed and decomposed e-acute, Latin and Cyrillic a, a ligature and its letters, a soft hyphen, both cases.
    const texts = ['\u00e9', 'e\u0301', 'a', '\u0430', 'A', '\ufb01', 'fi', 'f\u00adi', 'fI', '\ufeffa', 'a ', ' a'];
    for (const text of texts) fs.writeFileSync(root.at(text), text, { flag: 'wx' });
    assert.equal(fs.readdirSync(root.dir).length, texts.length);
    for (const text of texts) assert.equal(fs.readFileSync(root.at(text), 'utf8'), text);
  },

  'awkward names: newline, quotes, backslash, leading dash, dots': (root) => {
    const awkward = ['a\nb', '"', "'", '\\', '-rf', '...', '..a', '.hidden', '*', '$(x)', '\t', '\x7f', ' '];
    for (const name of awkward) fs.writeFileSync(root.at(name), name, { flag: 'wx' });
    assert.deepEqual(names(root.dir), [...awkward].sort());
    for (const name of awkward) fs.unlinkSync(`${root.dir}/${name}`);
    assert.deepEqual(names(root.dir), []);
  },

  'dot and dot-dot can be neither made nor removed': (root) => {
    fs.mkdirSync(root.at('d'));
    withCwd(root.at('d'), () => {
      for (const dot of ['.', '..']) {
        fails(() => fs.mkdirSync(dot), 'EEXIST');
        fails(() => fs.unlinkSync(dot), 'EISDIR');
      }
      fails(() => fs.rmdirSync('.'), 'EINVAL');
      fails(() => fs.rmdirSync('..'), 'ENOTEMPTY');
    });
  },

  'a trailing slash is for directories only': (root) => {
    write(root.at('file'));
    fs.mkdirSync(`${root.at('dir')}/`);
    assert.ok(fs.statSync(`${root.at('dir')}/`).isDirectory());
    fails(() => fs.statSync(`${root.at('file')}/`), 'ENOTDIR');
    fails(() => fs.unlinkSync(`${root.at('file')}/`), 'ENOTDIR');
    fails(() => fs.openSync(`${root.at('new')}/`, 'w'), 'EISDIR');
    fails(() => fs.renameSync(root.at('file'), `${root.at('other')}/`), 'ENOTDIR');
  },

  'a name that another process makes after a miss is seen at once': (root) => {
    const makers: [string, (file: string) => unknown][] = [
      ['created', (file) => tool('touch', [file])],
      ['directory', (file) => tool('mkdir', [file])],
      ['linked', (file) => tool('ln', [root.at('source'), file])],
      ['renamed', (file) => tool('mv', [root.at('source2'), file])],
      ['symlink', (file) => tool('ln', ['-s', 'nowhere', file])],
    ];
    write(root.at('source'));
    write(root.at('source2'));
    for (const [name, make] of makers) {
      for (let round = 0; round < 3; round++) fails(() => stat(root.at(name)), 'ENOENT');
      make(root.at(name));
      stat(root.at(name));
      assert.ok(names(root.dir).includes(name));
    }
    tool('rm', [root.at('created')]);
    fails(() => stat(root.at('created')), 'ENOENT');
    assert.ok(!names(root.dir).includes('created'));
  },

  'a rename over a file by another process is seen at once': (root) => {
    write(root.at('target'), 'old');
    const before = stat(root.at('target')).ino;
    write(root.at('source'), 'new content');
    tool('mv', ['-f', root.at('source'), root.at('target')]);
    const after = stat(root.at('target'));
    assert.notEqual(after.ino, before);
    assert.equal(after.size, 11n);
    assert.equal(fs.readFileSync(root.at('target'), 'utf8'), 'new content');
    fails(() => stat(root.at('source')), 'ENOENT');
  },

  'a path of 600 directories: relative access, rename of the top, rm -rf': async (root) => {
    const script = `
      const fs = require('node:fs');
      process.chdir(process.argv[1]);
      for (let depth = 0; depth < 600; depth++) { fs.mkdirSync('directory'); process.chdir('directory'); }
      fs.writeFileSync('bottom', 'deep');`;
    assert.equal(await ended(startScript(script, [root.dir])), 0);
    fs.renameSync(root.at('directory'), root.at('moved'));
    const below = tool(
      'sh',
      ['-c', 'i=0; while [ $i -lt 599 ]; do cd -P directory || exit 1; i=$((i+1)); done; cat bottom'],
      {
        cwd: root.at('moved'),
      },
    );
    assert.equal(below, 'deep');
    tool('rm', ['-rf', root.at('moved')]);
    assert.deepEqual(names(root.dir), []);
  },
};
