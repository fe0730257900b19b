import assert from 'node:assert/strict';
import fs from 'node:fs';
import { ended, read, startScript, withOpen, write, type PosixTable } from './posix-root.ts';

export const appendTests: PosixTable = {
  'every write of O_APPEND goes to the end, also with a position of its own': (root) => {
    write(root.at('f'), '123');
    withOpen(root.at('f'), 'a+', (fd) => {
      fs.writeSync(fd, '456');
      fs.writeSync(fd, '789', 0);
      const buffer = Buffer.alloc(3);
      fs.readSync(fd, buffer, 0, 3, 0);
      assert.equal(buffer.toString(), '123');
      fs.writeSync(fd, 'abc');
    });
    assert.equal(read(root.at('f')), '123456789abc');
  },

  'an appender follows a truncation and the writes of others': (root) => {
    withOpen(root.at('f'), 'a', (appender) => {
      fs.writeSync(appender, 'first');
      fs.truncateSync(root.at('f'), 2);
      fs.writeSync(appender, 'second');
      withOpen(root.at('f'), 'r+', (other) => fs.writeSync(other, 'OTHER', 20));
      fs.writeSync(appender, 'third');
    });
    assert.equal(read(root.at('f')), `fisecond${'\0'.repeat(12)}OTHERthird`);
  },

  'records that four processes append are all there, none torn or overlapped': async (root) => {
    const script = `
      const fs = require('node:fs');
      const [, file, own] = process.argv;
      const fd = fs.openSync(file, 'a');
      for (let index = 0; index < 250; index++) {
        const record = (own + ':' + index + ':').padEnd(50 + (index * 37) % 300, own) + '\\n';
        if (fs.writeSync(fd, record) !== record.length) process.exit(1);
      }`;
    const writers = ['A', 'B', 'C', 'D'].map((own) => startScript(script, [root.at('f'), own]));
    assert.deepEqual(await Promise.all(writers.map(ended)), [0, 0, 0, 0]);
    const records = read(root.at('f')).trimEnd().split('\n');
    assert.equal(records.length, 1000);
    const next: Record<string, number> = { A: 0, B: 0, C: 0, D: 0 };
    for (const record of records) {
      const [own, index] = record.split(':') as [string, string];
      assert.equal(Number(index), next[own], record);
      assert.equal(record, `${own}:${index}:`.padEnd(50 + ((Number(index) * 37) % 300), own));
      next[own]!++;
    }
  },
};
