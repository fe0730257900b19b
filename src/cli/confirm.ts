// Asking before something is destroyed.

import { createInterface } from 'node:readline/promises';
import { UsageError } from './failure.ts';

/** The part of the process that a question needs; replaced in tests. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const PROCESS: Terminal = { input: process.stdin, output: process.stderr };

/**
 * Asks on a terminal whether to do `what` ("delete snapshot main@x"); true if the answer is yes. Where there is no terminal nobody can be
 * asked: throws UsageError, since --yes is then needed.
 */
export async function confirm(what: string, terminal: Terminal = PROCESS): Promise<boolean> {
  const { input, output } = terminal;
  if (input.isTTY !== true || output.isTTY !== true) {
    throw new UsageError('confirmation-needed', `this would ${what}, and there is no terminal to ask on; add --yes`);
  }
  const asking = createInterface({ input, output });
  try {
    const answer = await asking.question(`${what[0]!.toUpperCase()}${what.slice(1)}? [y/N] `);
    return /^(y|yes)$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}
