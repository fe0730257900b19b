import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mapFile, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../support/memory-map.ts';
import { fallocate, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../support/syscalls.ts';
import { fails, read, stat, tick, withOpen, write, type PosixTable } from './posix-root.ts';

const page = 4096;

export const mmapTests: PosixTable = {
  'a shared map shows what is written, and what it gets is in the file': async (root) => {
    write(root.at('f'), 'x'.repeat(3 * page));
    withOpen(root.at('f'), 'r+', (fd) => {
      const map = mapFile(fd, 3 * page, PROT_READ | PROT_WRITE, MAP_SHARED);
      assert.equal(map.bytes[page], 0x78);
      fs.writeSync(fd, 'written', page);
      assert.equal(map.bytes.toString('latin1', page, page + 7), 'written');
      map.bytes.write('mapped', 2 * page + 100);
      const back = Buffer.alloc(6);
      fs.readSync(fd, back, 0, 6, 2 * page + 100);
      assert.equal(back.toString(), 'mapped');
      map.sync();
      map.unmap();
    });
    await root.refresh();
    assert.equal(read(root.at('f')).slice(2 * page + 100, 2 * page + 106), 'mapped');
    assert.equal(stat(root.at('f')).size, BigInt(3 * page));
  },

  'a mapped write reaches the file without msync, once the map and the file are closed': async (root) => {
    write(root.at('f'), Buffer.alloc(page));
    withOpen(root.at('f'), 'r+', (fd) => {
      const map = mapFile(fd, page, PROT_READ | PROT_WRITE, MAP_SHARED);
      map.bytes.write('late', 10);
      map.unmap();
    });
    await root.refresh();
    assert.equal(read(root.at('f')).slice(10, 14), 'late');
  },

  'a mapped write moves mtime and ctime, not later than msync': (root) => {
    write(root.at('f'), Buffer.alloc(page));
    const before = stat(root.at('f'));
    tick();
    withOpen(root.at('f'), 'r+', (fd) => {
      const map = mapFile(fd, page, PROT_READ | PROT_WRITE, MAP_SHARED);
      map.bytes[0] = 1;
      map.sync();
      assert.ok(stat(root.at('f')).mtimeNs > before.mtimeNs);
      assert.ok(stat(root.at('f')).ctimeNs > before.ctimeNs);
      map.unmap();
    });
  },

  'what a private map gets never reaches the file': (root) => {
    write(root.at('f'), 'kept'.padEnd(page, '.'));
    withOpen(root.at('f'), 'r', (fd) => {
      const map = mapFile(fd, page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
      map.bytes.write('gone');
      map.unmap();
    });
    assert.equal(read(root.at('f')).slice(0, 4), 'kept');
  },

  'bytes behind the end in the last page read zero and never reach the file': async (root) => {
    write(root.at('f'), 'abc');
    withOpen(root.at('f'), 'r+', (fd) => {
      const map = mapFile(fd, page, PROT_READ | PROT_WRITE, MAP_SHARED);
      assert.ok(map.bytes.subarray(3).every((byte) => byte === 0));
      map.bytes.write('BEYOND', 100);
      map.sync();
      map.unmap();
    });
    await root.refresh();
    assert.equal(stat(root.at('f')).size, 3n);
    fs.truncateSync(root.at('f'), 1000);
    assert.equal(read(root.at('f')), `abc${'\0'.repeat(997)}`);
  },

  'mapped writes among truncation and holes survive exactly': async (root) => {
    write(root.at('f'), 'x'.repeat(8 * page));
    withOpen(root.at('f'), 'r+', (fd) => {
      const map = mapFile(fd, 8 * page, PROT_READ | PROT_WRITE, MAP_SHARED);
      map.bytes.fill('a', 0, page);
      fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page, 2 * page);
      map.bytes.fill('b', 2 * page, 2 * page + 10);
      fs.ftruncateSync(fd, 4 * page);
      fs.ftruncateSync(fd, 8 * page);
      map.bytes.fill('c', 6 * page, 6 * page + 10);
      map.sync();
      map.unmap();
    });
    await root.refresh();
    const content = read(root.at('f'));
    const wanted = Buffer.alloc(8 * page);
    wanted.fill('a', 0, page);
    wanted.fill('b', 2 * page, 2 * page + 10);
    wanted.fill('x', 3 * page, 4 * page);
    wanted.fill('c', 6 * page, 6 * page + 10);
    assert.ok(content === wanted.toString('latin1'));
  },

  'two maps of one file through different descriptors agree': (root) => {
    write(root.at('f'), Buffer.alloc(2 * page));
    withOpen(root.at('f'), 'r+', (one) =>
      withOpen(root.at('f'), 'r+', (two) => {
        const [first, second] = [one, two].map((fd) => mapFile(fd, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED));
        first!.bytes.write('shared', page);
        assert.equal(second!.bytes.toString('latin1', page, page + 6), 'shared');
        first!.unmap();
        second!.unmap();
      }),
    );
  },

  'a shared writable map needs a descriptor for writing': (root) => {
    write(root.at('f'), 'x');
    withOpen(root.at('f'), 'r', (fd) => {
      fails(() => mapFile(fd, page, PROT_READ | PROT_WRITE, MAP_SHARED), 'EACCES');
    });
  },
};
