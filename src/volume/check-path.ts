// The path of an inode, for people: where to find the file that something is wrong with.

import { CorruptionError } from '../errors/index.ts';
import { createInode } from '../format/index.ts';
import type { Pace } from '../tree/index.ts';
import { NameFinder } from './diff-names.ts';
import { type Filesystem, ROOT_INO } from './filesystem.ts';
import { findInode } from './inodes.ts';

/** A path of `ino` from the root on, which is "/"; a character for each byte. Undefined where none is found. */
export async function findPath(fs: Filesystem, ino: number, pace: Pace): Promise<string | undefined> {
  const inode = createInode();
  if (ino === 0) return undefined;
  if (ino === ROOT_INO) return '/';
  try {
    if (!findInode(fs, ino, inode) || inode.nlink === 0) return undefined;
    const finder = new NameFinder(fs);
    const isDirectory = (inode.mode & 0o170000) === 0o040000;
    if (isDirectory) finder.wantDirectory(ino);
    else finder.wantNames(ino, inode.nlink, false);
    for (const steps = finder.find(); steps.next().done !== true;) if (pace.due) await pace.breathe();
    if (isDirectory) return finder.pathOfDirectory(ino);
    const name = finder.namesOf(ino)[0];
    return name === undefined ? undefined : finder.pathOf(name);
  } catch (error) {
    // What is damaged may be the way to it.
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}
