// What `snapshot run` does: a snapshot, the command, another snapshot, and what changed. The store is let go of while the command runs, which
// may mount or unmount it. All that is said goes to stderr: stdout is the command's.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Control, DiffInfo } from '../../daemon/control/index.ts';
import { formatChange } from '../change-text.ts';
import type { RunOptions } from '../commands/run-options.ts';
import { STATUS, UsageError, reportFailure } from '../failure.ts';
import { syncMounts } from '../sync-mounts.ts';
import { resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { invokingUser } from './invoking-user.ts';

/** As shells have it. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;
const SIGNALLED = 128;

/** A terminal sends these to the command, too: it decides. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];
/** These reach this process alone. */
const FORWARDED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

/** `amberfs snapshot run TARGET -- CMD...`; gives the exit status: the command's, unless that is 0 and the snapshot after it failed. */
export async function runSnapshotRun(text: string, command: readonly string[], options: RunOptions): Promise<number> {
  const lines = Number(options.lines);
  if (!Number.isSafeInteger(lines) || lines < 0) {
    throw new UsageError('run-lines', `--lines takes a whole number, not "${options.lines}"`);
  }
  const target = await resolveTarget(text);
  if (target.snapshot !== undefined) {
    throw new UsageError('run-in-snapshot', `"${text}" is a snapshot, in which nothing can change; name a volume`);
  }
  const { volume } = target;
  const comment = options.comment ?? command.join(' ').slice(0, 1000);
  const time = new Date().toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '.');
  const by = invokingUser();
  /** Gives the name: another run in this second may have taken it. */
  const take = async (control: Control, name: string): Promise<string> => {
    await syncMounts(control, volume);
    return (await control.call('snapshot.create', { volume, name, numbered: true, comment, by })).name;
  };
  const before = await withStore(target, (control) => take(control, `run-${time}-before`));
  const status = await runCommand(command);
  try {
    const diff = await withStore(target, async (control) => {
      // With the number of the one before.
      const after = await take(control, before.replace('-before', '-after'));
      const params = { volume, name: before, toVolume: volume, to: after, changes: true };
      // The snapshots are there, whatever becomes of the list.
      const found = await control
        .call('snapshot.diff', params)
        .catch((error: unknown) => void reportFailure(error, false));
      if (found?.changes.length === 0) await control.call('snapshot.delete', { volume, name: after, dryRun: false });
      return found;
    });
    process.stderr.write(diff === undefined ? '' : describe(diff, lines));
    return status;
  } catch (error) {
    const failed = reportFailure(error, false);
    return status === STATUS.success ? failed : status;
  }
}

function describe(diff: DiffInfo, lines: number): string {
  const { before, after, changes } = diff;
  if (changes.length === 0) return `amberfs: nothing changed; ${before} is kept, ${after} was deleted again\n`;
  const shown = changes.slice(0, lines).map((change) => `${formatChange(change)}\n`);
  const more = changes.length - shown.length;
  const rest = more === 0 ? '' : `... and ${more} more; all of them: amberfs snapshot diff TARGET@NAME @NAME\n`;
  const count = `${changes.length} change${changes.length === 1 ? '' : 's'}`;
  return `amberfs: ${count} from ${before} to ${after}:\n${shown.join('')}${rest}`;
}

/** Runs the command with this process's input and output; gives its exit status, as a shell would. */
function runCommand([program, ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program!, args, { stdio: 'inherit' });
    const ignore = (): void => undefined;
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    for (const signal of FROM_TERMINAL) process.on(signal, ignore);
    for (const signal of FORWARDED) process.on(signal, forward);
    const ended = (status: number): void => {
      for (const signal of FROM_TERMINAL) process.off(signal, ignore);
      for (const signal of FORWARDED) process.off(signal, forward);
      resolve(status);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(`amberfs: ${program!}: ${error.message}\n`);
      ended(error.code === 'ENOENT' ? NOT_FOUND : NOT_STARTED);
    });
    child.once('exit', (code, signal) => {
      ended(code ?? SIGNALLED + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
