// A check that can't complain guards nothing: each is shown a text that breaks its rule and one that just keeps it.

import { describe, expect, test } from 'vitest';
import {
  invariantsOf,
  longerThan,
  machinePath,
  notAscii,
  reasonsOf,
  titles,
  trailingSpace,
  unfinished,
  type Complaint,
} from './checks.ts';

const linesWith = (complaints: Complaint[]) => complaints.map((complaint) => complaint.line);

describe('lines', () => {
  test('a file at the limit passes, one line more does not', () => {
    expect(longerThan('a\n'.repeat(4), 4)).toEqual([]);
    expect(linesWith(longerThan('a\n'.repeat(5), 4))).toEqual([5]);
  });

  test('characters beyond ASCII are named', () => {
    expect(notAscii('plain ~ text\twith a tab\n')).toEqual([]);
    expect(notAscii('a\nna\u00efve\n')).toEqual([{ line: 2, what: 'character U+00EF is not ASCII' }]);
    expect(linesWith(notAscii('bell \u0007\nsmile \u{1f600}\n'))).toEqual([1, 2]);
  });

  test('space at the end of a line', () => {
    expect(trailingSpace(' a\n\nb')).toEqual([]);
    expect(linesWith(trailingSpace('a \nb\nc\t\nd\r\n'))).toEqual([1, 3, 4]);
  });

  test('marks of unfinished work, as words', () => {
    expect(unfinished('const TODOS = 1;\nmethods to do\n')).toEqual([]);
    expect(linesWith(unfinished(`a\n// ${'TO' + 'DO'}: later\n// ${'FIX' + 'ME'}\n`))).toEqual([2, 3]);
  });

  test('paths of one machine', () => {
    expect(
      machinePath('/proc/1/root/x ~/work/x ../home/x https://a.example/home/x /usr/share /mnt/x src/root/x\n'),
    ).toEqual([]);
    const homes = ['home/anna', 'root/.npm', 'Users/anna', 'builds/7', 'workspace/a'].map((path) => `see /${path}`);
    expect(linesWith(machinePath(homes.join('\n')))).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('Markdown titles', () => {
  test('one title, on the first line', () => {
    expect(titles('# A\n\n## B\n\n```sh\n# a comment\n```\n')).toEqual([]);
    expect(linesWith(titles('text\n\n# A\n'))).toEqual([1]);
    expect(linesWith(titles('## A\n'))).toEqual([1]);
    expect(linesWith(titles('# A\n\n# B\n'))).toEqual([3]);
  });

  test('a fence is closed by its own mark only', () => {
    expect(linesWith(titles('# A\n~~~\n```\n# not a title\n~~~\n# B\n'))).toEqual([6]);
  });
});

describe('reasons of FsError', () => {
  test('literals are found wherever they stand, and both sides of a choice', () => {
    const { reasons, complaints } = reasonsOf(
      "throw new FsError('EIO', 'disk-gone', 'm');\n" +
        "return new FsError(\n  'EIO',\n  full ? 'disk-full' : 'disk-slow',\n  'm',\n);\n",
    );
    expect(complaints).toEqual([]);
    expect(reasons).toEqual([
      { line: 1, reason: 'disk-gone' },
      { line: 4, reason: 'disk-full' },
      { line: 4, reason: 'disk-slow' },
    ]);
  });

  test('computed, missing and odd reasons are complaints', () => {
    const text = "new FsError('EIO', reason, 'm');\nnew FsError('EIO');\nnew FsError('EIO', 'Disk_Gone', 'm');\n";
    expect(linesWith(reasonsOf(text).complaints)).toEqual([1, 2, 3]);
  });

  test('comments and other errors do not count', () => {
    expect(reasonsOf("// new FsError('EIO', 'a', 'm')\nnew StoreError(reason);\n")).toEqual({
      reasons: [],
      complaints: [],
    });
  });
});

describe('INVARIANT comments', () => {
  test('the check may stand on a later line of the same comment', () => {
    const text =
      '// INVARIANT: births precede deaths, in every version\n// of a store (checked by checkBirths, test/model).\n';
    expect(invariantsOf(text)).toEqual([{ line: 1, checks: ['checkBirths', 'test/model'] }]);
  });

  test('the check of another comment does not count', () => {
    const text = '/**\n * INVARIANT: a\n *\n * (checked by b)\n */\n// INVARIANT: c\n// INVARIANT: d (checked by e)\n';
    expect(invariantsOf(text)).toEqual([
      { line: 2, checks: [] },
      { line: 6, checks: [] },
      { line: 7, checks: ['e'] },
    ]);
  });
});
