/**
 * Starts the runner of the POSIX table as a child program and feeds it tests, one at a time. This side never touches
 * the directory under test, so a filesystem that hangs can't hang it: after the time limit `abort` is called, which
 * makes every waiting system call return, and the runner is killed and started anew.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { compiledProgram } from './compile-programs.ts';
import { type RunnerAnswer } from './posix-protocol.ts';

export interface PosixOutcome {
  outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, or the error with its stack. */
  message: string;
}

export interface PosixRunner {
  /** Runs one test by its name in the table. Always ends, within the time limit and a few seconds. */
  run(name: string): Promise<PosixOutcome>;
  stop(): Promise<void>;
}

export interface RunnerOptions {
  /** The directory under test; the tests make their own below it. */
  dir: string;
  kind: 'host' | 'mount';
  timeLimitMs: number;
  /** Unmounts and mounts again. */
  refresh?: () => Promise<void>;
  /** Ends every system call that waits for the filesystem, and makes a fresh one. */
  recover?: () => Promise<void>;
}

/** Starts nothing yet: the child program is started with the first test. */
export function posixRunner(options: RunnerOptions): PosixRunner {
  let child: ChildProcess | undefined;

  function started(): ChildProcess {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || !child.connected) {
      child = fork(compiledProgram('posix-runner'), [options.dir, options.kind], {
        cwd: '/',
        execArgv: ['--enable-source-maps'],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
    }
    return child;
  }

  async function refreshFor(runner: ChildProcess): Promise<void> {
    try {
      await options.refresh?.();
      runner.send({ type: 'refreshed' });
    } catch (error) {
      runner.send({ type: 'refreshed', error: error instanceof Error ? error.message : String(error) });
    }
  }

  async function stop(): Promise<void> {
    const runner = child;
    child = undefined;
    if (runner === undefined || runner.exitCode !== null || runner.signalCode !== null) return;
    const gone = new Promise((resolve) => runner.once('exit', resolve));
    runner.kill('SIGKILL');
    await gone;
  }

  async function run(name: string): Promise<PosixOutcome> {
    const runner = started();
    const outcome = await outcomeOf(runner, name, options.timeLimitMs, () => void refreshFor(runner));
    if (outcome !== undefined) return outcome;
    // The kill comes first, so that the runner does nothing more; it takes effect once the abort lets its call return.
    runner.kill('SIGKILL');
    await options.recover?.();
    await stop();
    return { outcome: 'failed', message: `no end after ${options.timeLimitMs} ms` };
  }

  return { run, stop };
}

/** The outcome that the runner reports, or undefined when the time is over. */
function outcomeOf(
  runner: ChildProcess,
  name: string,
  timeLimitMs: number,
  onRefresh: () => void,
): Promise<PosixOutcome | undefined> {
  return new Promise((resolve) => {
    const done = (outcome: PosixOutcome | undefined): void => {
      clearTimeout(timer);
      runner.off('message', onMessage);
      runner.off('exit', onExit);
      resolve(outcome);
    };
    const onMessage = (message: unknown): void => {
      const answer = message as RunnerAnswer;
      if (answer.type === 'refresh') onRefresh();
      else done({ outcome: answer.outcome, message: answer.message });
    };
    const onExit = (code: number | null, signal: string | null): void =>
      done({ outcome: 'failed', message: `the runner ended with status ${code}, signal ${signal}` });
    const timer = setTimeout(() => done(undefined), timeLimitMs);
    runner.on('message', onMessage);
    runner.once('exit', onExit);
    runner.send({ type: 'run', name });
  });
}
