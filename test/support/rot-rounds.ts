// What became of a store whose tables the disk changed while it was open: the deeds that a worker told of (programs/rot-open-worker.ts), and
// whether what the store shows afterwards is what they made of it.

import { type ExecFileException, execFile } from 'node:child_process';
import { compiledProgram } from './compile-programs.ts';
import { DAMAGED, type Deed, KnownState, type State, differences } from './known-states.ts';

/** As `show` of the worker tells it. */
export type ShownStore =
  | { readonly refused: string }
  | {
      readonly state: [path: string, text: string][];
      /** Warnings and errors in the log. */
      readonly said: string[];
      /** Why it is shown read-only. */
      readonly damage: string | undefined;
      /** What the full check found; it is not asked where there is damage. */
      readonly problems: string[];
      /** What is wrong after more was done to a store in which nothing was found. */
      readonly again: string[];
    };

export interface Told {
  readonly lines: string[];
  /** Of which it was told that they were done. */
  readonly deeds: Deed[];
  /** It began, and it was not told that it was done. */
  readonly inFlight: Deed | undefined;
  /** LevelDB ended the process, by an assertion or a wrong access to memory. */
  readonly isAborted: boolean;
}

const TIME_LIMIT_MS = 60_000;

/** Runs the worker to its end. Throws where it says that something is wrong, or fails otherwise than by LevelDB's assertions. */
export async function runWorker(...args: string[]): Promise<Told> {
  const { error, stdout, stderr } = await runProgram([compiledProgram('rot-open-worker'), ...args]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  const isAborted = error?.signal === 'SIGABRT' || error?.signal === 'SIGSEGV';
  if (error !== null && !isAborted) {
    const story = lines.filter((line) => !/^(do |done$)/.test(line));
    throw new Error(`${args[0]} ended with ${error.code ?? error.signal}: ${story.join('; ')} ${stderr}`);
  }
  const deeds: Deed[] = [];
  let inFlight: Deed | undefined;
  for (const line of lines) {
    if (line.startsWith('do ')) inFlight = JSON.parse(line.slice(3)) as Deed;
    if (line !== 'done') continue;
    deeds.push(inFlight!);
    inFlight = undefined;
  }
  return { lines, deeds, inFlight, isAborted };
}

interface Ended {
  readonly error: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runProgram(args: readonly string[]): Promise<Ended> {
  const options = { timeout: TIME_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ error, stdout, stderr });
    });
  });
}

export type Verdict =
  | 'refused'
  | 'refused by the ledger'
  | 'read-only'
  | 'tables are right, damage is named'
  | 'tables are right, more space is taken'
  | 'whole'
  | 'earlier state, told'
  | 'read-only, and it is told that it may be of an older time'
  | 'rewound';

/** The state after `deeds`, one after the other. */
function* statesAfter(deeds: readonly Deed[]): Generator<State> {
  const known = new KnownState();
  for (const deed of deeds) {
    known.apply(deed);
    yield known.state();
  }
}

/**
 * What it shows of a store to which `before` was done, then `during`. Throws where that is wrong. Parts may be of an older time where that is told:
 * with `rewind`, or where the records that would tell are damaged themselves.
 */
export function judge(
  shown: ShownStore,
  before: readonly Deed[],
  { deeds, inFlight }: Pick<Told, 'deeds' | 'inFlight'>,
  rewind: boolean,
): Verdict {
  if ('refused' in shown) return shown.refused.includes('of an older time') ? 'refused by the ledger' : 'refused';
  const { said, damage, problems, again } = shown;
  const found = new Map(shown.state);
  const all = [...before, ...deeds];
  const latest = finalState(all);
  const wrong = differences(found, latest);
  const isLatest =
    wrong.length === 0 || (inFlight !== undefined && differences(found, finalState([...all, inFlight])).length === 0);
  if (again.length > 0) throw new Error(`went wrong after it was opened: ${again.slice(0, 5).join('; ')}`);
  if (isLatest) {
    if (damage !== undefined) return 'read-only';
    const isRead = ![...found.values()].includes(DAMAGED);
    if (!isRead && problems.length === 0) throw new Error('the check does not find what is damaged');
    if (!isRead || problems.some((problem) => !isSpace(problem))) return 'tables are right, damage is named';
    return problems.length > 0 ? 'tables are right, more space is taken' : 'whole';
  }
  const isToldUnsure = damage?.includes('may be of an older time in parts') === true;
  const story = `${wrong.length} paths, such as ${wrong.slice(0, 3).join(', ')}, after: ${[...said, damage].join('; ')}`;
  if (isToldUnsure) {
    assertOnceShown(found, all);
    return rewind ? 'rewound' : 'read-only, and it is told that it may be of an older time';
  }
  // Where the journal or the end of the log can't be had; a session is never older than its beginning.
  if (/not shown|lost|state of before/.test([...said, damage].join())) {
    for (const state of statesAfter(all)) if (differences(found, state).length === 0) return 'earlier state, told';
  }
  throw new Error(`shows ${story}`);
}

function isSpace(problem: string): boolean {
  return problem.includes('is stored, but') || problem.includes('nobody uses');
}

function finalState(deeds: readonly Deed[]): State {
  const known = new KnownState();
  for (const deed of deeds) known.apply(deed);
  return known.state();
}

/** Throws where a path shows what it never held. */
function assertOnceShown(found: State, deeds: readonly Deed[]): void {
  const unexplained = new Map([...found].filter(([, text]) => text !== DAMAGED));
  for (const state of statesAfter(deeds))
    for (const [path, text] of unexplained) if (state.get(path) === text) unexplained.delete(path);
  if (unexplained.size > 0)
    throw new Error(`shows what was never there: ${[...unexplained.keys()].slice(0, 5).join()}`);
}
