// Showing how far a long job is, on stderr: a line that changes on a terminal, nothing elsewhere, where nobody watches.

import type { ProgressOutput } from './progress.ts';
import { progressBar } from './progress.ts';

const CLEAR_LINE = '\r\x1b[K';

/** How often a job is asked how far it is. */
const ASK_MS = 100;

/** What is known of a job at a moment; `result` once it is done. */
export interface JobStep<Result> {
  /** 0 to 1. */
  readonly done: number;
  readonly text: string;
  readonly result: Result | undefined;
}

/** Asks how far a job is until it is done; gives its result. */
export async function followJob<Result>(
  ask: () => Promise<JobStep<Result>>,
  output: ProgressOutput = process.stderr,
): Promise<Result> {
  const onTerminal = output.isTTY === true;
  let waitMs = 5;
  for (;;) {
    const { done, text, result } = await ask();
    if (result !== undefined) {
      if (onTerminal) output.write(CLEAR_LINE);
      return result;
    }
    if (onTerminal) output.write(`${CLEAR_LINE}${progressBar(Math.min(1, done))} ${text}`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    waitMs = Math.min(ASK_MS, 2 * waitMs);
  }
}
