// Rules of the house that no linter knows, checked over every file of the project: what git tracks or would track.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TEST_FOLDERS } from '../vitest.config.ts';
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
} from './unit/tidy/checks.ts';

const ROOT = join(import.meta.dirname, '..');
const SOURCE_LINES_MAX = 400;
const BINARY = /\.(png|gif|jpg|gz|bin|img|wasm)$/;

// `safe.directory`: CI often checks out as one user and tests as another, and git would refuse to list the files.
const listing = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
const paths = execFileSync('git', listing, { cwd: ROOT, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && !BINARY.test(path) && existsSync(join(ROOT, path)));

const texts = new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
const allFiles = [...texts].filter(([path]) => path !== 'package-lock.json');
const sources = allFiles.filter(([path]) => path.startsWith('src/') && path.endsWith('.ts'));
const code = allFiles.filter(([path]) => /^(src|test|scripts)\//.test(path));

function complaintsOver(files: [string, string][], check: (text: string) => Complaint[]): string[] {
  return files.flatMap(([path, text]) => check(text).map(({ line, what }) => `${path}:${line}: ${what}`));
}

test('the project is found', () => {
  expect(sources.map(([path]) => path)).toContain('src/errors/errors.ts');
  expect(texts.has('test/tidy.test.ts')).toBe(true);
});

describe('every file', () => {
  test('has no space at the end of a line', () => {
    expect(complaintsOver(allFiles, trailingSpace)).toEqual([]);
  });

  test('has no mark of unfinished work', () => {
    const others = allFiles.filter(([path]) => !path.startsWith('test/unit/tidy/'));
    expect(complaintsOver(others, unfinished)).toEqual([]);
  });

  test('has no path of the machine that it was written on', () => {
    const others = allFiles.filter(([path]) => !path.startsWith('test/unit/tidy/'));
    expect(complaintsOver(others, machinePath)).toEqual([]);
  });

  test('of Markdown has one title', () => {
    const documents = allFiles.filter(([path]) => path.endsWith('.md'));
    expect(complaintsOver(documents, titles)).toEqual([]);
  });
});

test('the lock file names no registry', () => {
  expect(texts.get('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});

test('every test file belongs to a project of vitest.config.ts', () => {
  const known = new RegExp(`^test/(tidy\\.test\\.ts$|(${TEST_FOLDERS.join('|')})/)`);
  const lost = paths.filter((path) => path.endsWith('.test.ts') && !known.test(path));
  expect(lost).toEqual([]);
});

describe('the sources', () => {
  test('are short files', () => {
    expect(complaintsOver(sources, (text) => longerThan(text, SOURCE_LINES_MAX))).toEqual([]);
  });

  test('are ASCII', () => {
    expect(
      complaintsOver(
        allFiles.filter(([path]) => path.startsWith('src/')),
        notAscii,
      ),
    ).toEqual([]);
  });

  test('give each FsError a reason that stands nowhere else', () => {
    const places = new Map<string, string[]>();
    for (const [path, text] of sources) {
      for (const { line, reason } of reasonsOf(text).reasons) {
        places.set(reason, [...(places.get(reason) ?? []), `${path}:${line}`]);
      }
    }
    expect(complaintsOver(sources, (text) => reasonsOf(text).complaints)).toEqual([]);
    expect([...places].filter(([, where]) => where.length > 1)).toEqual([]);
  });

  test('name a check that exists for each INVARIANT', () => {
    const allCode = code.map(([, text]) => text.replaceAll(/\(checked by [^)]*\)/g, '')).join('\n');
    const exists = (name: string) =>
      /^[\w./-]+$/.test(name) && (existsSync(join(ROOT, name)) || new RegExp(`\\b${lastWord(name)}\\b`).test(allCode));
    const complaints = complaintsOver(sources, (text) =>
      invariantsOf(text).flatMap(({ line, checks }) => {
        if (checks.length === 0) return [{ line, what: 'INVARIANT without (checked by NAME)' }];
        return checks.filter((name) => !exists(name)).map((name) => ({ line, what: `no check is called '${name}'` }));
      }),
    );
    expect(complaints).toEqual([]);
  });
});

/** `checkTree` of `volume/check.checkTree`. */
function lastWord(name: string): string {
  return /\w+$/.exec(name)?.[0] ?? name;
}
