/**
 * A compiled child program (test/support/programs/) that runs beside a test and speaks in lines: one line in, one line
 * out. It works on the mount; this side only waits for it, always with a limit.
 */
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { compiledProgram } from './compile-programs.ts';
import { within } from './run-command.ts';

export interface ChildProgram {
  readonly pid: number;
  /** Sends a line and waits for the line that answers it. */
  ask(line: string): Promise<string>;
  /** Waits for a line that comes by itself. */
  nextLine(): Promise<string>;
  /** Closes its input, on which every program ends, and waits for that; throws when its status is not 0. */
  finish(): Promise<void>;
  /** Kills it, if it is still there. Never throws. */
  dispose(): Promise<void>;
}

const answerLimitMs = 30_000;

export function startProgram(name: string, args: readonly string[]): ChildProgram {
  const child = spawn(process.execPath, [compiledProgram(name), ...args], {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  child.stdin.on('error', () => undefined);
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    const next = waiting.shift();
    if (next === undefined) lines.push(line);
    else next(line);
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));

  async function nextLine(): Promise<string> {
    const line =
      lines.shift() ?? (await within(new Promise<string>((resolve) => waiting.push(resolve)), answerLimitMs));
    if (line === undefined) throw new Error(`${name} did not answer in ${answerLimitMs} ms`);
    return line;
  }

  return {
    pid: child.pid!,
    nextLine,
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return nextLine();
    },
    finish: async () => {
      child.stdin.end();
      const status = await within(ended, answerLimitMs);
      if (status !== 0) throw new Error(`${name} ended with status ${status}`);
    },
    dispose: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await within(ended, 3000);
    },
  };
}
