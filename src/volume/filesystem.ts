// One version seen as a filesystem: the context that every inode operation works in.

import { BLOCK_BYTES, type VolumeRecord } from '../format/index.ts';
import { FsError } from '../errors/index.ts';
import type { BlockAllocator, Blocks } from '../store/index.ts';
import type { Head, Tree } from '../tree/index.ts';
import type { Clock } from '../util/index.ts';
import type { Recorder } from './recorder.ts';

/** The root directory's inode number in every filesystem. */
export const ROOT_INO = 1;
/** Reserved: the number under which orphans are listed. It is no inode. */
export const ORPHAN_LIST_INO = 3;
/** The first number that is given to a file. */
export const FIRST_INO = 256;
/** Of so many files it is remembered that they were made durable. */
const SYNCED_MAX = 256;
/** nodeids have 40 bits for the inode number. */
const INO_MAX = 0xff_ffff_ffff;

/** What all filesystems of a store share. */
export interface FilesystemContext {
  readonly blocks: Blocks;
  readonly allocator: BlockAllocator;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** Seed of the name hash. */
  readonly hashSeed: number;
  /** To be called by every change: throws where the store can't be written any more, and sees to it that a commit follows. */
  changing(): void;
}

/** A version's tree with what is needed to read it and, for a head, to change it. */
export class Filesystem {
  readonly context: FilesystemContext;
  readonly tree: Tree;
  /** undefined: read only. */
  readonly head: Head | undefined;
  /** The volume's record, for the inode counter; undefined where read only. */
  readonly #volume: VolumeRecord | undefined;
  /** False once the version was deleted: nothing of it may be read any more. */
  alive = true;
  /** Why nothing of it may be shown any more: a change ended half-way, where metadata is damaged. The next mount shows what was before it. */
  halfChanged: FsError | undefined;
  readonly #synced = new Set<number>();
  /** Grows with every change: whoever let go of the thread while reading sees whether it must start anew. */
  changes = 0;

  constructor(context: FilesystemContext, tree: Tree, head?: Head, volume?: VolumeRecord) {
    this.context = context;
    this.tree = tree;
    this.head = head;
    this.#volume = volume;
  }

  /**
   * Which files it shows: another number once a restore has put others in their place, under the same inode numbers perhaps. Whoever
   * waits between two looks at a file compares it.
   */
  get generation(): number {
    return this.head?.version.tag ?? 0;
  }

  /** The head, for a change. Throws EROFS where the filesystem is read only, and whatever forbids changes to the store. */
  change(): Head {
    if (this.head === undefined) throw new FsError('EROFS', 'read-only-view', 'a snapshot does not change');
    this.context.changing();
    this.changes++;
    return this.head;
  }

  /** Somebody wants what was written to file `ino` on stable storage, and probably will again. */
  noteSync(ino: number): void {
    this.#synced.delete(ino);
    this.#synced.add(ino);
    if (this.#synced.size > SYNCED_MAX) this.#synced.delete(this.#synced.values().next().value!);
  }

  /** Whether that was so of late. */
  isSynced(ino: number): boolean {
    return this.#synced.has(ino);
  }

  /** How many blocks of 4 KiB the live files may take, trees included; Infinity without a quota. Snapshots do not count. */
  get quotaBlocks(): number {
    const bytes = this.#volume?.properties['quota'];
    return bytes === undefined || bytes === 'none' ? Infinity : Math.floor(Number(bytes) / BLOCK_BYTES);
  }

  /** How many blocks the quota leaves to the live files: negative where it was set below what they take. */
  get quotaLeftBlocks(): number {
    const { quotaBlocks, head } = this;
    if (quotaBlocks === Infinity || head === undefined) return Infinity;
    return quotaBlocks - head.version.referencedBlocks - head.version.referencedNodes;
  }

  /** An inode number that the volume never used. Throws EDQUOT where the quota is used up. */
  takeIno(): number {
    const volume = this.#volume!;
    if (this.quotaLeftBlocks <= 0) throw new FsError('EDQUOT', 'quota-of-inodes', 'the quota of the volume is used up');
    if (volume.nextIno > INO_MAX)
      throw new FsError('ENOSPC', 'inode-numbers-used-up', 'the volume has used up its inode numbers');
    return volume.nextIno++;
  }
}
