/**
 * Runs a PostgreSQL server on DIRECTORY (made by initdb) and commits transactions to it (see transactions.ts) until its
 * input is closed or the server fails. At its end it writes to LOG when each began and was acknowledged.
 * Usage: postgres-writer BINARIES DIRECTORY SOCKETS SYNC-METHOD LOG. Prints a line once it has begun.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { commitTransactions } from '../transactions.ts';

const [, , binaries, directory, sockets, method, logFile] = process.argv as string[] & { length: 7 };
// Becomes the program, so that signals reach it; runuser would stay in between.
const asServer = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'];
const options = ['-D', directory!, '-k', sockets!, '-c', 'listen_addresses=', '-c', `wal_sync_method=${method!}`];
const server = spawn('env', [...asServer, `${binaries!}/postgres`, ...options], { cwd: '/', stdio: 'ignore' });
const ended = new Promise((resolve) => server.once('exit', resolve));

/** The server answers when its socket is there and it has recovered. */
async function connect(): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const ready = spawn('env', [...asServer, `${binaries!}/pg_isready`, '-q', '-h', sockets!], { stdio: 'ignore' });
    if ((await new Promise((resolve) => ready.once('exit', resolve))) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the server does not answer');
}

await connect();
const client = ['psql', '-qAtX', '-v', 'ON_ERROR_STOP=1', '-h', sockets!, '-d', 'postgres'];
const shell = spawn('env', [...asServer, ...client], { cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] });
const commits = await commitTransactions(shell, {
  setUp: '',
  begin: 'begin',
  text: (length) => `repeat('x', ${length})`,
});
fs.writeFileSync(logFile!, JSON.stringify(commits));
shell.kill();
// Not in order: what it leaves is as a crash leaves it. A server whose files are gone ends by itself.
server.kill('SIGQUIT');
await ended;
process.exit(0);
