// Changes of paths as lines: `+ F /path`, `R / /old -> /new`, `M F /path (+1)`. The letters are those of `zfs diff`.

import type { ChangeInfo, DiffInfo } from '../daemon/control/index.ts';
import { formatSize } from './sizes.ts';

/** By `mode >>> 12`. */
const TYPE_LETTERS: Readonly<Record<number, string>> = {
  0o01: '|',
  0o02: 'C',
  0o04: '/',
  0o06: 'B',
  0o10: 'F',
  0o12: '@',
  0o14: '=',
};

const TYPE_NAMES: Readonly<Record<number, string>> = {
  0o01: 'fifo',
  0o02: 'character device',
  0o04: 'directory',
  0o06: 'block device',
  0o10: 'file',
  0o12: 'symlink',
  0o14: 'socket',
};

const KIND_NAMES = { '+': 'added', '-': 'removed', M: 'modified', R: 'renamed' } as const;

/** The text of bytes (a character each), or undefined where they are not UTF-8. */
function decodeUtf8(bytes: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Control characters (those of C1 too) and line separators end lines or move cursors; the backslash is what the others are written with. */
const ODD = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\\]/g;

/** A path (a character for each byte) as people read it: odd bytes as `\` and three octal digits, as `ls -b` has them. */
export function escapePath(path: string): string {
  const text = decodeUtf8(path);
  if (text === undefined) return path.replace(/[^\u0020-\u005b\u005d-\u007e]/g, octal);
  return text.replace(ODD, (odd) => Buffer.from(odd).toString('latin1').replace(/[^]/g, octal));
}

function octal(byte: string): string {
  return `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`;
}

/** One change as a line, without its end. */
export function formatChange({ kind, type, path, oldPath, links }: ChangeInfo): string {
  const from = oldPath === null ? '' : `${escapePath(oldPath)} -> `;
  const count = links === 0 ? '' : ` (${links > 0 ? '+' : ''}${links})`;
  return `${kind} ${TYPE_LETTERS[type] ?? '?'} ${from}${escapePath(path)}${count}`;
}

/** One change for programs: letters, then the bytes of each path, everything ended by a zero byte. */
export function formatChangeRaw({ kind, type, path, oldPath }: ChangeInfo): Buffer {
  const old = oldPath === null ? '' : `${oldPath}\0`;
  return Buffer.from(`${kind} ${TYPE_LETTERS[type] ?? '?'} ${old}${path}\0`, 'latin1');
}

/** One change as an object of JSON. Paths that are not UTF-8 come exactly in base64, too. */
export function changeForJson({ kind, type, path, oldPath, aspects, links }: ChangeInfo): object {
  return {
    change: KIND_NAMES[kind],
    type: TYPE_NAMES[type] ?? 'unknown',
    ...pathForJson('path', path),
    ...(oldPath === null ? {} : pathForJson('old_path', oldPath)),
    ...(kind === 'M' ? { changed: aspects, links } : {}),
  };
}

function pathForJson(name: string, path: string): Record<string, string> {
  const text = decodeUtf8(path);
  if (text !== undefined) return { [name]: text };
  const bytes = Buffer.from(path, 'latin1');
  return { [name]: bytes.toString(), [`${name}_base64`]: bytes.toString('base64') };
}

/** The figures of a diff, as lines. */
export function formatStat(diff: DiffInfo): string {
  const { added, removed, modified, renamed, writtenBytes, freedBytes } = diff;
  return [
    `${added} added, ${removed} removed, ${modified} modified, ${renamed} renamed`,
    `${formatSize(writtenBytes)} of new data, ${formatSize(freedBytes)} of old data no longer there`,
    '',
  ].join('\n');
}

/** The figures of a diff as fields of JSON. */
export function statForJson(diff: DiffInfo): object {
  const { before, after, added, removed, modified, renamed, writtenBytes, freedBytes } = diff;
  const bytes = { written_bytes: writtenBytes, freed_bytes: freedBytes };
  return { before, after, added, removed, modified, renamed, ...bytes };
}
