/** SQLite databases through crashes: writers on them, and what has to be there afterwards. */
import fs from 'node:fs';
import path from 'node:path';
import { startProgram, type ChildProgram } from './child-program.ts';
import type { Mounted } from './mounted.ts';
import type { Commit } from './transactions.ts';

export const journalModes = ['wal', 'delete', 'truncate', 'persist'] as const;
type JournalMode = (typeof journalModes)[number];

export class SqliteWriter {
  readonly file: string;
  readonly #program: ChildProgram;
  readonly #log: string;

  private constructor(file: string, log: string, mode: JournalMode, dir: string) {
    this.file = file;
    this.#log = log;
    this.#program = startProgram('sqlite-writer', [path.join(dir, file), mode, log]);
  }

  /** Starts to fill a new database of this journal mode on the mount `dir`; `name` tells it from others. */
  static async start(mounted: Mounted, dir: string, mode: JournalMode, name: string): Promise<SqliteWriter> {
    const file = `${name}-${mode}.db`;
    const writer = new SqliteWriter(file, path.join(mounted.temp, `${file}.log`), mode, dir);
    try {
      await writer.#program.nextLine();
    } catch (error) {
      await writer.#program.dispose();
      throw error;
    }
    return writer;
  }

  /** Lets it end and gives its transactions. */
  async finish(): Promise<Commit[]> {
    try {
      await this.#program.finish();
    } finally {
      await this.#program.dispose();
    }
    return JSON.parse(fs.readFileSync(this.#log, 'utf8')) as Commit[];
  }
}

/**
 * Opens the database `file`, as a program would after a crash, and looks at it: it is sound, all transactions that were
 * acknowledged before `untilUs` are there, and none in part. Throws with what is wrong; gives how many were acknowledged.
 */
export async function checkSqlite(
  mounted: Mounted,
  file: string,
  commits: Commit[],
  untilUs = Infinity,
): Promise<number> {
  const query = `pragma integrity_check;
    select count(*), coalesce(max(number), 0), coalesce(sum(number), 0) from notes;
    select amount from accounts where name = 'one'; select -amount from accounts where name = 'other';`;
  const found = (await mounted.run('sqlite3', ['-batch', '-bail', file, query])).trimEnd().split('\n');
  const acknowledged = commits.filter((commit) => (commit.acknowledgedUs ?? Infinity) < untilUs).length;
  const [count, max, sum] = (found[1] ?? '').split('|').map(Number) as [number, number, number];
  const whole = found[0] === 'ok' && count === max && found[2] === String(sum) && found[3] === String(sum);
  if (!whole || count < acknowledged || count > commits.length) {
    throw new Error(`${file} with ${acknowledged} of ${commits.length} transactions acknowledged: ${found.join(', ')}`);
  }
  return acknowledged;
}
