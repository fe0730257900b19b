// Files of which each unit of 512 bytes holds one byte over and over, and a naive copy of them that has one byte per unit: so large files
// are cheap to keep in many versions, and to compare with what is stored.

import { readFile, unlink, writeFile } from '../../src/vfs/index.ts';
import { DirectoryScan, type Filesystem, ROOT_INO } from '../../src/volume/index.ts';
import { TreeOf } from '../unit/vfs/tree-of.ts';

const UNIT_BYTES = 512;
export const UNITS_PER_BLOCK = 8;

/** By name: the byte of each unit, 0 in holes. The bytes of a file never change, another file takes its place: versions share them. */
export type FilledFiles = Map<string, Uint8Array>;

const scan = new DirectoryScan();
let buffer = Buffer.alloc(0);
let expected = Buffer.alloc(0);

/** Writes `count` units of `byte` from the unit `at` on, there and in the naive copy; makes the file where there is none. */
export function fillUnits(
  fs: Filesystem,
  files: FilledFiles,
  name: string,
  units: { at: number; count: number; byte: number },
): void {
  const { at, count, byte } = units;
  const tree = new TreeOf(fs);
  const { ino } = tree.find(ROOT_INO, name) ?? tree.file(ROOT_INO, name);
  const length = count * UNIT_BYTES;
  writeFile(fs, ino, at * UNIT_BYTES, Buffer.alloc(length, byte), 0, length, false);
  const before = files.get(name) ?? new Uint8Array(0);
  const after = new Uint8Array(Math.max(before.length, at + count));
  after.set(before);
  files.set(name, after.fill(byte, at, at + count));
}

/** Removes a file, if it is there. */
export function removeFile(fs: Filesystem, files: FilledFiles, name: string): void {
  if (files.delete(name)) unlink(fs, ROOT_INO, Buffer.from(name));
}

/** What the root of `fs` holds otherwise than `files` says, one line each. */
export function fileDifferences(fs: Filesystem, files: FilledFiles): string[] {
  const found: string[] = [];
  const names = namesIn(fs);
  for (const name of names) if (!files.has(name)) found.push(`${name} should not be there`);
  for (const [name, units] of files) {
    const what = names.has(name) ? describeDifference(fs, name, units) : 'is missing';
    if (what !== undefined) found.push(`${name} ${what}`);
  }
  return found;
}

function namesIn(fs: Filesystem): Set<string> {
  const names = new Set<string>();
  for (let there = scan.start(fs, ROOT_INO, 0); there; there = scan.next(fs)) {
    names.add(Buffer.from(scan.bytes.subarray(scan.nameStart, scan.nameEnd)).toString());
  }
  return names;
}

function describeDifference(fs: Filesystem, name: string, units: Uint8Array): string | undefined {
  const { ino, sizeBytes } = new TreeOf(fs).find(ROOT_INO, name)!;
  const length = units.length * UNIT_BYTES;
  if (sizeBytes !== length) return `has ${sizeBytes} bytes, not ${length}`;
  if (buffer.length < length) [buffer, expected] = [Buffer.alloc(length), Buffer.alloc(length)];
  for (const [unit, byte] of units.entries()) expected.fill(byte, unit * UNIT_BYTES, (unit + 1) * UNIT_BYTES);
  const got = readFile(fs, ino, 0, length, buffer, 0, 0, false);
  if (got !== length) return `gives ${got} bytes of ${length}`;
  if (buffer.compare(expected, 0, length, 0, length) === 0) return undefined;
  const unit = units.findIndex((byte, index) => buffer[index * UNIT_BYTES] !== byte);
  return `is not what was written${unit < 0 ? '' : `: byte ${unit * UNIT_BYTES} is ${buffer[unit * UNIT_BYTES]!}, not ${units[unit]!}`}`;
}
