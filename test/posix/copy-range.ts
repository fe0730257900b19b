import assert from 'node:assert/strict';
import fs from 'node:fs';
import { copyFileRange } from '../support/syscalls.ts';
import { fails, read, stat, withOpen, write, type PosixTable } from './posix-root.ts';

const content = Array.from({ length: 40_000 }, (_, index) => String(index).padStart(5, '0')).join('');

export const copyRangeTests: PosixTable = {
  'copy_file_range copies whole files and unaligned parts': async (root) => {
    write(root.at('from'), content);
    withOpen(root.at('from'), 'r', (from) => {
      withOpen(root.at('whole'), 'w', (to) => {
        for (let at = 0; at < content.length;) {
          const copied = copyFileRange(from, at, to, at, content.length - at);
          assert.ok(copied > 0);
          at += copied;
        }
      });
      write(root.at('part'), 'x'.repeat(10_000));
      withOpen(root.at('part'), 'r+', (to) => assert.equal(copyFileRange(from, 12_345, to, 777, 5000), 5000));
    });
    await root.refresh();
    assert.equal(read(root.at('whole')), content);
    const part = `${'x'.repeat(777)}${content.slice(12_345, 17_345)}${'x'.repeat(10_000 - 5777)}`;
    assert.equal(read(root.at('part')), part);
  },

  'what is copied stands on its own afterwards': async (root) => {
    write(root.at('from'), content);
    withOpen(root.at('from'), 'r', (from) =>
      withOpen(root.at('to'), 'w', (to) => assert.equal(copyFileRange(from, 0, to, 0, 131_072), 131_072)),
    );
    withOpen(root.at('from'), 'r+', (fd) => fs.writeSync(fd, 'CHANGED', 4096));
    withOpen(root.at('to'), 'r+', (fd) => fs.writeSync(fd, 'OTHER', 65_536));
    await root.refresh();
    const patch = (at: number, text: string): string => content.slice(0, at) + text + content.slice(at + text.length);
    assert.equal(read(root.at('from')), patch(4096, 'CHANGED'));
    assert.equal(read(root.at('to')), patch(65_536, 'OTHER').slice(0, 131_072));
  },

  'past the end nothing is copied; within one file ranges may touch but not overlap': (root) => {
    write(root.at('f'), content.slice(0, 20_000));
    withOpen(root.at('f'), 'r+', (fd) => {
      withOpen(root.at('other'), 'w', (to) => {
        assert.equal(copyFileRange(fd, 20_000, to, 0, 100), 0);
        assert.equal(copyFileRange(fd, 19_990, to, 0, 100), 10);
      });
      fails(() => copyFileRange(fd, 0, fd, 50, 100), 'EINVAL');
      assert.equal(copyFileRange(fd, 0, fd, 20_000, 8192), 8192);
    });
    assert.equal(read(root.at('f')), content.slice(0, 20_000) + content.slice(0, 8192));
    assert.equal(stat(root.at('other')).size, 10n);
  },

  'descriptors of the wrong kind are refused': (root) => {
    write(root.at('f'), 'abc');
    withOpen(root.at('f'), 'r', (readOnly) => {
      withOpen(root.at('g'), 'w', (writeOnly) => {
        fails(() => copyFileRange(writeOnly, 0, writeOnly, 10, 1), 'EBADF');
        fails(() => copyFileRange(readOnly, 0, readOnly, 10, 1), 'EBADF');
        withOpen(root.dir, 'r', (dir) => fails(() => copyFileRange(dir, 0, writeOnly, 0, 1), 'EISDIR'));
      });
      withOpen(root.at('h'), 'a', (append) => fails(() => copyFileRange(readOnly, 0, append, 0, 1), 'EBADF'));
    });
  },
};
