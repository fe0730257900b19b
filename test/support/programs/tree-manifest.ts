/**
 * Prints everything that can be seen of a tree, one line of JSON per object in byte order of the paths: type, mode,
 * owner, links, size, times, target, device, attributes, and a hash of the content. Two trees with equal output are
 * equal. Hard links appear as the first path of their inode, since inode numbers differ between views. The walk itself
 * may move access times of directories and links (relatime): a tree that can change is walked twice, for the second list.
 * Usage: tree-manifest DIR
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { getxattr, listxattr, O_NOATIME } from '../syscalls.ts';

const [, , base] = process.argv as [string, string, string];
const firstPathByInode = new Map<bigint, string>();

function hashOf(file: Buffer): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 20);
  // Without O_NOATIME the hashing itself would change what a second look at the tree sees.
  const fd = fs.openSync(file, fs.constants.O_RDONLY | O_NOATIME);
  try {
    for (let count = 1; count > 0;) {
      count = fs.readSync(fd, buffer);
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest('hex');
}

function attributesOf(file: Buffer, isTop: boolean): string[][] {
  return (
    listxattr(file)
      // The root of a snapshot tells about the snapshot in attributes that the live tree does not have.
      .filter((name) => !(isTop && name.startsWith('user.amberfs.')))
      .map((name) => [name, getxattr(file, Buffer.from(name, 'latin1')).toString('hex')])
  );
}

function describe(file: Buffer, name: string): fs.BigIntStats {
  const status = fs.lstatSync(file, { bigint: true });
  const first = firstPathByInode.get(status.ino);
  if (first === undefined) firstPathByInode.set(status.ino, name);
  const line = {
    name,
    mode: status.mode.toString(8),
    owner: `${status.uid}:${status.gid}`,
    nlink: Number(status.nlink),
    size: Number(status.size),
    atime: String(status.atimeNs),
    mtime: String(status.mtimeNs),
    ctime: String(status.ctimeNs),
    birth: String(status.birthtimeNs),
    device: status.isBlockDevice() || status.isCharacterDevice() ? String(status.rdev) : undefined,
    linkTo: status.isDirectory() ? undefined : first,
    target: status.isSymbolicLink() ? fs.readlinkSync(file, { encoding: 'buffer' }).toString('latin1') : undefined,
    content: status.isFile() ? hashOf(file) : undefined,
    attributes: attributesOf(file, name === '.'),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return status;
}

function walk(dir: Buffer, dirName: string): void {
  const children = fs.readdirSync(dir, { encoding: 'buffer' }).sort((one, two) => Buffer.compare(one, two));
  for (const child of children) {
    const file = Buffer.concat([dir, Buffer.from('/'), child]);
    const name = `${dirName}${child.toString('latin1')}`;
    if (describe(file, name).isDirectory()) walk(file, `${name}/`);
  }
}

describe(Buffer.from(base), '.');
walk(Buffer.from(base), '');
