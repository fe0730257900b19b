import type { Command } from 'commander';
import type { ListingOptions } from '../table.ts';

/** The options of `snapshot list`. */
export interface SnapshotListOptions extends ListingOptions {
  readonly tree?: boolean;
  /** A size. */
  readonly free?: string;
}

/** Adds the options that every listing has to a command. */
export function addListingOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON: all columns, exact numbers, UTC times')
    .option('-H, --scripted', 'print no header and one tab between columns')
    .option('-p, --parsable', 'print exact numbers and UTC times')
    .option('-o, --columns <names>', 'print these columns, separated by commas')
    .option('-s, --sort <column>', 'sort by this column')
    .option('-S, --sort-descending <column>', 'sort by this column, the other way round');
}
