import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  fallocate,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  lseek,
  SEEK_DATA,
  SEEK_HOLE,
} from '../support/syscalls.ts';
import { errnoNameOf } from '../support/errno.ts';
import { fails, read, stat, tool, withOpen, write, type PosixTable } from './posix-root.ts';

const MiB = 1 << 20;

export const sparseTests: PosixTable = {
  'SEEK_DATA and SEEK_HOLE find the parts of a sparse file': async (root) => {
    withOpen(root.at('f'), 'w+', (fd) => {
      fs.writeSync(fd, Buffer.alloc(65_536, 'a'), 0, 65_536, MiB);
      fs.writeSync(fd, Buffer.alloc(65_536, 'b'), 0, 65_536, 3 * MiB);
      fs.ftruncateSync(fd, 4 * MiB);
    });
    for (let pass = 0; pass < 2; pass++) {
      withOpen(root.at('f'), 'r', (fd) => {
        assert.equal(lseek(fd, 0, SEEK_DATA), MiB);
        assert.equal(lseek(fd, MiB, SEEK_HOLE), MiB + 65_536);
        assert.equal(lseek(fd, MiB + 10_000, SEEK_DATA), MiB + 10_000);
        assert.equal(lseek(fd, 2 * MiB, SEEK_DATA), 3 * MiB);
        assert.equal(lseek(fd, 2 * MiB, SEEK_HOLE), 2 * MiB);
        assert.equal(lseek(fd, 0, SEEK_HOLE), 0);
        fails(() => lseek(fd, 3 * MiB + 65_536, SEEK_DATA), 'ENXIO');
        assert.equal(lseek(fd, 3 * MiB + 65_536, SEEK_HOLE), 3 * MiB + 65_536);
      });
      await root.refresh();
    }
  },

  'SEEK_HOLE finds the end of a file without holes; at and past the end ENXIO': (root) => {
    write(root.at('one'), 'x');
    write(root.at('full'), 'y'.repeat(100_000));
    write(root.at('empty'));
    withOpen(root.at('one'), 'r', (fd) => {
      assert.equal(lseek(fd, 0, SEEK_DATA), 0);
      assert.equal(lseek(fd, 0, SEEK_HOLE), 1);
      for (const whence of [SEEK_DATA, SEEK_HOLE]) {
        fails(() => lseek(fd, 1, whence), 'ENXIO');
        fails(() => lseek(fd, 100, whence), 'ENXIO');
        fails(() => lseek(fd, -1, whence), 'ENXIO');
      }
    });
    withOpen(root.at('full'), 'r', (fd) => assert.equal(lseek(fd, 50_000, SEEK_HOLE), 100_000));
    withOpen(root.at('empty'), 'r', (fd) => fails(() => lseek(fd, 0, SEEK_HOLE), 'ENXIO'));
  },

  'data that was just written is data before any flush': (root) => {
    withOpen(root.at('f'), 'w+', (fd) => {
      fs.ftruncateSync(fd, MiB);
      fs.writeSync(fd, 'x', 500_000);
      const data = lseek(fd, 0, SEEK_DATA);
      assert.ok(data <= 500_000 && data > 400_000);
      assert.ok(lseek(fd, data, SEEK_HOLE) > 500_000);
      assert.ok(stat(root.at('f')).blocks > 0n);
    });
  },

  'a hole takes no space, data takes some': async (root) => {
    withOpen(root.at('hole'), 'w', (fd) => fs.ftruncateSync(fd, 100 * MiB));
    write(root.at('data'), 'x'.repeat(MiB));
    withOpen(root.at('data'), 'r', (fd) => fs.fsyncSync(fd));
    await root.refresh();
    assert.equal(stat(root.at('hole')).blocks, 0n);
    const { blocks } = stat(root.at('data'));
    assert.ok(blocks >= 2048n && blocks < 2300n, `${blocks} blocks`);
    assert.equal(read(root.at('hole')).slice(50 * MiB, 50 * MiB + 3), '\0\0\0');
  },

  'a punched hole reads zero, keeps the size and gives its blocks back': async (root) => {
    write(root.at('f'), 'x'.repeat(MiB));
    withOpen(root.at('f'), 'r+', (fd) => {
      const before = fs.fstatSync(fd).blocks;
      fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 256 * 1024, 512 * 1024);
      fs.fsyncSync(fd);
      assert.ok(fs.fstatSync(fd).blocks <= before - 1000);
    });
    await root.refresh();
    const content = read(root.at('f'));
    assert.equal(content.length, MiB);
    assert.equal(content.indexOf('\0'), 256 * 1024);
    assert.equal(content.lastIndexOf('\0'), 768 * 1024 - 1);
    assert.match(content.slice(256 * 1024, 768 * 1024), /^\0+$/);
  },

  'a hole with unaligned ends zeroes exactly its bytes': async (root) => {
    const holes = [
      [1, 2],
      [4000, 200],
      [10_001, 20_002],
      [65_536, 1],
      [99_990, 100],
    ] as const;
    const model = Buffer.alloc(100_000, 'z');
    write(root.at('f'), model);
    withOpen(root.at('f'), 'r+', (fd) => {
      for (const [offset, length] of holes) {
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
        model.fill(0, offset, Math.min(offset + length, model.length));
      }
      fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 200_000, 4096);
    });
    assert.ok(fs.readFileSync(root.at('f')).equals(model));
    await root.refresh();
    assert.ok(fs.readFileSync(root.at('f')).equals(model));
  },

  'zero range zeroes, and extends unless the size is kept': async (root) => {
    write(root.at('f'), 'x'.repeat(20_000));
    withOpen(root.at('f'), 'r+', (fd) => {
      fallocate(fd, FALLOC_FL_ZERO_RANGE, 5000, 5001);
      fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 19_000, 5000);
      assert.equal(fs.fstatSync(fd).size, 20_000);
      fallocate(fd, FALLOC_FL_ZERO_RANGE, 30_000, 1000);
      assert.equal(fs.fstatSync(fd).size, 31_000);
    });
    await root.refresh();
    const wanted = Buffer.alloc(31_000);
    wanted.fill('x', 0, 5000).fill('x', 10_001, 19_000);
    assert.ok(fs.readFileSync(root.at('f')).equals(wanted));
  },

  'fallocate extends with zeros, or reserves behind the end': async (root) => {
    write(root.at('f'), 'abc');
    withOpen(root.at('f'), 'r+', (fd) => {
      fallocate(fd, 0, 0, 50_000);
      fallocate(fd, FALLOC_FL_KEEP_SIZE, 50_000, 50_000);
      assert.equal(fs.fstatSync(fd).size, 50_000);
      fails(() => fallocate(fd, 0, 0, 0), 'EINVAL');
      fails(() => fallocate(fd, 0, -1, 10), 'EINVAL');
      fails(() => fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), 'EOPNOTSUPP');
    });
    withOpen(root.at('f'), 'r', (fd) => fails(() => fallocate(fd, 0, 0, 10), 'EBADF'));
    await root.refresh();
    assert.equal(read(root.at('f')), `abc${'\0'.repeat(49_997)}`);
  },

  'collapse and insert range work, or say that they are not there': (root) => {
    const blocks = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(65_536));
    for (const [mode, wanted] of [
      [FALLOC_FL_COLLAPSE_RANGE, [blocks[0], blocks[2], blocks[3]]],
      [FALLOC_FL_INSERT_RANGE, [blocks[0], '\0'.repeat(65_536), blocks[1], blocks[2], blocks[3]]],
    ] as const) {
      write(root.at('f'), blocks.join(''));
      let expected = wanted.join('');
      try {
        withOpen(root.at('f'), 'r+', (fd) => fallocate(fd, mode, 65_536, 65_536));
      } catch (error) {
        assert.equal(errnoNameOf(error), 'EOPNOTSUPP');
        expected = blocks.join('');
      }
      assert.ok(read(root.at('f')) === expected);
    }
  },

  'cp --sparse, tar -S and truncate -s keep holes': (root) => {
    withOpen(root.at('f'), 'w+', (fd) => {
      fs.ftruncateSync(fd, 8 * MiB);
      fs.writeSync(fd, 'middle', 4 * MiB);
    });
    const script =
      'cp --sparse=always f copied; tar cSf t.tar f; mkdir out; tar xSf t.tar -C out; truncate -s 9M copied';
    tool('sh', ['-ec', script], { cwd: root.dir });
    tool('cmp', ['-n', String(8 * MiB), root.at('f'), root.at('copied')]);
    tool('cmp', [root.at('f'), root.at('out', 'f')]);
    for (const copy of [root.at('copied'), root.at('out', 'f')]) assert.ok(stat(copy).blocks < 1024n, copy);
  },

  'a file with data beyond 4 GiB and at 1 TiB': async (root) => {
    const offsets = [0, 2 ** 32 - 3, 2 ** 32 + 10_000, 2 ** 40];
    withOpen(root.at('f'), 'w+', (fd) => {
      for (const offset of offsets) fs.writeSync(fd, `at ${offset}`.padEnd(20), offset);
    });
    await root.refresh();
    withOpen(root.at('f'), 'r', (fd) => {
      assert.equal(fs.fstatSync(fd).size, 2 ** 40 + 20);
      const buffer = Buffer.alloc(20);
      for (const offset of offsets) {
        assert.equal(fs.readSync(fd, buffer, 0, 20, offset), 20);
        assert.equal(buffer.toString().trim(), `at ${offset}`);
      }
      fs.readSync(fd, buffer, 0, 20, 2 ** 33);
      assert.ok(buffer.every((byte) => byte === 0));
      assert.ok(fs.fstatSync(fd).blocks < 1024);
    });
  },

  'sizes beyond what a file can have give EFBIG and never wrap': (root) => {
    write(root.at('f'), 'x');
    withOpen(root.at('f'), 'r+', (fd) => {
      fails(() => fs.writeSync(fd, Buffer.from('y'), 0, 1, Number.MAX_SAFE_INTEGER - 1), 'EFBIG');
      fails(() => fs.ftruncateSync(fd, Number.MAX_SAFE_INTEGER - 1), 'EFBIG');
      fails(() => fallocate(fd, 0, Number.MAX_SAFE_INTEGER - 100, 50), 'EFBIG');
    });
    assert.equal(read(root.at('f')), 'x');
  },
};
