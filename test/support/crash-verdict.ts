/**
 * What a crash left, compared with what writers logged. For each writer the tree on the mount must be that of the first
 * so many operations of its log: after a kill exactly those that were acknowledged (and perhaps the one in flight), after
 * a power cut at least those that were made durable; and over all writers nothing may be there that came after something
 * that is not.
 */
import fs from 'node:fs';
import { type LogEntry, ModelTree, makesDurable, requestsOf, snapshotLine } from './acknowledged-operations.ts';

/** One writer's directory, by its name, and its log. */
export interface WriterLog {
  name: string;
  entries: LogEntry[];
}

/** How many operations of a log must be there at least, and can be at most. */
interface Bounds {
  min: number;
  max: number;
}

/** What the program tree-state found: lines by directory, null for a directory that is not there. */
export type FoundTrees = Record<string, string[] | null>;

/** How many operations were there, per writer; where several numbers give the same tree, the highest. */
export type Verdict = Record<string, { present: number; acknowledged: number }>;

/** Reads what the program acknowledging-writer logged, with one entry for each request to the daemon. */
export function readLog(name: string, file: string): WriterLog {
  const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const entries = lines.map((line) => JSON.parse(line) as LogEntry);
  return {
    name,
    entries: entries.flatMap((entry) => requestsOf(entry.operation).map((operation) => ({ ...entry, operation }))),
  };
}

/** Exactly what was acknowledged, and perhaps the operation that was in flight. */
export function boundsAfterKill({ entries }: WriterLog): Bounds {
  return { min: acknowledgedBefore(entries, Infinity), max: entries.length };
}

/** All that was durable before the power began to fail, and nothing that was begun after it was gone. */
export function boundsAfterCut(log: WriterLog, all: readonly WriterLog[], beginsUs: number, endsUs: number): Bounds {
  let min = 0;
  for (const other of all) {
    const last = other.entries.findLastIndex(
      (entry) => makesDurable(entry.operation) && (entry.acknowledgedUs ?? Infinity) < beginsUs,
    );
    if (last < 0) continue;
    min = Math.max(min, other === log ? last + 1 : acknowledgedBefore(log.entries, other.entries[last]!.startedUs));
  }
  return { min, max: startedBefore(log.entries, endsUs) };
}

/**
 * Compares what was found below `mount`, with snapshots `snapshots`, with the logs. `bounds` says what can be there.
 * Throws with what differs.
 */
export function judge(
  logs: readonly WriterLog[],
  bounds: (log: WriterLog) => Bounds,
  mount: string,
  snapshots: readonly string[],
  found: FoundTrees,
): Verdict {
  const matches = new Map<WriterLog, number[]>();
  for (const log of logs) {
    const own = snapshots.filter((snapshot) => snapshot.startsWith(`${log.name}-`));
    const lines = [...(found[`${mount}/${log.name}`] ?? []), ...own.map(snapshotLine)].sort();
    matches.set(log, matchingPrefixes(log, bounds(log), lines, log.name));
    for (const snapshot of own) judgeSnapshot(logs, log, snapshot, `${mount}/.snapshots/${snapshot}`, found);
  }
  judgeOrder(matches);
  const verdict: Verdict = {};
  for (const [log, prefixes] of matches) {
    verdict[log.name] = { present: prefixes.at(-1)!, acknowledged: acknowledgedBefore(log.entries, Infinity) };
  }
  return verdict;
}

/** A snapshot holds all that was acknowledged before it began, and nothing that was begun after it was acknowledged. */
function judgeSnapshot(
  logs: readonly WriterLog[],
  taker: WriterLog,
  snapshot: string,
  directory: string,
  found: FoundTrees,
): void {
  const at = taker.entries.findIndex(({ operation }) => 'name' in operation && operation.name === snapshot);
  const { startedUs, acknowledgedUs = Infinity } = taker.entries[at]!;
  for (const log of logs) {
    const bounds =
      log === taker
        ? { min: at, max: at }
        : { min: acknowledgedBefore(log.entries, startedUs), max: startedBefore(log.entries, acknowledgedUs) };
    const lines = found[`${directory}/${log.name}`] ?? [];
    // Which snapshots there are is not part of a snapshot.
    matchingPrefixes(log, bounds, lines, `${log.name} in snapshot ${snapshot}`, false);
  }
}

/** Nothing is there that was begun after something was acknowledged that is not there. */
function judgeOrder(matches: ReadonlyMap<WriterLog, number[]>): void {
  for (const [log, prefixes] of matches) {
    const certain = prefixes[0]!;
    if (certain === 0) continue;
    const { startedUs } = log.entries[certain - 1]!;
    for (const [other, others] of matches) {
      const needed = acknowledgedBefore(other.entries, startedUs);
      if (other !== log && needed > others.at(-1)!) {
        throw new Error(
          `${log.name} has ${certain} operations, the last of them begun when ${needed} of ${other.name} were ` +
            `acknowledged, of which only ${others.at(-1)!} are there: a mixture`,
        );
      }
    }
  }
}

/** The numbers of operations within `bounds` that lead to `lines`: at least one, or it throws. */
function matchingPrefixes(
  { entries }: WriterLog,
  { min, max }: Bounds,
  lines: readonly string[],
  what: string,
  withSnapshots = true,
): number[] {
  const model = new ModelTree();
  const wanted = lines.join('\n');
  const matching: number[] = [];
  const expected = (): string[] =>
    withSnapshots ? model.lines() : model.lines().filter((line) => !line.startsWith('@'));
  for (let count = 0; count <= max; count++) {
    if (count > 0) model.apply(entries[count - 1]!.operation);
    if (count >= min && expected().join('\n') === wanted) matching.push(count);
  }
  if (matching.length > 0) return matching;
  const [one, other] = [new Set(expected()), new Set(lines)];
  const missing = [...one].filter((line) => !other.has(line)).map((line) => `  not there: ${line.slice(0, 300)}`);
  const surplus = [...other].filter((line) => !one.has(line)).map((line) => `  but there: ${line.slice(0, 300)}`);
  const recent = entries.slice(Math.max(0, max - 8), max).map((entry) => `  ${JSON.stringify(entry).slice(0, 300)}`);
  throw new Error(
    `${what}: the tree is that of no number of operations from ${min} to ${max}; against ${max}:\n` +
      `${[...missing, ...surplus].slice(0, 24).join('\n')}\nthe last operations:\n${recent.join('\n')}`,
  );
}

function acknowledgedBefore(entries: readonly LogEntry[], timeUs: number): number {
  // A writer does one after the other, so times grow.
  return countWhile(entries, (entry) => (entry.acknowledgedUs ?? Infinity) < timeUs);
}

function startedBefore(entries: readonly LogEntry[], timeUs: number): number {
  return countWhile(entries, (entry) => entry.startedUs < timeUs);
}

function countWhile(entries: readonly LogEntry[], holds: (entry: LogEntry) => boolean): number {
  const end = entries.findIndex((entry) => !holds(entry));
  return end < 0 ? entries.length : end;
}
