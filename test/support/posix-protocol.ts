/** What the parent sends to the runner of the POSIX table. */
export type RunnerCommand = { type: 'run'; name: string } | { type: 'refreshed'; error?: string };

/** What the runner sends back: the end of a test, or the wish to have the filesystem unmounted and mounted again. */
export type RunnerAnswer =
  { type: 'refresh' } | { type: 'ended'; outcome: 'passed' | 'failed' | 'skipped'; message: string };
