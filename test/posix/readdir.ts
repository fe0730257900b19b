import assert from 'node:assert/strict';
import fs from 'node:fs';
import { getdents, lseek, mknod, SEEK_SET, type RawDirent } from '../support/syscalls.ts';
import { ended, firstOutput, names, startScript, stat, withOpen, write, type PosixTable } from './posix-root.ts';

/** All entries of an open directory from its position on, read through a buffer of `size` bytes. */
function all(fd: number, size = 32_768): RawDirent[] {
  const entries: RawDirent[] = [];
  for (;;) {
    const some = getdents(fd, size);
    if (some.length === 0) return entries;
    entries.push(...some);
  }
}

function nameList(entries: readonly RawDirent[]): string[] {
  return entries.map((entry) => entry.name.toString('latin1')).sort();
}

/** The type in an entry for a mode: DT_x is S_IFx >> 12 (include/linux/fs_types.h of the kernel). */
function typeOf(mode: bigint): number {
  return Number((mode >> 12n) & 0xfn);
}

export const readdirTests: PosixTable = {
  'entries carry the inode number and type that stat gives': async (root) => {
    write(root.at('file'));
    fs.mkdirSync(root.at('dir'));
    fs.symlinkSync('x', root.at('symlink'));
    fs.linkSync(root.at('file'), root.at('hard'));
    mknod(root.at('fifo'), fs.constants.S_IFIFO | 0o600);
    mknod(root.at('socket'), fs.constants.S_IFSOCK | 0o600);
    await root.refresh();
    withOpen(root.dir, 'r', (fd) => {
      const entries = all(fd);
      assert.deepEqual(nameList(entries), ['.', '..', 'dir', 'fifo', 'file', 'hard', 'socket', 'symlink']);
      for (const entry of entries) {
        if (entry.name.toString() === '..') continue;
        const status = stat(root.atBytes(entry.name));
        assert.equal(entry.ino, status.ino, entry.name.toString());
        assert.equal(entry.type, typeOf(status.mode), entry.name.toString());
      }
    });
  },

  'dot and dot-dot are the directory and its parent': (root) => {
    fs.mkdirSync(root.at('d'));
    withOpen(root.at('d'), 'r', (fd) => {
      const entries = new Map(all(fd).map((entry) => [entry.name.toString(), entry]));
      assert.equal(entries.get('.')?.ino, stat(root.at('d')).ino);
      assert.equal(entries.get('..')?.ino, stat(root.dir).ino);
      assert.equal(entries.size, 2);
    });
  },

  'positions are unique, and each leads to what comes after it': async (root) => {
    for (let index = 0; index < 500; index++) write(root.at(`name-${index}`));
    await root.refresh();
    withOpen(root.dir, 'r', (fd) => {
      const entries = all(fd);
      assert.equal(entries.length, 502);
      assert.equal(new Set(entries.map((entry) => entry.offset)).size, 502);
      for (let index = 0; index < entries.length; index += 41) {
        lseek(fd, entries[index]!.offset, SEEK_SET);
        const rest = all(fd, 1024).map((entry) => entry.name.toString());
        assert.deepEqual(
          rest,
          entries.slice(index + 1).map((entry) => entry.name.toString()),
        );
      }
    });
  },

  'small buffers give the same list as large ones': (root) => {
    for (let index = 0; index < 200; index++) write(root.at('n'.repeat(1 + (index % 200)) + String(index)));
    const lists = [300, 1000, 65_536].map((size) => withOpen(root.dir, 'r', (fd) => nameList(all(fd, size))));
    assert.equal(lists[0]!.length, 202);
    assert.deepEqual(lists[1], lists[0]);
    assert.deepEqual(lists[2], lists[0]);
  },

  'going back to the start shows what was added and removed since': (root) => {
    write(root.at('a'));
    write(root.at('b'));
    withOpen(root.dir, 'r', (fd) => {
      assert.deepEqual(nameList(all(fd)), ['.', '..', 'a', 'b']);
      write(root.at('c'));
      fs.unlinkSync(root.at('a'));
      lseek(fd, 0, SEEK_SET);
      assert.deepEqual(nameList(all(fd)), ['.', '..', 'b', 'c']);
    });
  },

  'a second descriptor sees what was changed through the first': (root) => {
    fs.mkdirSync(root.at('d'));
    withOpen(root.at('d'), 'r', (first) => {
      assert.equal(all(first).length, 2);
      write(root.at('d', 'new'));
      withOpen(root.at('d'), 'r', (second) => assert.equal(all(second).length, 3));
    });
    fs.renameSync(root.at('d', 'new'), root.at('d', 'newer'));
    assert.deepEqual(names(root.at('d')), ['newer']);
  },

  'removing entries while the listing runs loses none of the others': (root) => {
    for (let index = 0; index < 1000; index++) write(root.at(`name-${index}`));
    const seen = new Set<string>();
    withOpen(root.dir, 'r', (fd) => {
      for (let some = getdents(fd, 1024); some.length > 0; some = getdents(fd, 1024)) {
        for (const entry of some) {
          const name = entry.name.toString();
          if (name === '.' || name === '..') continue;
          assert.ok(!seen.has(name), `${name} twice`);
          seen.add(name);
          fs.unlinkSync(root.at(name));
        }
      }
    });
    assert.equal(seen.size, 1000);
    assert.deepEqual(names(root.dir), []);
  },

  'names that stay are listed exactly once while another process makes and removes some': async (root) => {
    for (let index = 0; index < 300; index++) write(root.at(`stays-${index}`));
    const script = `
      const fs = require('node:fs');
      process.chdir(process.argv[1]);
      process.stdout.write('ready');
      for (let round = 0; round < 1500; round++) {
        fs.writeFileSync('comes-' + round, '');
        if (round >= 5) fs.unlinkSync('comes-' + (round - 5));
      }`;
    const other = startScript(script, [root.dir]);
    const done = ended(other);
    await firstOutput(other);
    let listings = 0;
    do {
      withOpen(root.dir, 'r', (fd) => {
        const stays = nameList(all(fd, 2048)).filter((name) => name.startsWith('stays-'));
        assert.equal(stays.length, 300);
        assert.equal(new Set(stays).size, 300);
      });
      listings++;
      await new Promise((resolve) => setImmediate(resolve));
    } while (other.exitCode === null && other.signalCode === null);
    assert.equal(await done, 0);
    assert.ok(listings > 0);
  },

  'a listing comes to its end while names are being renamed': async (root) => {
    for (let index = 0; index < 100; index++) write(root.at(`a-${index}`));
    const script = `
      const fs = require('node:fs');
      process.chdir(process.argv[1]);
      process.stdout.write('ready');
      for (let round = 0; round < 2000; round++) {
        const index = round % 100, odd = Math.floor(round / 100) % 2;
        fs.renameSync((odd ? 'z-' : 'a-') + index, (odd ? 'a-' : 'z-') + index);
      }`;
    const other = startScript(script, [root.dir]);
    const done = ended(other);
    await firstOutput(other);
    do {
      withOpen(root.dir, 'r', (fd) => {
        for (let batches = 0; getdents(fd, 512).length > 0; batches++) assert.ok(batches < 2000, 'has no end');
      });
      await new Promise((resolve) => setImmediate(resolve));
    } while (other.exitCode === null && other.signalCode === null);
    assert.equal(await done, 0);
    assert.equal(names(root.dir).length, 100);
  },
};
