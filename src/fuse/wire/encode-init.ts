import { FUSE_INIT_OUT } from './layout.ts';
import { FUSE_KERNEL_VERSION } from './constants.ts';

/** What the server answers to INIT (`struct fuse_init_out`). */
export interface InitOut {
  readonly minor: number;
  readonly maxReadaheadBytes: number;
  readonly flags: number;
  readonly flags2: number;
  /** Background requests at a time (reads ahead, asynchronous direct I/O); and from how many on the kernel calls itself congested. */
  readonly maxBackground: number;
  readonly congestionThreshold: number;
  readonly maxWriteBytes: number;
  /** The granularity of times in nanoseconds. */
  readonly timeGran: number;
  readonly maxPages: number;
}

/** Writes `struct fuse_init_out` at word `at`. */
export function putInitOut(words: Uint32Array, at: number, init: InitOut): void {
  words.fill(0, at, at + FUSE_INIT_OUT.SIZE / 4);
  words[at + FUSE_INIT_OUT.major / 4] = FUSE_KERNEL_VERSION;
  words[at + FUSE_INIT_OUT.minor / 4] = init.minor;
  words[at + FUSE_INIT_OUT.max_readahead / 4] = init.maxReadaheadBytes;
  words[at + FUSE_INIT_OUT.flags / 4] = init.flags;
  words[at + FUSE_INIT_OUT.max_background / 4] = init.maxBackground | (init.congestionThreshold << 16);
  words[at + FUSE_INIT_OUT.max_write / 4] = init.maxWriteBytes;
  words[at + FUSE_INIT_OUT.time_gran / 4] = init.timeGran;
  words[at + FUSE_INIT_OUT.max_pages / 4] = init.maxPages;
  words[at + FUSE_INIT_OUT.flags2 / 4] = init.flags2;
}
