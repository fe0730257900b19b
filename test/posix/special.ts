import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { makedev, mknod } from '../support/syscalls.ts';
import {
  ended,
  fails,
  modeOf,
  requireRoot,
  startScript,
  stat,
  tool,
  withUmask,
  write,
  type PosixTable,
} from './posix-root.ts';

const { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFREG, S_IFDIR } = fs.constants;

export const specialTests: PosixTable = {
  'fifos, sockets and devices are what they were made as': async (root) => {
    requireRoot();
    withUmask(0, () => {
      mknod(root.at('fifo'), S_IFIFO | 0o640);
      mknod(root.at('socket'), S_IFSOCK | 0o755);
      mknod(root.at('null'), S_IFCHR | 0o666, makedev(1, 3));
      mknod(root.at('disk'), S_IFBLK | 0o600, makedev(259, 65_537));
      mknod(root.at('plain'), S_IFREG | 0o604);
    });
    await root.refresh();
    assert.ok(stat(root.at('fifo')).isFIFO() && stat(root.at('socket')).isSocket());
    assert.ok(stat(root.at('null')).isCharacterDevice() && stat(root.at('disk')).isBlockDevice());
    assert.equal(tool('stat', ['-c', '%t:%T', root.at('null')]).trim(), '1:3');
    assert.equal(tool('stat', ['-c', '%t:%T', root.at('disk')]).trim(), '103:10001');
    assert.deepEqual(
      ['fifo', 'socket', 'null', 'disk', 'plain'].map((name) => modeOf(root.at(name))),
      [0o640, 0o755, 0o666, 0o600, 0o604],
    );
    assert.ok(stat(root.at('plain')).isFile());
  },

  'mknod refuses directories, taken names and, for devices, ordinary users': (root) => {
    write(root.at('taken'));
    fails(() => mknod(root.at('taken'), S_IFIFO | 0o600), 'EEXIST');
    fails(() => mknod(root.at('dir'), S_IFDIR | 0o755), 'EPERM', 'EINVAL');
    fails(() => mknod(root.at('missing', 'fifo'), S_IFIFO | 0o600), 'ENOENT');
  },

  'a fifo carries bytes between processes': (root) => {
    mknod(root.at('fifo'), S_IFIFO | 0o600);
    const output = tool('sh', ['-c', '(echo through the fifo > fifo) & cat fifo; wait'], { cwd: root.dir });
    assert.equal(output, 'through the fifo\n');
    assert.equal(stat(root.at('fifo')).size, 0n);
  },

  'a socket can be bound and reached; opened as a file it gives ENXIO': async (root) => {
    const server = net.createServer((connection) => connection.end('answer'));
    process.chdir(root.dir);
    // The name goes through the working directory: a socket's path has room for 107 bytes only.
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject);
      server.listen('socket', resolve);
    });
    try {
      assert.ok(stat(root.at('socket')).isSocket());
      fails(() => fs.openSync(root.at('socket'), 'r'), 'ENXIO');
      const answer = await new Promise<string>((resolve, reject) => {
        net
          .connect('socket')
          .on('data', (data) => resolve(data.toString()))
          .on('error', reject);
      });
      assert.equal(answer, 'answer');
    } finally {
      process.chdir('/');
      await new Promise((resolve) => server.close(resolve));
    }
  },

  'a program and a script run from here': async (root) => {
    fs.copyFileSync('/bin/echo', root.at('echo'));
    fs.chmodSync(root.at('echo'), 0o755);
    fs.writeFileSync(root.at('script'), '#!/bin/sh\n"$(dirname "$0")/echo" from the script\n', { mode: 0o755 });
    await root.refresh();
    assert.equal(tool('sh', ['-c', './echo plain'], { cwd: root.dir }), 'plain\n');
    assert.equal(tool('sh', ['-c', './script'], { cwd: root.dir }), 'from the script\n');
  },

  'nobody runs a file without an x bit, root neither': (root) => {
    fs.copyFileSync('/bin/true', root.at('true'));
    fs.chmodSync(root.at('true'), 0o666);
    const output = tool('sh', ['-c', './true 2>&1 || echo status $?'], { cwd: root.dir });
    assert.match(output, /status 126/);
  },

  'a running program cannot be written, a written one cannot be run': async (root) => {
    fs.copyFileSync('/bin/sleep', root.at('sleep'));
    fs.chmodSync(root.at('sleep'), 0o755);
    const script = `
      const child = require('node:child_process').spawn('sh', ['-c', 'echo started; exec ' + process.argv[1] + ' 5']);
      child.stdout.once('data', () => setTimeout(() => {
        let code = 'none';
        try { require('node:fs').openSync(process.argv[1], 'r+'); } catch (error) { code = error.code; }
        child.kill('SIGKILL');
        process.exit(code === 'ETXTBSY' ? 0 : 1);
      }, 300));`;
    assert.equal(await ended(startScript(script, [root.at('sleep')])), 0);
    const fd = fs.openSync(root.at('sleep'), 'r+');
    const output = tool('sh', ['-c', './sleep 0 2>&1 || echo status $?'], { cwd: root.dir });
    fs.closeSync(fd);
    assert.match(output, /Text file busy/);
  },
};
