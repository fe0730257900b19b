// How a command fails: one message for people, an exit status for scripts, and with --json the reason too.

/** Exit statuses. */
export const STATUS = { success: 0, error: 1, usage: 2 } as const;

/** The version of everything that `--json` prints. Fields may come without a new number, but none goes or changes its meaning. */
export const OUTPUT_VERSION = 1;

/** The command line itself is wrong: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Says on stderr what went wrong, as JSON where that was asked for; gives the exit status. */
export function reportFailure(error: unknown, json: boolean): number {
  const text = describeFailure(error, json);
  process.stderr.write(`${text}\n`);
  return error instanceof UsageError ? STATUS.usage : STATUS.error;
}

/** The text of {@link reportFailure}. With AMBERFS_DEBUG=1 in the environment it has the stack as well. */
function describeFailure(error: unknown, json: boolean, debug = process.env['AMBERFS_DEBUG'] === '1'): string {
  const message = error instanceof Error ? error.message : String(error);
  if (json) {
    const fields = error instanceof Error ? (error as { code?: unknown; reason?: unknown }) : {};
    const reason = typeof fields.reason === 'string' ? fields.reason : 'internal';
    const code = typeof fields.code === 'string' ? fields.code : null;
    return JSON.stringify({ output_version: OUTPUT_VERSION, error: { reason, code, message } });
  }
  const stack = debug && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  return `amberfs: ${message}${stack}`;
}

/**
 * Does `work` for each of `items`, goes on after a failure, and says each. Gives the exit status: that of the first failure.
 */
export async function forEach<Item>(
  items: readonly Item[],
  json: boolean,
  work: (item: Item) => Promise<void>,
): Promise<number> {
  let status: number = STATUS.success;
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      const failed = reportFailure(error, json);
      if (status === STATUS.success) status = failed;
    }
  }
  return status;
}
