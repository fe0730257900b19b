/**
 * Transactions through the shell of a database, one after the other: each moves an amount between two accounts and notes
 * it, so that one that is there in part shows. For the programs sqlite-writer and postgres-writer.
 */
import type { ChildProcessByStdio } from 'node:child_process';
import readline from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { monotonicUs } from './acknowledged-operations.ts';

/** The nth transaction of a writer; times as in acknowledged-operations.ts. */
export interface Commit {
  startedUs: number;
  acknowledgedUs?: number;
}

/** How a database says the same in its own words. */
export interface Dialect {
  setUp: string;
  begin: string;
  /** An expression for a text of `length` letters. */
  text(length: number): string;
}

/**
 * Says `begun` on the standard output when the tables are there, and commits until the standard input is closed or the
 * shell ends. Gives all that was begun.
 */
export async function commitTransactions(
  shell: ChildProcessByStdio<Writable, Readable, null>,
  dialect: Dialect,
): Promise<Commit[]> {
  const commits: Commit[] = [];
  const stopping = { now: false };
  process.stdin.on('data', () => undefined);
  process.stdin.on('end', () => {
    stopping.now = true;
  });
  // A shell that has ended is noticed by its output.
  shell.stdin.on('error', () => undefined);
  const lines = readline.createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string | undefined> => {
    const next = await lines.next();
    return next.done === true ? undefined : next.value;
  };
  shell.stdin.write(`${dialect.setUp}
    create table notes(number integer primary key, text text);
    create table accounts(name text primary key, amount bigint);
    insert into accounts values('one', 0), ('other', 0);
    select 'ready';
  `);
  let line = await answer();
  while (line !== undefined && line !== 'ready') line = await answer();
  process.stdout.write('begun\n');
  for (let number = 1; line !== undefined && !stopping.now; number++) {
    commits.push({ startedUs: monotonicUs() });
    shell.stdin.write(`
      ${dialect.begin};
      insert into notes values(${number}, ${dialect.text((number * 37) % 3000)});
      update accounts set amount = amount + ${number} where name = 'one';
      update accounts set amount = amount - ${number} where name = 'other';
      commit;
      select ${number};
    `);
    line = await answer();
    if (line === String(number)) commits.at(-1)!.acknowledgedUs = monotonicUs();
  }
  return commits;
}
