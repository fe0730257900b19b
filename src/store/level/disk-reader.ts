// Reads files as the disk has them: past the page cache of the host, in which a file may still be as it was written.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hostCode } from '../host-failure.ts';
import { addressOf } from '../libc.ts';

/** Where O_DIRECT wants addresses, places and lengths to lie: no disk has larger sectors. */
const ALIGNMENT = 4096;
const READ_BYTES = 1024 * 1024;

export class DiskReader {
  #buffer = alignedBytes(READ_BYTES);

  /** The bytes of `file`; they stay until the next call. Rejects with what the host fails with. */
  async read(file: string): Promise<Uint8Array> {
    try {
      return await this.#read(file, constants.O_RDONLY | constants.O_DIRECT);
    } catch (error) {
      if (hostCode(error) !== 'EINVAL') throw error;
      // Not every filesystem can do that, and some notice it at the first read.
      return this.#read(file, constants.O_RDONLY);
    }
  }

  async #read(file: string, flags: number): Promise<Uint8Array> {
    const handle = await open(file, flags);
    try {
      const { size } = await handle.stat();
      // With room behind the end, so that the last read comes to it.
      if (size >= this.#buffer.length) this.#buffer = alignedBytes(size + READ_BYTES);
      const buffer = this.#buffer;
      let end = 0;
      while (end < size) {
        const { bytesRead } = await handle.read(buffer, end, Math.min(READ_BYTES, buffer.length - end), end);
        // Where a read came to less than asked for, the next one begins at a whole sector again.
        const whole = bytesRead - (bytesRead % ALIGNMENT);
        const isEnd = end + bytesRead >= size || whole === 0;
        end += isEnd ? bytesRead : whole;
        if (isEnd) break;
      }
      return buffer.subarray(0, end);
    } finally {
      await handle.close();
    }
  }
}

/** At least `count` bytes, a whole number of ALIGNMENT. */
function alignedBytes(count: number): Uint8Array {
  const length = Math.ceil(count / ALIGNMENT) * ALIGNMENT;
  const memory = new ArrayBuffer(length + ALIGNMENT);
  return new Uint8Array(memory, (ALIGNMENT - (addressOf(memory) % ALIGNMENT)) % ALIGNMENT, length);
}
