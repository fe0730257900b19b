// What test/tidy.test.ts asks of the files of the project, as pure functions of one file's text. Each gives the
// complaints `{ line, what }`, lines counted from 1; none means that the file is tidy.

import ts from 'typescript';

export interface Complaint {
  line: number;
  what: string;
}

/** One `reason` of an FsError in the sources. */
export interface Reason {
  line: number;
  reason: string;
}

/** One comment that starts with the word INVARIANT, and the checks that it names (none: it names no check). */
export interface Invariant {
  line: number;
  checks: string[];
}

const KEBAB_CODE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

// Written in two pieces, so that this file does not complain about itself.
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);

// Where checkouts and homes lie on machines that build. A path inside of another (`/proc/1/root/x`, `~/work/x`) is none
// of these.
const MACHINE_PATH = /(?<![\w.$}~*/-])\/(home|root|Users|work|workspace|workspaces|build|builds|runner)\/[\w.-]/;

/** Complains once when `text` has more than `max` lines. */
export function longerThan(text: string, max: number): Complaint[] {
  const count = linesOf(text).length;
  return count > max ? [{ line: max + 1, what: `${count} lines; ${max} are the limit` }] : [];
}

/** Complains about each line with a character that is neither printable ASCII nor a tab. */
export function notAscii(text: string): Complaint[] {
  return matching(text, /[^\t\x20-\x7e]/, (line) => {
    const found = /[^\t\x20-\x7e]/.exec(line)![0];
    return `character U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} is not ASCII`;
  });
}

/** Complains about each line that ends in spaces or tabs. */
export function trailingSpace(text: string): Complaint[] {
  return matching(text, /[ \t\r]$/, () => 'space at the end of the line');
}

/** Complains about each mark of unfinished work. */
export function unfinished(text: string): Complaint[] {
  return matching(text, UNFINISHED, (line) => `unfinished work: ${line.trim()}`);
}

/** Complains about each absolute path that only exists on the machine of whoever wrote it. */
export function machinePath(text: string): Complaint[] {
  return matching(text, MACHINE_PATH, (line) => `path of one machine: ${line.trim()}`);
}

/** Complains unless the Markdown `text` has exactly one title (`# `), on its first line. Code blocks do not count. */
export function titles(text: string): Complaint[] {
  const found: number[] = [];
  let fence: string | undefined;
  for (const [index, line] of linesOf(text).entries()) {
    const mark = /^\s*(```|~~~)/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || fence === mark)) fence = fence === undefined ? mark : undefined;
    else if (fence === undefined && /^# /.test(line)) found.push(index + 1);
  }
  if (found[0] !== 1) return [{ line: 1, what: 'the first line must be the title (# Title)' }];
  return found.slice(1).map((line) => ({ line, what: 'a second title; a file has one' }));
}

/**
 * Finds the reason of each `new FsError(code, reason, ...)` in TypeScript. A reason is a string literal in kebab case,
 * or a choice between such; anything else is a complaint, for it could not be found by searching the sources.
 */
export function reasonsOf(text: string): { reasons: Reason[]; complaints: Complaint[] } {
  const source = ts.createSourceFile('source.ts', text, ts.ScriptTarget.ES2023, false, ts.ScriptKind.TS);
  const reasons: Reason[] = [];
  const complaints: Complaint[] = [];
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;

  function take(value: ts.Expression | undefined, call: ts.Node): void {
    if (value !== undefined && ts.isConditionalExpression(value)) {
      take(value.whenTrue, call);
      take(value.whenFalse, call);
    } else if (value === undefined || !ts.isStringLiteral(value)) {
      complaints.push({ line: lineOf(call), what: 'the reason of an FsError must be a string literal' });
    } else if (!KEBAB_CODE.test(value.text)) {
      complaints.push({ line: lineOf(value), what: `reason '${value.text}' is not in kebab case` });
    } else {
      reasons.push({ line: lineOf(value), reason: value.text });
    }
  }

  function visit(node: ts.Node): void {
    const isFsError =
      ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'FsError';
    if (isFsError) take(node.arguments?.[1], node);
    ts.forEachChild(node, visit);
  }
  visit(source);
  return { reasons, complaints };
}

/** Finds each comment that starts with the word INVARIANT, with the names in its `(checked by NAME, NAME)`. */
export function invariantsOf(text: string): Invariant[] {
  const lines = linesOf(text);
  const found: Invariant[] = [];
  for (const [index, line] of lines.entries()) {
    const start = line.search(/(\/\/|\/?\*).*INVARIANT:/);
    if (start === -1) continue;
    const words = [line.slice(start)];
    for (const next of lines.slice(index + 1)) {
      const more = /^\s*(?:\/\/|\*(?!\/))(.*)$/.exec(next)?.[1];
      if (more === undefined || more.trim() === '' || more.includes('INVARIANT:')) break;
      words.push(more.trim());
    }
    const names = /\(checked by ([^)]+)\)/.exec(words.join(' '))?.[1];
    found.push({ line: index + 1, checks: names === undefined ? [] : names.split(/,\s*|\s+and\s+/) });
  }
  return found;
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function matching(text: string, pattern: RegExp, what: (line: string) => string): Complaint[] {
  const complaints: Complaint[] = [];
  for (const [index, line] of linesOf(text).entries()) {
    if (pattern.test(line)) complaints.push({ line: index + 1, what: what(line) });
  }
  return complaints;
}
