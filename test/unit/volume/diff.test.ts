/** Diffs of small histories, change by change; what one costs in a large tree; and a live side that changes meanwhile. */
import { describe, expect, test } from 'vitest';
import { ROOT_INO, noteFileRead, writeFile } from '../../../src/vfs/index.ts';
import { areRelated, diffFilesystems, type Diff, type Filesystem, type Volume } from '../../../src/volume/index.ts';
import { openMemoryVolumes, type MemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

class History {
  readonly memory: MemoryVolumes;
  readonly volume: Volume;
  readonly tree: TreeOf;
  #count = 0;

  constructor(memory: MemoryVolumes) {
    this.memory = memory;
    this.volume = memory.volumes.get('main');
    this.tree = new TreeOf(this.volume.filesystem);
  }

  snapshot(): Filesystem {
    this.memory.clock.advance(1);
    return this.memory.volumes.createSnapshot(this.volume, { name: `s${this.#count++}` }).filesystem;
  }

  write(ino: number, text: string): void {
    writeFile(this.tree.fs, ino, 0, Buffer.from(text), 0, text.length, false);
  }
}

async function history(): Promise<History> {
  return new History(await openMemoryVolumes());
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** `M:content,size /path (+1)`. */
function lines({ changes }: Diff): string[] {
  return changes.map(({ kind, path, oldPath, aspects, links }) => {
    const words = [aspects.length > 0 ? `${kind}:${aspects.join(',')}` : kind, oldPath, path];
    return [...words.filter((word) => word !== undefined), ...(links === 0 ? [] : [String(links)])].join(' ');
  });
}

async function diffLines(before: Filesystem, after: Filesystem, path?: string): Promise<string[]> {
  return lines(await diffFilesystems(before, after, { breathe, path }));
}

describe('what is told', () => {
  test('a file that was written, and the bytes of it', async () => {
    const { tree, memory, ...h } = await history();
    const own = new History(memory);
    const dir = tree.dir(ROOT_INO, 'd');
    const file = tree.file(dir.ino, 'f');
    const before = own.snapshot();
    own.write(file.ino, 'hello');
    const diff = await diffFilesystems(before, h.volume.filesystem, { breathe });
    expect(lines(diff)).toEqual(['M:content,size,times /d/f']);
    expect([diff.writtenBytes, diff.freedBytes]).toEqual([4096, 0]);
    expect(lines(await diffFilesystems(h.volume.filesystem, before, { breathe }))).toEqual([
      'M:content,size,times /d/f',
    ]);
  });

  test('a renamed directory is one line, whatever is in it', async () => {
    const h = await history();
    const dir = h.tree.dir(ROOT_INO, 'd');
    for (let i = 0; i < 50; i++) h.tree.file(dir.ino, `f${i}`);
    const before = h.snapshot();
    h.tree.rename(ROOT_INO, 'd', ROOT_INO, 'e');
    expect(await diffLines(before, h.tree.fs)).toEqual(['M:times,names /', 'R /d /e']);
  });

  test('names of hard links, with the count', async () => {
    const h = await history();
    const file = h.tree.file(ROOT_INO, 'a');
    const one = h.snapshot();
    h.tree.link(file.ino, ROOT_INO, 'b');
    const two = h.snapshot();
    h.tree.unlink(ROOT_INO, 'a');
    expect(await diffLines(one, two)).toEqual(['M:times,names /', 'M /a 1', '+ /b']);
    expect(await diffLines(two, h.tree.fs)).toEqual(['M:times,names /', '- /a', 'M /b -1']);
    expect(await diffLines(one, h.tree.fs)).toEqual(['M:times,names /', 'R /a /b']);
  });

  test('a file whose first name is gone is still found', async () => {
    const h = await history();
    const dir = h.tree.dir(ROOT_INO, 'd');
    const file = h.tree.file(dir.ino, 'first');
    h.tree.link(file.ino, ROOT_INO, 'second');
    h.tree.unlink(dir.ino, 'first');
    const before = h.snapshot();
    h.write(file.ino, 'x');
    expect(await diffLines(before, h.tree.fs)).toEqual(['M:content,size,times /second']);
  });

  test('what was removed and made anew shows twice', async () => {
    const h = await history();
    h.tree.file(ROOT_INO, 'x');
    const before = h.snapshot();
    h.tree.unlink(ROOT_INO, 'x');
    h.tree.dir(ROOT_INO, 'x');
    expect(await diffLines(before, h.tree.fs)).toEqual(['M:times,names /', '- /x', '+ /x']);
  });

  test('a clone and its origin gave one number to two files', async () => {
    const h = await history();
    h.snapshot();
    const { volumes } = h.memory;
    const clone = volumes.clone(h.volume, h.volume.snapshot('s0'), 'clone');
    const mine = h.tree.file(ROOT_INO, 'same');
    h.memory.clock.advance(1);
    const theirs = new TreeOf(clone.filesystem).file(ROOT_INO, 'same');
    expect(theirs.ino).toBe(mine.ino);
    expect(await diffLines(h.tree.fs, clone.filesystem)).toEqual(['M:times /', '- /same', '+ /same']);
    expect(areRelated(volumes.forest, h.volume.head.version, clone.head.version)).toBe(true);
    const other = volumes.createVolume('other');
    expect(areRelated(volumes.forest, h.volume.head.version, other.head.version)).toBe(false);
  });

  test('nothing, where files were only read or nothing was done', async () => {
    const h = await history();
    const file = h.tree.file(ROOT_INO, 'a');
    const before = h.snapshot();
    expect(await diffLines(before, h.tree.fs)).toEqual([]);
    noteFileRead(h.tree.fs, file.ino, 0);
    expect(h.tree.inode(file.ino).atime).not.toEqual(file.atime);
    expect(await diffLines(before, h.tree.fs)).toEqual([]);
  });
});

test('one path only: a file, a directory, what has moved away, what never was', async () => {
  const h = await history();
  const dir = h.tree.dir(ROOT_INO, 'd');
  const file = h.tree.file(dir.ino, 'f');
  h.tree.file(dir.ino, 'g');
  h.tree.file(ROOT_INO, 'out');
  const before = h.snapshot();
  h.write(file.ino, 'x');
  h.tree.rename(ROOT_INO, 'out', dir.ino, 'in');
  h.tree.unlink(dir.ino, 'g');
  const now = h.tree.fs;
  expect(await diffLines(before, now, '/d/f')).toEqual(['M:content,size,times /d/f']);
  expect(await diffLines(before, now, '/out')).toEqual(['R /out /d/in']);
  expect(await diffLines(before, now, '/d/in')).toEqual(['R /out /d/in']);
  expect(await diffLines(before, now, '/d/g')).toEqual(['- /d/g']);
  expect(await diffLines(before, now, '/d')).toEqual([
    ...['M:times,names /d', 'M:content,size,times /d/f', '- /d/g', 'R /out /d/in'],
  ]);
  await expect(diffLines(before, now, '/d/never')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('one changed file among 20,000 costs a few nodes', async () => {
  const h = await history();
  let changed = 0;
  for (let i = 0; i < 200; i++) {
    const dir = h.tree.dir(ROOT_INO, `d${i}`);
    for (let j = 0; j < 100; j++) changed = h.tree.file(dir.ino, `file${j}`).ino;
  }
  const before = h.snapshot();
  h.write(changed, 'x');
  const diff = await diffFilesystems(before, h.tree.fs, { breathe });
  expect(lines(diff)).toEqual(['M:content,size,times /d199/file99']);
  const all = h.volume.head.version.referencedNodes;
  expect(all).toBeGreaterThan(500);
  // The path from the root to the leaf, on both sides, and a leaf more where it was split.
  expect(diff.nodesRead).toBeLessThanOrEqual(10);
}, 60_000);

test('a live side that changes meanwhile is compared as it is at one moment', async () => {
  const h = await history();
  const before = h.snapshot();
  for (let i = 0; i < 20_000; i++) h.tree.file(ROOT_INO, `f${i}`);
  let breaths = 0;
  const diff = await diffFilesystems(before, h.tree.fs, {
    breathe: () => {
      h.tree.rename(ROOT_INO, breaths % 2 === 0 ? 'f0' : 'moved', ROOT_INO, breaths % 2 === 0 ? 'moved' : 'f0');
      breaths++;
      return Promise.resolve();
    },
  });
  // Twice it let go and had to start anew; the third time it did not let go.
  expect(breaths).toBe(2);
  expect(diff.changes).toHaveLength(20_001);
}, 60_000);

test('a snapshot that is deleted meanwhile ends it', async () => {
  const h = await history();
  const before = h.snapshot();
  for (let i = 0; i < 20_000; i++) h.tree.file(ROOT_INO, `f${i}`);
  const after = h.snapshot();
  const deleted = diffFilesystems(before, after, {
    breathe: () => {
      after.alive = false;
      return Promise.resolve();
    },
  });
  await expect(deleted).rejects.toMatchObject({ code: 'ESTALE' });
}, 60_000);
