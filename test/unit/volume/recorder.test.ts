// What operations record: read back from the journal of a store in memory.

import { describe, expect, it } from 'vitest';
import {
  ENTRY,
  type JournalVisitor,
  SPACE,
  decodeJournalMark,
  keyIno,
  keyType,
  spaceKey,
  visitJournalItems,
} from '../../../src/format/index.ts';
import { Journal } from '../../../src/store/index.ts';
import { allocate, removeXattrValue, setXattrValue, writeFile } from '../../../src/vfs/index.ts';
import { type Filesystem, ROOT_INO } from '../../../src/volume/index.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

const NAMES = Object.fromEntries(Object.entries(ENTRY).map(([name, type]) => [type, name]));
const KEEP_SIZE_AND_PUNCH_HOLE = 3;

/** Says each item in a few words. */
class Described implements JournalVisitor {
  readonly lines: string[] = [];

  put(_volume: number, key: Uint8Array, value: Uint8Array): void {
    this.lines.push(`put ${nameOf(key)} of ${keyIno(key, 0)}${value.length === 0 ? ', empty' : ''}`);
  }

  remove(_volume: number, key: Uint8Array): void {
    this.lines.push(`remove ${nameOf(key)} of ${keyIno(key, 0)}`);
  }

  map(_volume: number, ino: number, fileBlock: number, _start: number, sums: Uint32Array): void {
    this.lines.push(`map ${sums.length} from ${fileBlock} of ${ino}`);
  }

  unmap(_volume: number, ino: number, from: number, to: number): void {
    this.lines.push(`unmap ${from} to ${to} of ${ino}`);
  }

  block(_volume: number, ino: number, fileBlock: number, _start: number, bytes: Uint8Array): void {
    this.lines.push(`block ${fileBlock} of ${ino}: ${bytes.length} bytes`);
  }

  patch(_volume: number, ino: number, fileBlock: number, within: number, bytes: Uint8Array): void {
    this.lines.push(`patch block ${fileBlock} of ${ino} at ${within}: ${bytes.length} bytes`);
  }

  structure(json: string): void {
    this.lines.push((JSON.parse(json) as { do: string }).do);
  }
}

function nameOf(key: Uint8Array): string {
  return NAMES[keyType(key, 0)] ?? 'unknown';
}

interface Scene extends MemoryVolumes {
  fs: Filesystem;
  tree: TreeOf;
  /** Seals, and gives what each record since the last commit says. */
  records: () => string[][];
}

/** A volume `main` of which everything is committed. */
async function scene(): Promise<Scene> {
  const memory = await openMemoryVolumes();
  const { volumes, journal, kv } = memory;
  await volumes.commit();
  const fs = volumes.get('main').filesystem;
  const records = (): string[][] => {
    volumes.record();
    const stored = kv.get(spaceKey(SPACE.journal));
    const mark = stored === undefined ? 0 : decodeJournalMark(stored);
    return new Journal(journal.copy()).remains(mark).records.map(({ items }) => {
      const described = new Described();
      visitJournalItems(items, described);
      return described.lines;
    });
  };
  return { ...memory, fs, tree: new TreeOf(fs), records };
}

const write = (fs: Filesystem, ino: number, at: number, length: number): void => {
  writeFile(fs, ino, at, Buffer.alloc(length, 7), 0, length, false);
};

const setXattr = (fs: Filesystem, value: string): void => {
  setXattrValue(fs, ROOT_INO, Buffer.from('user.a'), Buffer.from(value), 0, false);
};

const xattrLines = (lines: string[]): string[] => lines.filter((line) => line.includes('xattr'));

describe('Recorder', () => {
  it('makes a record of what changed between two calls, and none where nothing did', async () => {
    const { volumes, tree, records } = await scene();
    expect(records()).toEqual([]);
    const { ino } = tree.file(ROOT_INO, 'a');
    volumes.record();
    volumes.record();
    tree.unlink(ROOT_INO, 'a');
    const [made, unlinked, ...others] = records();
    expect(others).toEqual([]);
    expect(made!.sort()).toEqual([`put dirent of 1`, 'put inode of 1', `put inode of ${ino}`]);
    expect(unlinked).toContain('remove dirent of 1');
    expect(unlinked!.some((line) => line.startsWith('put orphan'))).toBe(true);
  });

  it('says of an entry what became of it in the end', async () => {
    const { fs, records } = await scene();
    setXattr(fs, '');
    setXattr(fs, 'one');
    setXattr(fs, 'two');
    expect(xattrLines(records()[0]!).every((line) => line.startsWith('put') && !line.includes('empty'))).toBe(true);
    setXattr(fs, 'three');
    removeXattrValue(fs, ROOT_INO, Buffer.from('user.a'));
    expect(xattrLines(records()[1]!).every((line) => line.startsWith('remove'))).toBe(true);
  });

  it('takes each entry once where the same ones change again and again', async () => {
    const { fs, records } = await scene();
    for (let i = 0; i < 50; i++) setXattr(fs, String(i));
    const lines = records()[0]!;
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('takes any number of entries', async () => {
    const { tree, records } = await scene();
    for (let i = 0; i < 2000; i++) tree.file(ROOT_INO, `file ${i}`);
    const lines = records()[0]!;
    expect(lines.filter((line) => line === 'put dirent of 1')).toHaveLength(2000);
  });

  it('says small writes with their bytes, large ones by where they lie, and no extent', async () => {
    const { volumes, fs, tree, records } = await scene();
    const { ino } = tree.file(ROOT_INO, 'a');
    const data = (): string[] => {
      const lines = records().at(-1)!;
      expect(lines.some((line) => line.includes('extent'))).toBe(false);
      return lines.filter((line) => !line.startsWith('put '));
    };
    write(fs, ino, 10, 100);
    expect(data()).toEqual([`block 0 of ${ino}: 110 bytes`]);
    write(fs, ino, 50, 3000);
    expect(data()).toEqual([`patch block 0 of ${ino} at 50: 3000 bytes`]);
    await volumes.commit();
    // What a commit captured does not change any more.
    write(fs, ino, 50, 1);
    expect(data()).toEqual([`unmap 0 to 1 of ${ino}`, `block 0 of ${ino}: 3050 bytes`]);
    write(fs, ino, 4096, 20 * 4096 + 5);
    expect(data()).toEqual([`map 20 from 1 of ${ino}`, `block 21 of ${ino}: 5 bytes`]);
    allocate(fs, ino, KEEP_SIZE_AND_PUNCH_HOLE, 8192, 8192, Infinity, false);
    expect(data()).toEqual([`unmap 2 to 4 of ${ino}`]);
    // A hole already.
    allocate(fs, ino, KEEP_SIZE_AND_PUNCH_HOLE, 8192, 8192, Infinity, false);
    expect(data()).toEqual([]);
  });

  it('says a block anew that a snapshot shares', async () => {
    const { volumes, fs, tree, records } = await scene();
    const { ino } = tree.file(ROOT_INO, 'a');
    write(fs, ino, 0, 100);
    volumes.createSnapshot(volumes.get('main'), { name: 's' });
    write(fs, ino, 0, 1);
    const lines = records()[0]!;
    expect(lines.filter((line) => line.startsWith('block'))).toEqual([
      `block 0 of ${ino}: 100 bytes`,
      `block 0 of ${ino}: 100 bytes`,
    ]);
    expect(lines.some((line) => line.startsWith('patch'))).toBe(false);
  });

  it('says what became of entries before what happens to all of them', async () => {
    const { volumes, fs, records } = await scene();
    setXattr(fs, 'before');
    volumes.createSnapshot(volumes.get('main'), { name: 's' });
    removeXattrValue(fs, ROOT_INO, Buffer.from('user.a'));
    const lines = records()[0]!.filter((line) => line.includes('xattr') || line.includes('snapshot'));
    expect(lines[0]).toMatch(/^put xattr/);
    expect(lines.filter((line) => line === 'create-snapshot')).toHaveLength(1);
    expect(lines.at(-1)).toMatch(/^remove xattr/);
  });

  it('seals what is left in a capture, whose commit holds it then', async () => {
    const { volumes, tree, kv, records } = await scene();
    tree.file(ROOT_INO, 'a');
    const { sequence } = volumes.store.journal;
    await volumes.commit();
    expect(volumes.store.journal.sequence).toBe(sequence + 1);
    expect(decodeJournalMark(kv.get(spaceKey(SPACE.journal))!)).toBe(sequence + 1);
    expect(records()).toEqual([]);
  });
});
