import { expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/failure.ts';
import { parseMountOptions } from '../../../src/cli/mount-options.ts';

test('options between commas, of several -o', () => {
  expect(parseMountOptions([])).toEqual({});
  expect(parseMountOptions(['ro,noatime', 'allow_other', 'snapdir=visible,fsname=my disk'])).toEqual({
    readOnly: true,
    noatime: true,
    allowOther: true,
    snapdir: 'visible',
    fsname: 'my disk',
  });
  expect(parseMountOptions(['suid,dev,noexec'])).toEqual({ suid: true, dev: true, exec: false });
});

test('the last of two that contradict counts', () => {
  expect(parseMountOptions(['ro,rw'])).toEqual({ readOnly: false });
  expect(parseMountOptions(['rw', 'ro'])).toEqual({ readOnly: true });
});

test.each(['writeback', 'snapdir', 'snapdir=maybe', 'fsname=', 'ro=1', 'toString', '__proto__'])(
  '"%s" is refused',
  (option) => {
    expect(() => parseMountOptions([option])).toThrow(UsageError);
  },
);
