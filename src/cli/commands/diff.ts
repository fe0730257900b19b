// amberfs snapshot diff

import type { Command } from 'commander';
import type { DiffOptions } from './diff-options.ts';

export function addDiffCommand(snapshot: Command): void {
  snapshot
    .command('diff')
    .description('show what changed between two snapshots, or from a snapshot to now')
    .argument('<snapshot>', 'TARGET@NAME')
    .argument('[target]', 'TARGET@NAME or @NAME: a later snapshot; TARGET: the live files (default)')
    .argument('[path]', 'only this file, or this directory and what is below it')
    .option('--json', 'print JSON')
    .option('-0, --null', 'end paths with a zero byte and leave their bytes as they are')
    .option('--stat', 'only count')
    .addHelpText(
      'after',
      `
Each line is a change, the type of the file, and its path from the root of the volume:
  +  came   -  went   R  was renamed (old -> new)   M  was changed; (+1) it has a hard link more
  F  file   /  directory   @  symlink   |  fifo   =  socket   B, C  device`,
    )
    .action(async (from: string, to: string | undefined, path: string | undefined, options: DiffOptions) => {
      const { runSnapshotDiff } = await import('../run/diff.ts');
      await runSnapshotDiff(from, to, path, options);
    });
}
