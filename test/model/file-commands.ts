// What is done to the live files of a volume.

import { expect } from 'vitest';
import { SET_SIZE } from '../../src/vfs/attr.ts';
import { allocate, removeXattrValue, setAttributes, setXattrValue, writeFile } from '../../src/vfs/index.ts';
import { createInode } from '../../src/volume/index.ts';
import { TreeOf, codeOf } from '../unit/vfs/tree-of.ts';
import type { Kind, NaiveEntry } from './naive-files.ts';
import { type Command, type Scene, type Step, both, pick } from './step.ts';

/** renameat2(2), fallocate(2). */
const RENAME_EXCHANGE = 2;
const KEEP_SIZE_AND_PUNCH_HOLE = 3;
const ZERO_RANGE = 0x10;

const NO_CHANGE = {
  ...{ mode: 0, uid: 0, gid: 0, size: 0 },
  ...{ atimeSec: 0, atimeNsec: 0, mtimeSec: 0, mtimeNsec: 0, ctimeSec: 0, ctimeNsec: 0 },
};

const treeOf = (scene: Scene): TreeOf => new TreeOf(scene.volume.filesystem);

const pickDirectory = (scene: Scene, number: number): number => pick(scene.naive.live.inosOf('dir'), number)!;

const pickEntry = (scene: Scene, step: Step): NaiveEntry | undefined => pick(scene.naive.live.entries(), step.which);

function create(kind: Kind): Command {
  return (scene, { which, name, at }) => {
    const tree = treeOf(scene);
    const { live } = scene.naive;
    const dir = pickDirectory(scene, which);
    const target = `target ${at}`;
    let ino = 0;
    const code = codeOf(() => {
      if (kind === 'file') ({ ino } = tree.file(dir, name));
      else if (kind === 'dir') ({ ino } = tree.dir(dir, name));
      else ({ ino } = tree.symlink(dir, name, target));
    });
    expect(code).toBe(codeOf(() => live.checkFree(dir, name)));
    if (code !== 'none') return;
    expect(live.inodes.has(ino), `${ino} is the number of another inode`).toBe(false);
    live.create(dir, name, ino, kind, kind === 'symlink' ? target : '');
  };
}

/** A command on a regular file, if there is one; it may have lost its name while somebody has it open. */
function onFile(change: (scene: Scene, ino: number, step: Step) => void): Command {
  return (scene, step) => {
    const ino = pick(scene.naive.live.inosOf('file'), step.which);
    if (ino !== undefined) change(scene, ino, step);
  };
}

/** The inode `ino`, if it is one, has lost its last name: it lives on only while it is open. */
function lostName({ volumes, volume, naive }: Scene, ino: number | undefined): void {
  if (ino === undefined || ino === 0 || naive.open.has(ino)) return;
  volumes.destroyOrphan(volume.filesystem, ino);
  naive.live.destroy(ino);
}

export const FILE_COMMANDS = {
  createFile: create('file'),
  createDirectory: create('dir'),
  createSymlink: create('symlink'),

  write: onFile(({ volume, naive, serial }, ino, { at, length }) => {
    const bytes = Buffer.alloc(length, `${serial} `);
    const written = writeFile(volume.filesystem, ino, at, bytes, 0, length, false);
    naive.live.write(ino, at, bytes);
    expect(written).toBe(length);
  }),

  truncate: onFile(({ volume, naive }, ino, { at }) => {
    setAttributes(volume.filesystem, ino, { ...NO_CHANGE, valid: SET_SIZE, size: at }, createInode());
    naive.live.truncate(ino, at);
  }),

  zero: onFile(({ volume, naive }, ino, { at, length, other }) => {
    const [extend, bytes] = [other % 3 === 0, Math.max(length, 1)];
    const mode = extend ? ZERO_RANGE : KEEP_SIZE_AND_PUNCH_HOLE;
    allocate(volume.filesystem, ino, mode, at, bytes, Infinity, false);
    naive.live.zero(ino, at, at + bytes, extend);
  }),

  /** Now and then a directory, which has one name only. */
  link: (scene, { which, other, name }) => {
    const { live } = scene.naive;
    const files = which % 10 === 0 ? [] : live.inosOf('file', 'symlink');
    const ino = pick(files.length > 0 ? files : live.inosOf('dir'), which)!;
    const dir = pickDirectory(scene, other);
    both<unknown>(
      () => scene.naive.live.link(ino, dir, name),
      () => void treeOf(scene).link(ino, dir, name),
    );
  },

  unlink: (scene, step) => {
    const { dir, name } = pickEntry(scene, step) ?? { dir: pickDirectory(scene, 0), name: step.name };
    const orphan = both(
      () => scene.naive.live.unlink(dir, name),
      () => treeOf(scene).unlink(dir, name),
    );
    lostName(scene, orphan);
  },

  removeDirectory: (scene, { which, name }) => {
    const directories = scene.naive.live.entries().filter(({ ino }) => scene.naive.live.inode(ino).kind === 'dir');
    const { dir, name: found } = pick(directories, which) ?? { dir: pickDirectory(scene, which), name };
    const orphan = both(
      () => scene.naive.live.rmdir(dir, found),
      () => treeOf(scene).rmdir(dir, found),
    );
    lostName(scene, orphan);
  },

  /** Often to a name that is taken: it is replaced, or in the way. */
  rename: (scene, step) => {
    const from = pickEntry(scene, step);
    if (from === undefined) return;
    const toDir = pickDirectory(scene, step.other);
    const replaced = both(
      () => scene.naive.live.rename(from.dir, from.name, toDir, step.name),
      () => treeOf(scene).rename(from.dir, from.name, toDir, step.name),
    );
    lostName(scene, replaced);
  },

  exchange: (scene, step) => {
    const from = pickEntry(scene, step);
    if (from === undefined) return;
    const toDir = pickDirectory(scene, step.other);
    both<unknown>(
      () => scene.naive.live.exchange(from.dir, from.name, toDir, step.name),
      () => void treeOf(scene).rename(from.dir, from.name, toDir, step.name, RENAME_EXCHANGE),
    );
  },

  /** What is open the filesystem learns only when it must not destroy it. */
  open: (scene, step) => {
    const entry = pickEntry(scene, step);
    if (entry !== undefined) scene.naive.open.add(entry.ino);
  },

  close: (scene, { which }) => {
    const { live, open } = scene.naive;
    const ino = pick([...open], which);
    if (ino === undefined) return;
    open.delete(ino);
    if (live.inode(ino).nlink === 0) lostName(scene, ino);
  },

  setXattr: ({ volume, naive, serial }, { which, other, at, length }) => {
    const ino = pick(naive.live.inosOf('file', 'dir', 'symlink'), which)!;
    const name = `user.${other % 4}`;
    // Most are small; some fill pages, so that trees of few files have several.
    const value = Buffer.alloc(at % 4 === 0 ? length : length % 300, `${serial}=`);
    setXattrValue(volume.filesystem, ino, Buffer.from(name), value, 0, false);
    naive.live.setXattr(ino, name, value);
  },

  /** Mostly one that there is. */
  removeXattr: ({ volume, naive }, { which, other }) => {
    const all = naive.live.inosOf('file', 'dir', 'symlink');
    const ino =
      pick(
        all.filter((one) => naive.live.inode(one).xattrs.size > 0),
        which,
      ) ?? pick(all, which)!;
    const found = other % 8 === 0 ? undefined : pick([...naive.live.inode(ino).xattrs.keys()], other);
    const name = found ?? `user.${other % 4}`;
    both(
      () => naive.live.removeXattr(ino, name),
      () => removeXattrValue(volume.filesystem, ino, Buffer.from(name)),
    );
  },
} satisfies Record<string, Command>;
