// amberfs snapshot restore

import type { Command } from 'commander';
import type { Outcome } from '../outcome.ts';
import { addDeleteOptions } from './delete-options.ts';
import type { RestoreOptions } from './restore-options.ts';

export function addRestoreCommand(snapshot: Command, outcome: Outcome): void {
  addDeleteOptions(
    snapshot
      .command('restore')
      .description('have a volume show what a snapshot shows, at once and while it is mounted')
      .argument('<snapshot>', 'TARGET@NAME')
      .option('--preserve <name>', 'keep what the volume holds now under this name; default: before-restore-TIME')
      .option('--discard', 'give up what the volume holds now')
      .option('--properties', 'take quota and other properties back, too, as they were when the snapshot was made'),
  ).action(async (target: string, options: RestoreOptions) => {
    const { runSnapshotRestore } = await import('../run/restore.ts');
    outcome.status = await runSnapshotRestore(target, options);
  });
}
