import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  flock,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  recordLock,
} from '../support/syscalls.ts';
import {
  ended,
  fails,
  firstOutput,
  requireCommand,
  startScript,
  tool,
  withOpen,
  write,
  type PosixTable,
} from './posix-root.ts';
import { spawn } from 'node:child_process';

export const lockTests: PosixTable = {
  'flock: shared with shared, exclusive alone, converted, given up with the descriptor': (root) => {
    write(root.at('f'));
    withOpen(root.at('f'), 'r', (one) => {
      withOpen(root.at('f'), 'r', (two) => {
        flock(one, LOCK_SH | LOCK_NB);
        flock(two, LOCK_SH | LOCK_NB);
        fails(() => flock(one, LOCK_EX | LOCK_NB), 'EAGAIN');
        flock(two, LOCK_UN);
        flock(one, LOCK_EX | LOCK_NB);
        fails(() => flock(two, LOCK_SH | LOCK_NB), 'EAGAIN');
      });
    });
    withOpen(root.at('f'), 'r', (fd) => flock(fd, LOCK_EX | LOCK_NB));
  },

  'locks of open files: ranges conflict where they overlap only': (root) => {
    write(root.at('f'), 'x'.repeat(100));
    withOpen(root.at('f'), 'r+', (one) =>
      withOpen(root.at('f'), 'r+', (two) => {
        recordLock(one, F_WRLCK, 10, 10, true);
        fails(() => recordLock(two, F_RDLCK, 19, 5, true), 'EAGAIN');
        recordLock(two, F_WRLCK, 20, 10, true);
        recordLock(one, F_UNLCK, 12, 3, true);
        recordLock(two, F_WRLCK, 12, 3, true);
        fails(() => recordLock(two, F_WRLCK, 11, 2, true), 'EAGAIN');
        recordLock(one, F_RDLCK, 30, 0, true);
        recordLock(two, F_RDLCK, 1000, 5, true);
      }),
    );
  },

  'locks of a process are given up when it closes any descriptor of the file': (root) => {
    write(root.at('f'), 'x');
    const fd = fs.openSync(root.at('f'), 'r+');
    recordLock(fd, F_WRLCK, 0, 1, false);
    withOpen(root.at('f'), 'r+', (other) => fails(() => recordLock(other, F_WRLCK, 0, 1, true), 'EAGAIN'));
    // Closing `other` has given up the lock of the process (fcntl(2)).
    withOpen(root.at('f'), 'r+', (other) => recordLock(other, F_WRLCK, 0, 1, true));
    fs.closeSync(fd);
  },

  'flock(1) keeps others out while it holds, kill -9 of the holder lets them in': async (root) => {
    requireCommand('flock', 'util-linux');
    write(root.at('f'));
    const holder = spawn('flock', ['--no-fork', root.at('f'), 'sh', '-c', 'echo held; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = ended(holder);
    await firstOutput(holder);
    const attempt = ['--nonblock', '--conflict-exit-code', '9', root.at('f'), 'true'];
    assert.equal(tool('sh', ['-c', 'flock "$@"; echo $?', 'sh', ...attempt]).trim(), '9');
    holder.kill('SIGKILL');
    await gone;
    assert.equal(tool('sh', ['-c', 'flock "$@"; echo $?', 'sh', ...attempt]).trim(), '0');
  },

  'a lock serialises the processes that ask for it': async (root) => {
    requireCommand('flock', 'util-linux');
    write(root.at('counter'), '0');
    const script = `
      const { execFileSync } = require('node:child_process');
      for (let round = 0; round < 10; round++) {
        const add = 'n=$(cat counter); echo $((n+1)) > counter';
        execFileSync('flock', ['lock', 'sh', '-c', add], { cwd: process.argv[1] });
      }`;
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => ended(startScript(script, [root.dir])))), [0, 0, 0]);
    assert.equal(fs.readFileSync(root.at('counter'), 'utf8').trim(), '30');
  },
};
