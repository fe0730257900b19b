import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mapFile, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../support/memory-map.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { sendfile, syncfs } from '../support/syscalls.ts';
import { ended, fails, read, startScript, stat, tool, withOpen, write, type PosixTable } from './posix-root.ts';

const { O_RDWR, O_CREAT, O_WRONLY, O_DIRECT, O_SYNC, O_DSYNC } = fs.constants;

/** Bytes in which every position differs from its neighbours and from other blocks, so that a mix-up shows. */
function pattern(length: number, seed = 0): Buffer {
  const random = seededRandom(length + seed);
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = random(256);
  return bytes;
}

export const dataTests: PosixTable = {
  'bytes written are bytes read, at all sizes around a block and a page': async (root) => {
    const sizes = [0, 1, 2, 511, 512, 513, 4095, 4096, 4097, 8191, 8192, 65_535, 131_072, 131_073, 1_048_577];
    for (const size of sizes) write(root.at(`f${size}`), pattern(size));
    for (let pass = 0; pass < 2; pass++) {
      for (const size of sizes) {
        assert.ok(fs.readFileSync(root.at(`f${size}`)).equals(pattern(size)), `size ${size}, pass ${pass}`);
        assert.equal(stat(root.at(`f${size}`)).size, BigInt(size));
      }
      await root.refresh();
    }
  },

  'overwriting parts of a file leaves the rest': async (root) => {
    const model = pattern(100_000);
    write(root.at('f'), model);
    withOpen(root.at('f'), 'r+', (fd) => {
      for (const [offset, length] of [
        [0, 10],
        [4090, 12],
        [8192, 4096],
        [50_001, 9_999],
        [99_999, 1],
      ] as const) {
        const patch = pattern(length, offset);
        patch.copy(model, offset);
        assert.equal(fs.writeSync(fd, patch, 0, length, offset), length);
      }
    });
    assert.ok(fs.readFileSync(root.at('f')).equals(model));
    await root.refresh();
    assert.ok(fs.readFileSync(root.at('f')).equals(model));
  },

  'readv and writev, with empty parts': (root) => {
    withOpen(root.at('f'), 'w+', (fd) => {
      const parts = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two'), Buffer.alloc(5000, 'x')];
      assert.equal(fs.writevSync(fd, parts, 10), 5006);
      const back = [Buffer.alloc(4), Buffer.alloc(0), Buffer.alloc(5100)];
      assert.equal(fs.readvSync(fd, back, 10), 5006);
      assert.equal(back[0]!.toString(), 'onet');
      assert.equal(back[2]!.toString('latin1', 0, 4), 'woxx');
      assert.equal(read(root.at('f')).slice(0, 10), '\0'.repeat(10));
    });
  },

  'reads at and past the end give nothing': (root) => {
    write(root.at('f'), 'abc');
    withOpen(root.at('f'), 'r', (fd) => {
      const buffer = Buffer.alloc(10);
      assert.equal(fs.readSync(fd, buffer, 0, 10, 1), 2);
      assert.equal(fs.readSync(fd, buffer, 0, 10, 3), 0);
      assert.equal(fs.readSync(fd, buffer, 0, 10, 1_000_000_000), 0);
      fails(() => fs.writeSync(fd, 'x'), 'EBADF');
    });
    withOpen(root.at('f'), O_WRONLY, (fd) => fails(() => fs.readSync(fd, Buffer.alloc(1)), 'EBADF'));
  },

  'truncate down then up leaves zeros, also in the rest of a page': async (root) => {
    for (const [size, cut] of [
      [10_000, 5_000],
      [4096, 1],
      [200_000, 131_073],
      [100, 50],
    ] as const) {
      const file = root.at(`f${size}`);
      write(file, pattern(size));
      fs.truncateSync(file, cut);
      fs.truncateSync(file, size + 100);
      const wanted = Buffer.concat([pattern(size).subarray(0, cut), Buffer.alloc(size + 100 - cut)]);
      assert.ok(fs.readFileSync(file).equals(wanted), `size ${size}`);
      await root.refresh();
      assert.ok(fs.readFileSync(file).equals(wanted), `size ${size} after the refresh`);
    }
  },

  'a write past the end leaves zeros in between': async (root) => {
    write(root.at('f'), 'start');
    await root.refresh();
    withOpen(root.at('f'), 'r+', (fd) => fs.writeSync(fd, 'end', 70_000));
    await root.refresh();
    const content = read(root.at('f'));
    assert.equal(content.length, 70_003);
    assert.equal(content, `start${'\0'.repeat(69_995)}end`);
  },

  '2,000 random writes, truncations and reads match a copy in memory': async (root) => {
    const random = seededRandom(4711);
    let model = Buffer.alloc(0);
    const file = root.at('f');
    write(file);
    for (let batch = 0; batch < 4; batch++) {
      withOpen(file, O_RDWR, (fd) => {
        for (let step = 0; step < 500; step++) {
          const offset = random(300_000);
          const length = 1 + random(random(10) === 0 ? 70_000 : 3000);
          const kind = random(10);
          if (kind < 6) {
            const bytes = pattern(length, step);
            if (model.length < offset + length) {
              model = Buffer.concat([model, Buffer.alloc(offset + length - model.length)]);
            }
            bytes.copy(model, offset);
            assert.equal(fs.writeSync(fd, bytes, 0, length, offset), length);
          } else if (kind === 6) {
            const bigger = Buffer.alloc(offset);
            model.copy(bigger, 0, 0, Math.min(model.length, offset));
            model = bigger;
            fs.ftruncateSync(fd, offset);
          } else {
            const buffer = Buffer.alloc(length);
            const got = fs.readSync(fd, buffer, 0, length, offset);
            const wanted = model.subarray(offset, offset + length);
            assert.ok(buffer.subarray(0, got).equals(wanted), `batch ${batch} step ${step}`);
          }
        }
        assert.equal(fs.fstatSync(fd).size, model.length);
      });
      assert.ok(fs.readFileSync(file).equals(model), `batch ${batch}`);
      await root.refresh();
      assert.ok(fs.readFileSync(file).equals(model), `batch ${batch} after the refresh`);
    }
  },

  'two descriptors of one file see each other': (root) => {
    withOpen(root.at('f'), 'w+', (one) => {
      withOpen(root.at('f'), 'r+', (two) => {
        fs.writeSync(one, 'from one', 0);
        assert.equal(fs.readFileSync(two, 'latin1'), 'from one');
        fs.writeSync(two, 'FROM TWO, longer', 0);
        const buffer = Buffer.alloc(20);
        assert.equal(fs.readSync(one, buffer, 0, 20, 0), 16);
        assert.equal(buffer.toString('latin1', 0, 16), 'FROM TWO, longer');
      });
    });
  },

  'O_SYNC, O_DSYNC, fsync, fdatasync and syncfs succeed': (root) => {
    for (const flag of [O_SYNC, O_DSYNC]) {
      withOpen(root.at('f'), O_CREAT | O_WRONLY | flag, (fd) => {
        fs.writeSync(fd, 'x'.repeat(10_000));
        fs.fsyncSync(fd);
        fs.fdatasyncSync(fd);
        syncfs(fd);
      });
    }
    withOpen(root.dir, 'r', (fd) => fs.fsyncSync(fd));
    assert.equal(read(root.at('f')).length, 10_000);
  },

  'O_DIRECT reads and writes agree with buffered ones': (root) => {
    const memory = mapFile(-1, 65_536, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    pattern(65_536).copy(memory.bytes);
    withOpen(root.at('f'), O_CREAT | O_RDWR | O_DIRECT, (fd) => {
      assert.equal(fs.writeSync(fd, memory.bytes, 0, 65_536, 0), 65_536);
      assert.ok(fs.readFileSync(root.at('f')).equals(pattern(65_536)));
      withOpen(root.at('f'), 'r+', (buffered) => fs.writeSync(buffered, 'changed', 8192));
      assert.equal(fs.readSync(fd, memory.bytes, 0, 4096, 8192), 4096);
      assert.equal(memory.bytes.toString('latin1', 0, 7), 'changed');
      assert.equal(fs.readSync(fd, memory.bytes, 0, 4096, 65_536), 0);
    });
    memory.unmap();
  },

  'four processes that write parts of one file do not disturb each other': async (root) => {
    const script = `
      const fs = require('node:fs');
      const [, file, own] = process.argv;
      const fd = fs.openSync(file, 'r+');
      const bytes = Buffer.alloc(3000, own);
      for (let round = 0; round < 100; round++) {
        for (let part = 0; part < 10; part++) fs.writeSync(fd, bytes, 0, bytes.length, (part * 4 + Number(own)) * 3000);
        const back = Buffer.alloc(3000);
        fs.readSync(fd, back, 0, 3000, (5 * 4 + Number(own)) * 3000);
        if (!back.equals(bytes)) process.exit(1);
      }`;
    write(root.at('f'), Buffer.alloc(120_000));
    const writers = ['0', '1', '2', '3'].map((own) => startScript(script, [root.at('f'), own]));
    assert.deepEqual(await Promise.all(writers.map(ended)), [0, 0, 0, 0]);
    await root.refresh();
    const content = read(root.at('f'));
    for (let part = 0; part < 40; part++) {
      assert.ok(content.slice(part * 3000, (part + 1) * 3000) === String(part % 4).repeat(3000), `part ${part}`);
    }
  },

  'sendfile, cat and dd give the same bytes': (root) => {
    const bytes = pattern(300_001);
    write(root.at('f'), bytes);
    withOpen(root.at('f'), 'r', (from) =>
      withOpen(root.at('sent'), 'w', (to) => {
        assert.equal(sendfile(to, from, 300_001), 300_001);
      }),
    );
    tool('sh', ['-c', 'cat f > cat; dd if=f of=dd bs=777 status=none; cp f cp'], { cwd: root.dir });
    for (const copy of ['sent', 'cat', 'dd', 'cp']) assert.ok(fs.readFileSync(root.at(copy)).equals(bytes), copy);
  },

  'a write past the limit of a process gives EFBIG, one across it is short': (root) => {
    // dd ignores the signal that comes with the error; the limit counts blocks of 512 bytes in dash, 1024 in bash.
    const script = `trap '' XFSZ; ulimit -f 16; dd if=/dev/zero of=f bs=5000 count=10 2>&1; stat -c %s f`;
    const output = tool('sh', ['-c', script], { cwd: root.dir });
    assert.match(output, /File too large/);
    assert.match(output, /^(8192|16384)$/m);
  },
};
