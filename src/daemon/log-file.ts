// The daemon's log: lines with the time in UTC, to a descriptor. A log file is bounded: when it is full, its contents move to `FILE.1` and
// it starts anew. It is copied and emptied rather than renamed, because the descriptor is also this process's stderr, where Node and the
// C++ below it write their last words; it was opened for appending, so those land at the new beginning.

import { copyFileSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import type { Log } from '../util/index.ts';

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const LINE_LENGTH_MAX = 8 * 1024;

export interface LogFileOptions {
  /** The path of the file, for `FILE.1`; without it the log is no file and not bounded. */
  readonly path?: string;
  readonly maxBytes?: number;
}

/** Makes a log that writes to the descriptor `fd`. Logging never fails: a full disk must not take the mounts down. */
export function createLog(fd: number, options: LogFileOptions = {}): Log {
  const { path, maxBytes = FILE_BYTES_MAX } = options;
  let bytes = path === undefined ? 0 : fstatSync(fd).size;
  const write = (level: string, message: string): void => {
    const line = Buffer.from(formatLine(new Date(), level, message));
    try {
      if (path !== undefined && bytes + line.length > maxBytes) {
        copyFileSync(path, `${path}.1`);
        ftruncateSync(fd);
        bytes = 0;
      }
      bytes += writeSync(fd, line);
    } catch {
      // There is nobody left to tell.
    }
  };
  const repeats = new Repeats(write);
  const say = (level: string, message: string): void => {
    if (repeats.isFirst(level, message)) write(level, message);
  };
  return {
    info: (message) => {
      say('info', message);
    },
    warn: (message) => {
      say('warning', message);
    },
    error: (message) => {
      say('error', message);
    },
  };
}

/** Counts how often the same is said in a row: whoever reads all of a damaged directory must not push out what was said before. */
class Repeats {
  readonly #write: (level: string, message: string) => void;
  #level = '';
  #message = '';
  #times = 0;

  /** `write` is told of what was left out, when something else is said and each time that there is ten times as much of it. */
  constructor(write: (level: string, message: string) => void) {
    this.#write = write;
  }

  /** Whether this is to be written now. */
  isFirst(level: string, message: string): boolean {
    if (level === this.#level && message === this.#message) {
      this.#times++;
      if (this.#times >= 10 && Number.isInteger(Math.log10(this.#times))) this.#tell();
      return false;
    }
    if (this.#times > 1 && !Number.isInteger(Math.log10(this.#times))) this.#tell();
    [this.#level, this.#message, this.#times] = [level, message, 1];
    return true;
  }

  #tell(): void {
    this.#write(this.#level, `${this.#times} times by now: ${this.#message}`);
  }
}

/**
 * One entry of the log. Lines after the first are indented, and other control characters are replaced: messages can hold names of files,
 * and nobody shall be able to write an entry, or to a terminal, by naming a file.
 */
export function formatLine(time: Date, level: string, message: string): string {
  const text = message
    .slice(0, LINE_LENGTH_MAX)

    .replaceAll(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '?')
    .replaceAll('\n', '\n    ');
  return `${time.toISOString()} ${level} ${text}\n`;
}
