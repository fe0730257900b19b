import type { Command } from 'commander';

export interface DeleteOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** The options of `snapshot delete`. */
export interface SnapshotDeleteOptions extends DeleteOptions {
  readonly wait?: boolean;
}

/** Adds what every command that destroys something has. */
export function addDeleteOptions(command: Command): Command {
  return command
    .option('-n, --dry-run', 'only say what would happen')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print JSON');
}
