/** A daemon whose system calls strace(1) watches, or has fail. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { isAlive, type Mounted } from './mounted.ts';
import { waitUntil, within } from './run-command.ts';

/** How long strace may take to let go. */
const STRACE_END_MS = 1000;

/**
 * Runs `body` with strace on all threads of the daemon; `options` are strace's. Gives the lines that it wrote, with the paths of descriptors. With
 * `untilGone` the daemon is to end in `body`, and strace stays until it has.
 */
export async function straced(
  mounted: Mounted,
  options: readonly string[],
  body: () => Promise<void>,
  { untilGone = false } = {},
): Promise<string[]> {
  const pid = await mounted.daemonPid();
  const trace = path.join(mounted.temp, 'trace');
  const all = ['-f', '-qq', '-y', '-o', trace, '-p', String(pid), ...options];
  const strace = spawn('env', ['strace', ...all], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(strace, 'exit');
  try {
    await waitUntil('strace is attached', 10_000, () => isTraced(pid));
    await body();
    if (untilGone) await waitUntil('the daemon is gone', 20_000, () => !isAlive(pid));
  } finally {
    // Told so it lets go of the daemon. Where that dies under it, it may wait for ever for threads that are gone.
    if (!untilGone) strace.kill('SIGTERM');
    await within(ended, STRACE_END_MS);
    strace.kill('SIGKILL');
    await ended;
  }
  return fs.readFileSync(trace, 'utf8').split('\n');
}

/** Whether all threads of a process are. */
function isTraced(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  return fs.readdirSync(tasks).every((id) => {
    try {
      return /TracerPid:\t[1-9]/.test(fs.readFileSync(path.join(tasks, id, 'status'), 'utf8'));
    } catch {
      // It has just ended: who is left is seen at the next look.
      return false;
    }
  });
}
