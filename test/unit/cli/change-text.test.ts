import { expect, test } from 'vitest';
import { changeForJson, escapePath, formatChange, formatChangeRaw } from '../../../src/cli/change-text.ts';
import type { ChangeInfo } from '../../../src/daemon/control/index.ts';

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

function change(kind: ChangeInfo['kind'], type: number, path: string, rest: Partial<ChangeInfo> = {}): ChangeInfo {
  return { kind, type, path, oldPath: null, aspects: [], links: 0, ...rest };
}

test.each([
  [change('+', 0o10, '/a'), '+ F /a'],
  [change('-', 0o04, '/d/e'), '- / /d/e'],
  [change('M', 0o10, '/a', { links: 2 }), 'M F /a (+2)'],
  [change('M', 0o10, '/a', { links: -1 }), 'M F /a (-1)'],
  [change('R', 0o12, '/new', { oldPath: '/old' }), 'R @ /old -> /new'],
  [change('+', 0o01, '/x'), '+ | /x'],
  [change('+', 0o14, '/x'), '+ = /x'],
  [change('+', 0o06, '/x'), '+ B /x'],
  [change('+', 0o02, '/x'), '+ C /x'],
])('the line of a change: %#', (info, line) => {
  expect(formatChange(info)).toBe(line);
});

test.each([
  [bytes('/plain name'), '/plain name'],
  [bytes('/grün'), '/grün'],
  ['/a\nb\x1b[31m\x7f', '/a\\012b\\033[31m\\177'],
  ['/back\\slash', '/back\\134slash'],
  [bytes('/c1\u009b'), '/c1\\302\\233'],
  [bytes('/line\u2028'), '/line\\342\\200\\250'],
  ['/not utf-8 \xff\xfe', '/not utf-8 \\377\\376'],
])('odd bytes of names are written out: %j', (path, text) => {
  expect(escapePath(path)).toBe(text);
});

test('with -0 every byte of a name comes as it is', () => {
  expect(formatChangeRaw(change('R', 0o10, '/b\xff\n', { oldPath: '/a' }))).toEqual(
    Buffer.from('R F /a\0/b\xff\n\0', 'latin1'),
  );
});

test('JSON has words, and base64 where a path is no text', () => {
  expect(changeForJson(change('M', 0o10, bytes('/ä'), { aspects: ['content', 'times'], links: 1 }))).toEqual({
    ...{ change: 'modified', type: 'file', path: '/ä', changed: ['content', 'times'], links: 1 },
  });
  expect(changeForJson(change('R', 0o04, '/\xff', { oldPath: '/o' }))).toEqual({
    ...{ change: 'renamed', type: 'directory', path: '/\ufffd', path_base64: 'L/8=', old_path: '/o' },
  });
});
