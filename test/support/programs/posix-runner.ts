/**
 * Runs tests of the POSIX table below one directory, as told by its parent over IPC (test/support/posix-runner.ts).
 * It may hang with the mount that it tests: its parent kills it and aborts the mount.
 */
import fs from 'node:fs';
import path from 'node:path';
import { joinBytes, SkipTest, type PosixRoot } from '../../posix/posix-root.ts';
import { posixTable } from '../../posix/table.ts';
import { type RunnerAnswer, type RunnerCommand } from '../posix-protocol.ts';

const [, , baseDir, kind] = process.argv as [string, string, string, 'host' | 'mount'];
let testCount = 0;
let onRefreshed: ((error: string | undefined) => void) | undefined;

function answer(message: RunnerAnswer): void {
  process.send?.(message);
}

function refresh(): Promise<void> {
  if (kind === 'host') return Promise.resolve();
  return new Promise((resolve, reject) => {
    onRefreshed = (error) => {
      if (error === undefined) resolve();
      else reject(new Error(error));
    };
    answer({ type: 'refresh' });
  });
}

function freshRoot(): PosixRoot {
  const dir = path.join(baseDir, `test-${testCount++}`);
  fs.mkdirSync(dir);
  fs.chmodSync(dir, 0o755);
  return {
    dir,
    kind,
    at: (...names) => path.join(dir, ...names),
    atBytes: (name) => joinBytes(dir, name),
    refresh,
  };
}

async function run(name: string): Promise<RunnerAnswer> {
  const test = posixTable[name];
  if (test === undefined) return { type: 'ended', outcome: 'failed', message: `no test '${name}'` };
  try {
    const root = freshRoot();
    await test(root);
    process.chdir('/');
    fs.rmSync(root.dir, { recursive: true });
    return { type: 'ended', outcome: 'passed', message: '' };
  } catch (error) {
    process.chdir('/');
    if (error instanceof SkipTest) return { type: 'ended', outcome: 'skipped', message: error.message };
    return { type: 'ended', outcome: 'failed', message: error instanceof Error ? (error.stack ?? '') : String(error) };
  }
}

process.chdir('/');
process.umask(0o022);
process.on('disconnect', () => process.exit(0));
process.on('message', (message) => {
  const command = message as RunnerCommand;
  if (command.type === 'refreshed') onRefreshed?.(command.error);
  else void run(command.name).then(answer);
});
