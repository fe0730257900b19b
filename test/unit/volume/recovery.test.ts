// What is found in the journal after a crash where something of it, or of the data that it refers to, is damaged or missing.

import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../src/format/index.ts';
import { LANES } from '../../../src/store/index.ts';
import { readFile, writeFile } from '../../../src/vfs/index.ts';
import { type Filesystem, ROOT_INO, checkVolumes } from '../../../src/volume/index.ts';
import { type MemoryVolumes, openMemoryVolumes } from '../../support/memory-volumes.ts';
import { TreeOf } from '../vfs/tree-of.ts';

/** Large enough to go to the data file at once. */
const LARGE = 20 * BLOCK_BYTES;

interface Reopened extends MemoryVolumes {
  fs: Filesystem;
  tree: TreeOf;
  /** What was logged. */
  lines: string[];
}

/** The store as a crash at this moment leaves it, opened again; `damage` comes between. */
async function reopen(
  memory: MemoryVolumes,
  damage: (left: Pick<MemoryVolumes, 'blocks' | 'journal'>) => void = () => undefined,
): Promise<Reopened> {
  const lines: string[] = [];
  const say = (line: string): number => lines.push(line);
  const left = {
    kv: memory.kv.copy(),
    blocks: memory.blocks.copy(),
    journal: memory.journal.copy(),
  };
  damage(left);
  const opened = await openMemoryVolumes({ ...left, log: { info: say, warn: say, error: say } });
  const fs = opened.volumes.get('main').filesystem;
  return { ...opened, fs, tree: new TreeOf(fs), lines };
}

function create(memory: MemoryVolumes, name: string, bytes: number): number {
  const fs = memory.volumes.get('main').filesystem;
  const { ino } = new TreeOf(fs).file(ROOT_INO, name);
  writeFile(fs, ino, 0, Buffer.alloc(bytes, name), 0, bytes, false);
  memory.volumes.record();
  return ino;
}

function contentOf(fs: Filesystem, ino: number, bytes: number): string {
  const into = Buffer.alloc(Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES);
  return into.toString('latin1', 0, readFile(fs, ino, 0, bytes, into, 0, 0, false));
}

/** Changes the block of the data file that is filled with `fill`. */
function damageData({ blocks }: Pick<MemoryVolumes, 'blocks'>, fill: string): void {
  const bytes = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < blocks.sizeBytes; at += BLOCK_BYTES) {
    blocks.readSync(bytes, 0, BLOCK_BYTES, at);
    if (bytes[0] !== fill.charCodeAt(0)) continue;
    blocks.writeSync(new Uint8Array(BLOCK_BYTES), 0, BLOCK_BYTES, at);
    return;
  }
  throw new Error(`no block is filled with ${fill}`);
}

describe('recovery', () => {
  it('does again what is in the journal, and says so', async () => {
    const memory = await openMemoryVolumes();
    const [a, b] = [create(memory, 'a', LARGE), create(memory, 'b', 100)];
    const { volumes, fs, lines } = await reopen(memory);
    expect([contentOf(fs, a, LARGE), contentOf(fs, b, 100)]).toEqual(['a'.repeat(LARGE), 'b'.repeat(100)]);
    expect(lines).toEqual([expect.stringContaining('2 operations of before a crash were done again')]);
    expect(await checkVolumes(volumes)).toEqual([]);
  });

  it('ends before an operation whose data the power cut took', async () => {
    const memory = await openMemoryVolumes();
    const a = create(memory, 'a', LARGE);
    create(memory, 'b', LARGE);
    create(memory, 'c', 100);
    const { volumes, fs, tree } = await reopen(memory, (left) => damageData(left, 'b'));
    expect(contentOf(fs, a, LARGE)).toBe('a'.repeat(LARGE));
    expect([tree.find(ROOT_INO, 'b'), tree.find(ROOT_INO, 'c')]).toEqual([undefined, undefined]);
    expect(await checkVolumes(volumes)).toEqual([]);
  });

  it('does again what was durable though its data is damaged: only reading that fails', async () => {
    const memory = await openMemoryVolumes();
    const a = create(memory, 'a', LARGE);
    await memory.volumes.flush();
    const b = create(memory, 'b', 100);
    const { volumes, fs } = await reopen(memory, (left) => damageData(left, 'a'));
    expect(() => contentOf(fs, a, LARGE)).toThrow(/checksum does not match/);
    expect(contentOf(fs, b, 100)).toBe('b'.repeat(100));
    expect(await checkVolumes(volumes)).toEqual([`volume main: inode ${a}: file block 0 is damaged`]);
  });

  it('says how much is lost where the journal itself is damaged', async () => {
    const memory = await openMemoryVolumes();
    const a = create(memory, 'a', 100);
    for (const name of ['b', 'c', 'd']) create(memory, name, 100);
    await memory.volumes.flush();
    create(memory, 'e', 100);
    const { volumes, fs, tree, lines } = await reopen(memory, ({ journal }) => {
      for (const lane of LANES) {
        const at = Buffer.from(journal.read(lane)).indexOf('b'.repeat(100));
        if (at >= 0) journal.write(lane, Uint8Array.of(0), 1, at);
      }
    });
    expect(contentOf(fs, a, 100)).toBe('a'.repeat(100));
    expect(tree.find(ROOT_INO, 'c')).toBeUndefined();
    expect(lines).toContainEqual(expect.stringMatching(/journal is damaged behind record \d+: 3 operations/));
    expect(await checkVolumes(volumes)).toEqual([]);
  });
});
