/** PostgreSQL servers through crashes: one that is written to, and what has to be there afterwards. Needs root. */
import fs from 'node:fs';
import path from 'node:path';
import { startProgram, type ChildProgram } from './child-program.ts';
import type { Mounted } from './mounted.ts';
import type { Commit } from './transactions.ts';

const installed = '/usr/lib/postgresql';
/** How the server makes its log durable: by a call, or by opening it so. */
export const syncMethods = ['fdatasync', 'open_datasync', 'fsync', 'open_sync'] as const;

/** The directory of the server's programs. Throws where there is none. */
function binaries(): string {
  const version = fs.existsSync(installed) ? fs.readdirSync(installed).sort().at(-1) : undefined;
  if (version === undefined) throw new Error('PostgreSQL is missing; install it with: apt-get install postgresql');
  return path.join(installed, version, 'bin');
}

export class PostgresWriter {
  readonly #program: ChildProgram;
  readonly #log: string;

  private constructor(program: ChildProgram, log: string) {
    this.#program = program;
    this.#log = log;
  }

  /** Makes a server's directory at `directory`, on a mount, and starts to fill it. */
  static async start(
    mounted: Mounted,
    directory: string,
    method: (typeof syncMethods)[number],
  ): Promise<PostgresWriter> {
    const sockets = path.join(mounted.temp, 'sockets');
    const log = path.join(mounted.temp, 'postgres.log');
    await mounted.sh(
      `mkdir -p "$1" "$2"; chown postgres "$1" "$2"; runuser -u postgres -- "$3/initdb" -D "$2" -A trust > "$1/initdb"`,
      sockets,
      directory,
      binaries(),
    );
    const program = startProgram('postgres-writer', [binaries(), directory, sockets, method, log]);
    try {
      await program.nextLine();
    } catch (error) {
      await program.dispose();
      throw error;
    }
    return new PostgresWriter(program, log);
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
 * Starts a server on `directory`, which recovers, and looks: all transactions that were acknowledged before `untilUs` are
 * there, none in part, and the indexes fit the tables. Throws with what is wrong; gives how many were acknowledged.
 */
export async function checkPostgres(
  mounted: Mounted,
  directory: string,
  commits: Commit[],
  untilUs = Infinity,
): Promise<number> {
  const query = `set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off;
    select count(*), coalesce(max(number), 0), coalesce(sum(number), 0), sum(length(text)) >= 0 from notes;
    select amount from accounts where name = 'one'; select -amount from accounts where name = 'other';
    set enable_seqscan = off; reset enable_indexscan; select count(*) from notes where number > 0`;
  const output = await mounted.sh(
    `rm -f "$2/postmaster.pid"; cd /; as="runuser -u postgres --"
    $as "$3/pg_ctl" -D "$2" -o "-k $1 -c listen_addresses=" -l "$1/log" -w start > "$1/start" || { tail "$1/log"; exit 1; }
    $as psql -qAtX -v ON_ERROR_STOP=1 -h "$1" -d postgres -c "$4"
    $as "$3/pg_ctl" -D "$2" -m fast -w stop > "$1/stop"`,
    path.join(mounted.temp, 'sockets'),
    directory,
    binaries(),
    query,
  );
  const [totals, one, other, indexed] = output.trimEnd().split('\n');
  const acknowledged = commits.filter((commit) => (commit.acknowledgedUs ?? Infinity) < untilUs).length;
  const [count, max, sum] = totals!.split('|');
  const whole = count === max && sum === one && sum === other && count === indexed;
  if (!whole || Number(count) < acknowledged || Number(count) > commits.length) {
    throw new Error(`${directory} with ${acknowledged} of ${commits.length} transactions acknowledged: ${output}`);
  }
  return acknowledged;
}
