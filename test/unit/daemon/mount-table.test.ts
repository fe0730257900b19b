import { describe, expect, test } from 'vitest';
import { mountOf, parseAmberMounts, parseSource } from '../../../src/daemon/control/mount-table.ts';

const AMBER = 'fuse.amberfs';

function line(dir: string, source: string, type = AMBER, optional = ''): string {
  return `36 35 0:52 / ${dir} rw,nosuid,nodev,relatime ${optional}- ${type} ${source} rw,user_id=0,group_id=0\n`;
}

const parse = (text: string): { dir: string; source: string }[] => parseAmberMounts(Buffer.from(text));

describe('mountinfo', () => {
  test('gives our mounts in order, and no others', () => {
    const text =
      '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n' +
      line('/mnt', '/srv/store:main') +
      line('/other', 'sshfs', 'fuse.sshfs') +
      line('/clone', '/srv/store:copy', AMBER, 'shared:7 master:2 ');
    expect(parse(text)).toEqual([
      { dir: '/mnt', source: '/srv/store:main' },
      { dir: '/clone', source: '/srv/store:copy' },
    ]);
  });

  test('octal escapes are bytes, of UTF-8 too', () => {
    const text = line('/a\\040b\\011c\\012d\\134e\\043f', '/st\u00f6re\\040x:main');
    expect(parse(text)).toEqual([{ dir: '/a b\tc\nd\\e#f', source: '/st\u00f6re x:main' }]);
    expect(parse(line('/\\303\\266', 's'))[0]!.dir).toBe('/\u00f6');
    // Only once: a backslash that was escaped does not begin a new escape.
    expect(parse(line('/x\\134040y', 's'))[0]!.dir).toBe('/x\\040y');
  });

  test('lines of another form are left out', () => {
    expect(parse('\nnonsense\n36 35 0:52 / /mnt rw fuse.amberfs s rw\n')).toEqual([]);
  });
});

describe('the mount of a path', () => {
  const mounts = parseAmberMounts(
    Buffer.from(line('/mnt', 'below') + line('/mnt', 'above') + line('/mnt/in/side', 'deep')),
  );

  test.each([
    ['/mnt', 'above'],
    ['/mnt/file', 'above'],
    ['/mnt/in', 'above'],
    ['/mnt/in/side', 'deep'],
    ['/mnt/in/side/x', 'deep'],
    ['/mntx', undefined],
    ['/', undefined],
  ])('%s', (path, source) => {
    expect(mountOf(mounts, path)?.source).toBe(source);
  });
});

describe('the source of a mount', () => {
  test.each([
    ['/srv/store:main', { store: '/srv/store', volume: 'main' }],
    ['/srv/store:main@before', { store: '/srv/store', volume: 'main', snapshot: 'before' }],
    ['/srv/store:main@12:30@x', { store: '/srv/store', volume: 'main', snapshot: '12:30@x' }],
    ['/srv/a:b:main', { store: '/srv/a:b', volume: 'main' }],
    ['/a:b/me@host:main', { store: '/a:b/me@host', volume: 'main' }],
    ['/a:b@c/s:v', { store: '/a:b@c/s', volume: 'v' }],
  ])('%s', (source, parts) => {
    expect(parseSource(source)).toEqual(parts);
  });

  test.each(['my disk', '/srv/store', '/srv/store:', 'store:main', '/srv/store:main@'])('"%s" is none', (source) => {
    expect(parseSource(source)).toBeUndefined();
  });
});
