// What the rest of the program needs of the file that holds file contents. Addresses and lengths are bytes; callers use whole
// blocks for writes and punches. The contract suite in test/contract/block-file.ts holds for each implementation.

export interface BlockFile {
  /**
   * Reads exactly `length` bytes. Throws DamagedDataError past the end of the file (a block that something refers to must be there),
   * StoreError when the host fails.
   */
  readSync(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): void;
  /**
   * Reads exactly `length` bytes if that needs no waiting for the disk, and says whether it did. After `false` the contents of
   * `into` from `intoOffset` on are undefined and `read` is to be called. Throws like `readSync`.
   */
  readCached(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): boolean;
  /** Reads exactly `length` bytes without blocking this thread. Rejects with what `readSync` throws. */
  read(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): Promise<void>;
  /**
   * Writes `length` bytes, into the host's page cache at least. Throws FsError ENOSPC when the host has no room (part of the range
   * may have been written), StoreError when it fails.
   */
  writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void;
  /** Throws FsError ENOSPC where the host has no room for `length` bytes more, which are to be written later. */
  assertRoom(length: number): void;
  /**
   * Writes all of `buffers` one after the other from `byteOffset` on, without blocking this thread. They were accepted before, so what the host
   * keeps free for commits may be used. Rejects with FsError ENOSPC when there is no room for all the same, and can then be tried again;
   * with StoreError when the host fails.
   */
  write(buffers: readonly Uint8Array[], byteOffset: number): Promise<void>;
  /**
   * Brings everything written before the call to stable storage; costs nothing when that is done already. Rejects with StoreError,
   * from then on for ever: the kernel forgets pages that it failed to write, so a second attempt could succeed without them.
   */
  sync(): Promise<void>;
  /** Whether `sync` would cost nothing. */
  readonly isSynced: boolean;
  /** Gives the space of a range back to the host; the range reads as zeros. Does nothing where the host can't do that. */
  punch(byteOffset: number, length: number): void;
  /** The end of the last write, or of the file when it was opened. */
  readonly sizeBytes: number;
  /** What the host spends on the file. */
  storedBytes(): number;
  /** `read` fails from now on; resolves when none is under way. A mount that was aborted leaves some behind. */
  endReads(): Promise<void>;
  /** To be called when no read is under way. */
  close(): void;
}
