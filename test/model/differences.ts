// What a real filesystem shows otherwise than the naive copy of its version.

import { Listing, readFile, readlink } from '../../src/vfs/index.ts';
import { type Filesystem, createInode, eachXattr, findInode, getXattr } from '../../src/volume/index.ts';
import type { Kind, NaiveFiles, NaiveInode } from './naive-files.ts';

const KINDS: Partial<Record<number, Kind>> = { 0o10: 'file', 0o04: 'dir', 0o12: 'symlink' };

const inode = createInode();
const listing = new Listing();
let buffer = Buffer.alloc(0);

/**
 * One line for each difference. Every inode of the naive copy is looked at by its number; since directories list the same numbers as
 * there, nothing that a name leads to is left out.
 */
export function differences(fs: Filesystem, naive: NaiveFiles): string[] {
  return [...naive.inodes].flatMap(([ino, expected]) => {
    if (!findInode(fs, ino, inode)) return [`inode ${ino} is missing`];
    return differencesOf(fs, expected).map((what) => `inode ${ino}: ${what}`);
  });
}

/** Of the inode that was just read. */
function differencesOf(fs: Filesystem, expected: NaiveInode): string[] {
  const { ino, mode, nlink, parent, sizeBytes } = inode;
  const kind = KINDS[mode >>> 12] ?? `of mode ${mode.toString(8)}`;
  if (kind !== expected.kind) return [`is ${kind}, not ${expected.kind}`];
  const found: string[] = [];
  if (nlink !== expected.nlink) found.push(`has ${nlink} links, not ${expected.nlink}`);
  if (kind === 'file') {
    const content = contentOf(fs, ino, sizeBytes);
    if (content.length !== sizeBytes) found.push(`gives ${content.length} bytes of ${sizeBytes}`);
    if (!content.equals(expected.content)) found.push(describeContent(content, expected.content));
  } else if (kind === 'symlink') {
    const target = Buffer.alloc(sizeBytes);
    if (readlink(fs, ino, target, false) !== sizeBytes || !target.equals(expected.content))
      found.push('leads elsewhere');
  } else {
    if (parent !== expected.parent) found.push(`has the parent ${parent}, not ${expected.parent}`);
    const [names, expectedNames] = [linesOf(childrenIn(fs)), linesOf(expected.children)];
    if (names !== expectedNames) found.push(`lists ${names}, not ${expectedNames}`);
  }
  found.push(...xattrDifferences(fs, ino, expected.xattrs));
  return found;
}

/** Asks for one byte more than there should be. Valid until the next call. */
function contentOf(fs: Filesystem, ino: number, sizeBytes: number): Buffer {
  const blocksBytes = Math.ceil((sizeBytes + 1) / 4096) * 4096;
  if (buffer.length < blocksBytes) buffer = Buffer.alloc(blocksBytes);
  // What was in it before must not be taken for what was read.
  buffer.fill(0xee, 0, blocksBytes);
  return buffer.subarray(0, readFile(fs, ino, 0, sizeBytes + 1, buffer, 0, 0, false));
}

function describeContent(content: Buffer, expected: Buffer): string {
  if (content.length !== expected.length) return `has ${content.length} bytes, not ${expected.length}`;
  const at = content.findIndex((byte, index) => byte !== expected[index]);
  const text = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1', at, at + 12));
  return `of ${content.length} bytes, from ${at} on it is ${text(content)}, not ${text(expected)}`;
}

/** Of the inode that was just read. */
function childrenIn(fs: Filesystem): Map<string, number> {
  const children = new Map<string, number>();
  listing.start(fs, inode, 2, false);
  while (listing.next()) {
    children.set(Buffer.from(listing.bytes.subarray(listing.nameStart, listing.nameEnd)).toString(), listing.ino);
  }
  return children;
}

/** In an order of their own. */
function linesOf(children: Map<string, number>): string {
  return [...children]
    .map(([name, ino]) => `${name}=${ino}`)
    .sort()
    .join(' ');
}

function xattrDifferences(fs: Filesystem, ino: number, expected: Map<string, Buffer>): string[] {
  const names = new Set<string>();
  eachXattr(fs, ino, (bytes, start, end) => names.add(Buffer.from(bytes.subarray(start, end)).toString()));
  const unknown = [...names].filter((name) => !expected.has(name)).map((name) => `has the attribute ${name} too`);
  const wrong = [...expected].filter(([name, value]) => {
    const real = names.has(name) ? getXattr(fs, ino, Buffer.from(name)) : undefined;
    return real === undefined || !value.equals(real);
  });
  return [...unknown, ...wrong.map(([name, value]) => `has not the ${value.length} bytes of attribute ${name}`)];
}
