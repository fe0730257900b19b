/**
 * Commits transactions to an SQLite database (see transactions.ts) until its input is closed or the database fails, with
 * synchronous=FULL or EXTRA. At its end it writes to LOG when each began and was acknowledged.
 * Usage: sqlite-writer DATABASE JOURNAL-MODE LOG. Prints a line once it has begun.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { commitTransactions } from '../transactions.ts';

const [, , database, mode, logFile] = process.argv as [string, string, string, string, string];
// Where deleting the journal is the commit, only `extra` makes that durable (sqlite.org/pragma.html#pragma_synchronous).
const synchronous = mode === 'delete' ? 'extra' : 'full';
const shell = spawn('env', ['sqlite3', '-batch', '-bail', database], { cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] });
const commits = await commitTransactions(shell, {
  setUp: `pragma journal_mode=${mode}; pragma synchronous=${synchronous}; pragma wal_autocheckpoint=20;`,
  begin: 'begin immediate',
  text: (length) => `printf('%.*c', ${length}, 'x')`,
});
fs.writeFileSync(logFile, JSON.stringify(commits));
shell.kill();
process.exit(0);
